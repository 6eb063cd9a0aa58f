"""Inline script metadata (PEP 723): what a Python script says that it needs.

Only what can be decided without a resolver is decided: a requirement with a marker, an extra, an
address or a version that is not plain numbers is "not understood", and so refused, never guessed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import NamedTuple

from grind.core.errors import Problem, ProblemsError

_BLOCK = re.compile(
    r"(?m)^# /// (?P<type>[a-zA-Z0-9-]+)[ \t]*\r?$\s(?P<content>(^#(| .*)$\s)*)^# ///[ \t]*\r?$"
)
"""The expression of the PEP itself, with blanks and CRLF at the ends of the fences forgiven, and a block
with nothing in it."""
_REQUIREMENT = re.compile(
    r"\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(\(?)([^;@\[\]()]*)(\)?)\s*"
)
_CLAUSE = re.compile(r"\s*(===|==|!=|~=|<=|>=|<|>)\s*(v?[0-9]+(?:\.[0-9]+)*)(\.\*)?\s*")


class Metadata(NamedTuple):
    """What a script asks for."""

    dependencies: tuple[str, ...] = ()
    requires_python: str = ""


class Requirement(NamedTuple):
    """One distribution, and bounds on its version that are plain numbers."""

    name: str
    """Normalised: lower case, runs of `-_.` as one `-`."""
    clauses: tuple[tuple[str, tuple[int, ...], bool], ...]
    """Operator, release, and whether it ends in `.*`."""


def metadata(path: str, source: bytes) -> Metadata | None:
    """Return what a script declares; None when it declares nothing.

    `path` is what problems name. Raises ProblemsError for a block that is not right: two of them,
    no TOML, or values of the wrong kind.
    """
    if b"# /// script" not in source:
        return None
    text = source.decode("utf-8", "replace")
    blocks = [found for found in _BLOCK.finditer(text) if found["type"] == "script"]
    if not blocks:
        line = text[: text.index("# /// script")].count("\n") + 1
        raise _wrong(path, line, "the `# /// script` block has no end", "a line `# ///`")
    line = text.count("\n", 0, blocks[0].start()) + 1
    if len(blocks) > 1:
        again = text.count("\n", 0, blocks[1].start()) + 1
        raise _wrong(path, again, "a second `# /// script` block", f"one, that in line {line}")
    lines = blocks[0]["content"].splitlines()
    toml = "\n".join(row[2:] if row.startswith("# ") else row[1:] for row in lines)
    try:
        table = tomllib.loads(toml)
    except tomllib.TOMLDecodeError as error:
        raise _wrong(path, line, f"the `# /// script` block is no TOML: {error}", "TOML") from None
    dependencies = table.get("dependencies", [])
    python = table.get("requires-python", "")
    if not isinstance(dependencies, list) or not all(isinstance(d, str) for d in dependencies):
        raise _wrong(path, line, "`dependencies` is no list of strings", "requirements")
    if not isinstance(python, str):
        raise _wrong(path, line, "`requires-python` is no string", 'a text such as ">=3.11"')
    return Metadata(tuple(dependencies), python)


def _wrong(path: str, line: int, message: str, expected: str) -> ProblemsError:
    problem = Problem(path, line, 1, message, expected)
    return ProblemsError(f"{path} cannot be run:", (problem,))


def requirement(text: str) -> Requirement | None:
    """Read one requirement; None when it says something that needs a resolver."""
    found = _REQUIREMENT.fullmatch(text)
    if found is None or bool(found[2]) != bool(found[4]):
        return None
    clauses = _clauses(found[3])
    if clauses is None:
        return None
    return Requirement(normal_name(found[1]), clauses)


def normal_name(name: str) -> str:
    """Return a distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _clauses(text: str) -> tuple[tuple[str, tuple[int, ...], bool], ...] | None:
    clauses = []
    for part in text.split(",") if text.strip() else ():
        found = _CLAUSE.fullmatch(part)
        if found is None or found[1] == "===":
            return None
        if found[3] and found[1] not in ("==", "!="):
            return None
        release = tuple(int(number) for number in found[2].lstrip("v").split("."))
        if found[1] == "~=" and len(release) < 2:
            return None
        clauses.append((found[1], release, bool(found[3])))
    return tuple(clauses)


def missing(wanted: Metadata, installed: Mapping[str, str], python: str) -> tuple[str, ...]:
    """Return what of a script's wishes an interpreter does not fulfil, as the script wrote it.

    `installed` has normalised names and versions; `python` is the interpreter's version. What is
    not understood counts as missing.
    """
    out = []
    if wanted.requires_python:
        clauses = _clauses(wanted.requires_python)
        if clauses is None or not _fits(python, clauses):
            out.append(f"Python {wanted.requires_python}")
    for text in wanted.dependencies:
        need = requirement(text)
        have = installed.get(need.name) if need is not None else None
        if need is None or have is None or not _fits(have, need.clauses):
            out.append(text)
    return tuple(out)


def _fits(version: str, clauses: tuple[tuple[str, tuple[int, ...], bool], ...]) -> bool:
    if not clauses:
        return True
    plain = re.fullmatch(r"v?(\d+(?:\.\d+)*)(?:\.post\d+)?(?:\+[A-Za-z0-9.]+)?", version)
    if plain is None:  # a pre-release or something odder: no number to compare
        return False
    have = tuple(int(number) for number in plain[1].split("."))
    return all(_holds(have, *clause) for clause in clauses)


def _holds(have: tuple[int, ...], operator: str, want: tuple[int, ...], wild: bool) -> bool:
    """Compare releases as PEP 440 does: missing parts are zeros."""
    length = max(len(have), len(want))
    ours = have + (0,) * (length - len(have))
    theirs = want + (0,) * (length - len(want))
    if operator in ("==", "!="):
        same = ours[: len(want)] == want if wild else ours == theirs
        return same == (operator == "==")
    if operator == "~=":
        return ours >= theirs and ours[: len(want) - 1] == want[:-1]
    return {"<": ours < theirs, ">": ours > theirs, "<=": ours <= theirs, ">=": ours >= theirs}[
        operator
    ]

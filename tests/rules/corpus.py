"""The labelled corpus: reading it, and linting one snippet of it."""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from grind.adapters.shfmt import Shfmt
from grind.core.findings import Finding
from grind.core.tree import Entry
from grind.rules.runner import Job, Result, run

CASES = Path(__file__).parent / "cases"


class DictTree:
    """A tree in memory: path → content; paths in `untracked` are on disk and not in git."""

    def __init__(
        self,
        files: dict[str, bytes],
        executable: frozenset[str] = frozenset(),
        untracked: frozenset[str] = frozenset(),
    ) -> None:
        self.files = files
        self.executable = executable
        self.untracked = untracked

    def entries(self) -> list[Entry]:
        return [Entry(p, p in self.executable, p not in self.untracked) for p in self.files]

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def exists(self, path: str, /) -> bool:
        return path in self.files


class Case(NamedTuple):
    """One snippet with its label: the whole truth about it."""

    rule: str
    """The rule in whose table it stands."""
    place: str
    path: str
    text: str
    tree: DictTree
    expected: frozenset[tuple[str, int]]
    """`(rule, line)`; line 0 where the label does not say (one-line snippets)."""


def _tree(options: dict[str, str], path: str, text: str) -> DictTree:
    files: dict[str, bytes] = {}
    untracked: set[str] = set()
    for name in filter(None, options.get("files", "").split(",")):
        name, _, content = name.partition("=")
        if "?" in name:
            name = name.replace("?", "")
            untracked.add(name)
        files[name] = content.encode()
    files[path] = text.encode()
    executable = frozenset([path]) if "exec" in options else frozenset()
    return DictTree(files, executable, frozenset(untracked))


def _options(line: str) -> dict[str, str]:
    words = shlex.split(line, posix=True) if "\\ " in line else line.split()
    return {k: v.replace("\\n", "\n") for k, _, v in (w.partition("=") for w in words)}


def _unescape(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\t", "\t")


@lru_cache
def corpus() -> tuple[Case, ...]:
    """Every snippet of every table."""
    return tuple(case for file in sorted(CASES.glob("*.cases")) for case in _read(file))


def _read(file: Path) -> list[Case]:
    rule, options = file.stem, dict[str, str]()
    out: list[Case] = []
    lines = file.read_text().split("\n")
    at = 0
    while at < len(lines):
        line, place = lines[at], f"{file.stem}:{at + 1}"
        at += 1
        if line.startswith("@@@ "):
            own = _options(line[4:])
            stop = lines.index("@@end", at)
            body = lines[at:stop]
            at = stop + 1
            labels: set[tuple[str, int]] = set()
            if body and body[0].startswith("!! "):
                for word in body.pop(0)[3:].split():
                    name, _, number = word.partition(":")
                    labels.add((name, int(number)))
            text = "\n".join(body) + "\n"
            tree = _tree(own, own["path"], text)
            out.append(Case(rule, place, own["path"], text, tree, frozenset(labels)))
        elif line.startswith("@@ "):
            options = _options(_escaped_pre(line[3:]))
        elif match := re.match(r"([+-])(?:\[([^\]]*)\])? (.*)", line):
            sign, names, content = match.groups()
            text = options.get("pre", "") + _unescape(content) + "\n"
            rules = names.split(",") if names else [rule] if sign == "+" else []
            path = options.get("path", "scripts/a.sh")
            expected = frozenset((name, 0) for name in rules)
            out.append(Case(rule, place, path, text, _tree(options, path, text), expected))
    return out


def _escaped_pre(line: str) -> str:
    """`\\n` survives shlex."""
    return line.replace("\\n", "\\\\n")


def lint_case(case: Case) -> Result:
    """Everything lint says about a snippet."""
    return run(Job(case.tree, second=Shfmt(), wanted=lambda path: path == case.path))


def labels_of(case: Case, findings: tuple[Finding, ...]) -> frozenset[tuple[str, int]]:
    """What was found, in the form of the label."""
    exact = all(line > 0 for _, line in case.expected)
    return frozenset((f.rule, f.line if exact else 0) for f in findings)

"""Setup actions: which interpreter or toolchain of the host answers the version that is asked.

Each handler takes the action's inputs and the facts, and returns a judgement. A version that the
host lacks is refused with its remedy; nothing is ever downloaded for it. Inputs that a handler
does not know refuse the step: they may change what the real action does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from grind.core.plan import Recipe, StepClass, Verdict
from grind.workflows.facts import Facts, Judgement, refused, settle
from grind.workflows.scripts import provide, script
from grind.workflows.versions import Version, answers, parse_version

Inputs = Mapping[str, str]


class Request(NamedTuple):
    """A version as asked, and where it was asked for."""

    text: str
    source: str


class Candidate(NamedTuple):
    """Something on the host that may answer; `fields` is a line of its `find-*.sh`."""

    version: Version
    fields: tuple[str, ...]


class Lack(NamedTuple):
    """The host has no such version by itself; what to say unless something else provides it."""

    request: str
    reason: str
    remedy: str


def read_candidates(out: str, column: int, width: int) -> list[Candidate]:
    """Return what `find-*.sh` has found.

    A line of its answer has `width` fields, the version in `column`; any other line is none.
    """
    candidates = []
    for line in out.splitlines():
        fields = tuple(line.split("\t"))
        version = parse_version(fields[column]) if len(fields) == width else None
        if version is not None:
            candidates.append(Candidate(version, fields))
    return candidates


def find_question(language: str, folders: Sequence[str] = ()) -> tuple[str, ...]:
    """The question that lists what the host has of a language; with folders, what these have."""
    text = script(f"find-{language}.sh")
    return ("bash", "--noprofile", "--norc", "-c", text, "find", *folders)


def choose(candidates: list[Candidate], request: str) -> Candidate | str | None:
    """The newest candidate that answers; the first one on the PATH when anything would do.

    Returns a text when the request is not understood.
    """
    fitting = []
    for candidate in candidates:
        verdict = answers(candidate.version, request)
        if verdict is None:
            return f"the version {request!r} is not understood"
        if verdict:
            fitting.append(candidate)
    if not candidates and answers(Version((1,)), request) is None:
        return f"the version {request!r} is not understood"
    return max(fitting, key=lambda candidate: candidate.version.parts, default=None)


def satisfied(reason: str, name: str, env: Inputs, outputs: Inputs) -> Judgement:
    """The host has it: a bundled script gives it to the job."""
    recipe = Recipe(kind="provide", script=provide(name), env=dict(env), outputs=dict(outputs))
    return Judgement(Verdict.SATISFIED, StepClass.PROVISION, reason, recipe=recipe)


def lacks(what: str, request: str, candidates: list[Candidate], uses: str) -> Lack:
    """The host has no such version: what it has, and what would settle it."""
    have = ", ".join(sorted({str(c.version) for c in candidates})) or "none"
    return Lack(
        request.strip(),
        f"{what} {request.strip()} is not on the host (it has: {have})",
        f"install {what} {request.strip()} on the host, or in grind.toml:\n{settle(uses)}",
    )


def first_request(
    inputs: Inputs,
    facts: Facts,
    version_input: str,
    file_input: str,
    readers: Mapping[str, Callable[[str], str | None]],
    defaults: tuple[str, ...] = (),
) -> Request | Judgement | None:
    """What version is asked for: by input, by file, by a default file that exists; else None."""
    text = inputs.get(version_input, "").strip()
    if text:
        return Request(text, version_input)
    path = inputs.get(file_input, "").strip()
    names = (path,) if path else defaults
    for name in names:
        content = facts.read(name)
        if content is None:
            if path:
                return refused(f"{file_input} names {path}, which the snapshot does not have")
            continue
        base = name.rpartition("/")[2]
        reader = readers.get(base) or next(
            (r for suffix, r in readers.items() if suffix[:1] == "*" and base.endswith(suffix[1:])),
            first_line,
        )
        version = reader(content)
        if version:
            return Request(version, name)
        if path:
            return refused(f"{path} names no version that is understood")
    return None


def first_line(content: str) -> str | None:
    """Return the first line that is no comment."""
    for line in content.splitlines():
        text = line.partition("#")[0].strip()
        if text:
            return text
    return None


def tool_versions(*names: str) -> Callable[[str], str | None]:
    """A reader of `.tool-versions` for a tool under any of its plugin names."""

    def read(content: str) -> str | None:
        for line in content.splitlines():
            words = line.partition("#")[0].split()
            if len(words) > 1 and words[0] in names:
                return words[1]
        return None

    return read

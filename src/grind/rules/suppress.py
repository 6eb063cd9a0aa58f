"""`grind: ignore[rule] reason` in a comment of whatever language the file is in.

The comment stands on the line it speaks of, or alone on a line above it. `ignore-file[rule] why`
speaks of the whole file. JSON has no comments: `"//": "grind: ignore[rule] why"` on a line above.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import msgspec

from grind.rules.findings import HIGH, WARNING, Hit
from grind.rules.source import Source

UNUSED, UNREASONED = "unused-suppression", "suppression-without-reason"
_MARK = re.compile(
    r"(#|//|--|/\*|<!--|;)\W*grind:\s*ignore(-file)?\[([^\]\n]*)\][ \t:–—-]*([^\n]*)"
)
_COMMENT_LINE = re.compile(r'^\s*(#|//|--|/\*|<!--|;|\*|"//")')


class Suppression(msgspec.Struct, frozen=True, array_like=True):
    """One comment. It speaks of lines `line` to `last`; 0 stands for the whole file."""

    rules: tuple[str, ...]
    line: int
    last: int
    reason: str
    start: int
    end: int


class Verdict(NamedTuple):
    """What is left after suppressions, with findings about the suppressions themselves."""

    hits: list[Hit]
    silenced: int


def find(source: Source) -> list[Suppression]:
    """All suppressions of a file."""
    if "grind:" not in source.text:
        return []
    out: list[Suppression] = []
    for match in _MARK.finditer(source.text):
        rules = tuple(name.strip() for name in match.group(3).split(",") if name.strip())
        reason = re.sub(r'\s*(-->|\*/|",?)\s*$', "", match.group(4)).strip()
        line = 0 if match.group(2) else _target(source, match.start())
        last = _fence_end(source, line)
        out.append(Suppression(rules, line, last, reason, match.start(), match.end()))
    return out


def _target(source: Source, at: int) -> int:
    """The line a comment speaks of: its own, or the next one that is no comment."""
    number = source.line_of(at)
    begin = source.starts[number - 1]
    if source.text[begin:at].strip(" \t\"'"):
        return number
    lines = source.starts
    while number < len(lines):
        number += 1
        text = source.line(number)
        if text.strip() and not _COMMENT_LINE.match(text):
            return number
    return number


def _fence_end(source: Source, line: int) -> int:
    """A comment above a Markdown fence speaks of all that is in it."""
    fence = re.match(r"\s*(```+|~~~+)", source.line(line)) if line else None
    if not fence:
        return line
    for number in range(line + 1, len(source.starts) + 1):
        if source.line(number).strip().startswith(fence.group(1)):
            return number
    return line


def apply(
    hits: list[Hit], found: list[Suppression], source: Source, known: frozenset[str]
) -> Verdict:
    """Drop what is suppressed with a reason; report suppressions that do nothing or say no why."""
    if not found:
        return Verdict(hits, 0)
    used: set[tuple[int, str]] = set()
    out: list[Hit] = []
    for hit in hits:
        index = _by(hit, found, source)
        if index is None:
            out.append(hit)
        else:
            used.add((index, hit.rule))
    silenced = len(hits) - len(out)
    for index, item in enumerate(found):
        if not item.reason:
            message = "a suppression needs a reason behind the bracket; without one it does nothing"
            out.append(Hit(UNREASONED, item.start, item.end, message, WARNING, HIGH))
            continue
        for rule in item.rules:
            if (index, rule) not in used:
                why = "nothing here is found by it" if rule in known else "there is no such rule"
                message = f"this suppression of `{rule}` does nothing: {why}"
                out.append(Hit(UNUSED, item.start, item.end, message, WARNING, HIGH))
    return Verdict(out, silenced)


def _by(hit: Hit, found: list[Suppression], source: Source) -> int | None:
    first, last = source.line_of(hit.start), source.line_of(max(hit.start, hit.end - 1))
    for index, item in enumerate(found):
        here = item.line == 0 or (first <= item.last and item.line <= last)
        if item.reason and hit.rule in item.rules and here:
            return index
    return None

"""Version requests as setup actions write them, and whether a version answers one.

The forms are those of the actions' own documentation: `3.12`, `3.x`, `1.22.x`, `>=3.10 <3.13`,
`^18`, `~1.21.0`, `18 - 20`, `18 || 20`, `v20`, `lts/*`, `lts/iron`, `latest`, `stable`. Prereleases
answer only a request that names one.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_COMPARATOR = re.compile(r"(>=|<=|>|<|==|=|!=|~=|\^|~)?\s*v?([0-9xX*][0-9a-zA-Z.*+-]*)")
_VERSION = re.compile(
    r"v?(\d+(?:\.\d+)*)(?:[-.]?((?:a|b|rc|alpha|beta|dev|ea|pre|nightly)[-.\w]*))?"
)
ANY = frozenset({"", "*", "x", "latest", "current", "node", "stable", "lts/*", "lts", "default"})
"""Requests for the newest there is; which that is, only the network knows."""


class Version(NamedTuple):
    """A version that exists."""

    parts: tuple[int, ...]
    pre: str = ""

    def __str__(self) -> str:
        """As people write it."""
        return ".".join(map(str, self.parts)) + (f"-{self.pre}" if self.pre else "")


def parse_version(text: str) -> Version | None:
    """Read the first version in `text`, None when there is none."""
    match = re.search(r"\d+(?:\.\d+)*", text)
    if match is None:
        return None
    full = _VERSION.match(text, match.start())
    if full is None:
        return None
    return Version(tuple(int(part) for part in full[1].split(".")), full[2] or "")


def answers(version: Version, request: str) -> bool | None:
    """Whether `version` answers `request`; None when the request is not understood."""
    request = request.strip()
    if request in ANY:
        return not version.pre
    results = [_all(version, part.strip()) for part in request.split("||")]
    if None in results:
        return None
    return any(results)


def _all(version: Version, request: str) -> bool | None:
    if request in ANY:
        return not version.pre
    spread = re.fullmatch(r"(v?[\d.x*]+)\s+-\s+(v?[\d.x*]+)", request)
    if spread:
        return _at_least(version, spread[1]) and _upper(version, spread[2])
    text = re.sub(r"(>=|<=|>|<|==|=|!=|~=|\^|~)\s+", r"\1", request.replace(",", " "))
    result = True
    for term in text.split():
        match = _COMPARATOR.fullmatch(term)
        if match is None:
            return None
        one = _term(version, match[1] or "", match[2])
        if one is None:
            return None
        result = result and one
    return result


def _term(version: Version, operator: str, wanted: str) -> bool | None:
    numbers, pre = _split(wanted)
    if numbers is None:
        return None
    if version.pre and not pre:
        return False
    own = version.parts
    if operator in ("", "=", "=="):
        return own[: len(numbers)] == numbers and (not pre or version.pre.startswith(pre))
    if operator == "!=":
        return own[: len(numbers)] != numbers
    if operator == ">=":
        return _pad(own) >= _pad(numbers)
    if operator == "<":
        return _pad(own) < _pad(numbers)
    if operator == ">":
        return own[: len(numbers)] > numbers
    if operator == "<=":
        return own[: len(numbers)] <= numbers
    if operator == "^":
        fixed = next((i for i, n in enumerate(numbers) if n), len(numbers) - 1) + 1
        return _pad(own) >= _pad(numbers) and own[:fixed] == numbers[:fixed]
    if operator == "~":
        fixed = min(len(numbers), 2)
        return _pad(own) >= _pad(numbers) and own[:fixed] == numbers[:fixed]
    fixed = max(len(numbers) - 1, 1)  # ~= of PEP 440
    return _pad(own) >= _pad(numbers) and own[:fixed] == numbers[:fixed]


def _split(wanted: str) -> tuple[tuple[int, ...] | None, str]:
    """The leading numbers of a request (`1.22.x` → 1, 22) and its prerelease."""
    head, _, pre = wanted.partition("-")
    tail = re.fullmatch(r"([\d.x*X]+?)((?:a|b|rc|alpha|beta)\d*)?", head)
    if tail is None:
        return None, ""
    numbers: list[int] = []
    for part in tail[1].split("."):
        if part in ("x", "X", "*"):
            break
        if not part.isdigit():
            return None, ""
        numbers.append(int(part))
    return tuple(numbers), pre or tail[2] or ""


def _pad(parts: tuple[int, ...]) -> tuple[int, ...]:
    return (*parts, 0, 0, 0, 0)[:4]


def _at_least(version: Version, wanted: str) -> bool | None:
    return _term(version, ">=", wanted.removeprefix("v"))


def _upper(version: Version, wanted: str) -> bool | None:
    return _term(version, "<=", wanted.removeprefix("v"))

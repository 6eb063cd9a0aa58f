"""Paths into a JSON value, as probes write them: `status`, `checks.database[0].status`,
`attributes["service.version"]`, `checks.*[*].status`.

Members are names of letters, digits, `_` and `-`, or any text in `["…"]`; `[0]` counts from the
front and `[-1]` from the back; `*` and `[*]` are every member and every element.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, TypeAlias

EVERY = None
Step: TypeAlias = str | int | None
"""A member, an index, or EVERY."""

_STEP = re.compile(
    r"""(?P<dot>\.)?(?P<name>[A-Za-z0-9_-]+|\*)"""
    r"""|\[(?P<index>-?\d{1,9}|\*)\]"""
    r"""|\[(?P<text>"(?:[^"\\\x00-\x1f]|\\.)*")\]"""
)


def parse_path(text: str) -> tuple[Step, ...]:
    """Read a path. Raises ValueError, which says where it is wrong."""
    steps: list[Step] = []
    at = 0
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None or (match["name"] and bool(match["dot"]) != bool(steps)):
            raise ValueError(f"cannot be read from character {at + 1} on: {text[at:]!r}")
        steps.append(_step(match))
        at = match.end()
    if not steps:
        raise ValueError("is empty")
    return tuple(steps)


def _step(match: re.Match[str]) -> Step:
    if match["text"]:
        try:
            return str(json.loads(match["text"]))
        except ValueError:
            raise ValueError(f"has a bad escape in {match['text']}") from None
    if match["index"]:
        return EVERY if match["index"] == "*" else int(match["index"])
    return EVERY if match["name"] == "*" else match["name"]


def select(value: Any, path: tuple[Step, ...]) -> list[Any]:
    """Return everything in `value` that the path leads to; empty when it leads nowhere.

    `*` leads nowhere as a whole when one of its ways does: `checks.*.status` says nothing of
    checks of which one has no status.
    """
    found = list(_walk(value, path))
    return [] if _NOWHERE in found else found


class _Nowhere:
    """The end of a way that leads nowhere."""


_NOWHERE = _Nowhere()


def _walk(value: Any, path: tuple[Step, ...]) -> Iterator[Any]:
    if not path:
        yield value
        return
    inside = _inside(value, path[0])
    if not inside:
        yield _NOWHERE
    for item in inside:
        yield from _walk(item, path[1:])


def _inside(value: Any, step: Step) -> list[Any]:
    """Return what one step leads to; empty when it leads nowhere."""
    if isinstance(value, dict):
        if step is EVERY:
            return list(value.values())
        return [value[step]] if isinstance(step, str) and step in value else []
    if isinstance(value, list):
        if step is EVERY:
            return value
        near = isinstance(step, int) and -len(value) <= step < len(value)
        return [value[step]] if isinstance(step, int) and near else []
    return []


def nearest(value: Any, path: tuple[Step, ...]) -> str:
    """Say what there is where the path leads nowhere: for the one who mistyped it."""
    done = ""
    for step in path:
        if step is EVERY or not isinstance(value, dict | list):
            break
        inside = _inside(value, step)
        if not inside:
            break
        value = inside[0]
        done += f"[{step}]" if isinstance(step, int) else f".{step}" if done else step
    where = f"`{done}`" if done else "the answer"
    if isinstance(value, dict):
        names = ", ".join(sorted(map(str, value))[:12])
        return f"{where} has {names}" if names else f"{where} is an empty object"
    if isinstance(value, list):
        return f"{where} is a list of {len(value)}"
    return f"{where} is {json.dumps(value, ensure_ascii=False)[:60]}"

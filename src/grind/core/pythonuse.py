"""How often a script was run: what counts as the same one, and when to say so.

A script is its content, without comments, blank lines and trailing blanks, and without its
arguments: what is typed again and again with other arguments is one script.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

import msgspec

_COMMENT = re.compile(rb"^\s*#(?!!)")
_STRING = re.compile(r"(\"\"\"|'''|\"|')(?:\\.|(?!\1).)*\1", re.DOTALL)
_SHOWN = 64


class Use(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the record: the first of a script tells what it is, the others only count."""

    key: str
    kind: str = ""
    """`script`, `code` or `stdin`; empty in a line that only counts."""
    shown: str = ""
    """The script's path, or the beginning of its code with its strings left out."""
    told: bool = False
    """Whether the user was told that it is frequent."""


class Used(NamedTuple):
    """A script and how often it was run."""

    key: str
    kind: str
    shown: str
    times: int
    told: bool


def key_of(source: bytes) -> str:
    """Return what identifies a script."""
    lines = (line.rstrip() for line in source.splitlines())
    kept = [line for line in lines if line and not _COMMENT.match(line)]
    return blake2b(b"\n".join(kept), digest_size=12).hexdigest()


def excerpt(source: bytes) -> str:
    """Return something by which its author knows a piece of code again.

    The content of strings is left out: a record of what was run is no place for a password.
    """
    text = source.decode("utf-8", "replace")
    plain = _STRING.sub(lambda found: f"{found[1][0]}…{found[1][0]}", text)
    rows = [row.strip() for row in plain.splitlines()]
    rows = [row for row in rows if row and not row.startswith("#")]
    said = next((r for r in rows if not r.startswith(("import ", "from "))), "".join(rows[:1]))
    return said if len(said) <= _SHOWN else said[: _SHOWN - 1] + "…"


def fold(lines: Iterable[bytes]) -> dict[str, Used]:
    """Count the record. A line that is none (cut off by a full disk) counts for nothing."""
    found: dict[str, Used] = {}
    for line in lines:
        try:
            use = msgspec.json.decode(line, type=Use)
        except msgspec.MsgspecError:
            continue
        before = found.get(use.key)
        if before is None:
            found[use.key] = Used(use.key, use.kind, use.shown, 1, use.told)
            continue
        found[use.key] = before._replace(
            kind=use.kind or before.kind,
            shown=use.shown or before.shown,
            times=before.times + 1,
            told=before.told or use.told,
        )
    return found


def is_due(used: Used | None, threshold: int) -> bool:
    """Whether this run, the next after `used`, is the one at which to speak. Once per script."""
    if used is None:
        return threshold <= 1
    return not used.told and used.times + 1 >= threshold


def compact(found: dict[str, Used], keep: int) -> bytes:
    """Write the record anew with one line for the newest `keep` scripts and one for each count.

    Nothing is invented: the counts stay what they were, up to 1,000 each.
    """
    out = bytearray()
    for used in list(found.values())[-keep:]:
        out += line(Use(used.key, used.kind, used.shown, used.told))
        out += line(Use(used.key)) * (min(used.times, 1000) - 1)
    return bytes(out)


def line(use: Use) -> bytes:
    """Return a use as a line of the record."""
    return msgspec.json.encode(use) + b"\n"

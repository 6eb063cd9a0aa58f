"""How old may the oldest be, so that all the rest fits? Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

_UNITS = {"K": 1, "M": 1 << 10, "G": 1 << 20, "T": 1 << 30}


class Kept(NamedTuple):
    """A folder on a host that may be removed when it is old."""

    kib: int
    used: float
    """When it was last used, seconds since the epoch."""


def oldest_that_fits(kept: Iterable[Kept], limit: int, now: float) -> float | None:
    """Return the age in seconds from which on folders must go, so that the newest together take at
    most `limit` KiB; None when all of them do. The newest one always stays."""
    total = 0
    newest_first = sorted(kept, key=lambda one: one.used, reverse=True)
    for number, one in enumerate(newest_first):
        total += one.kib
        if total > limit and number:
            return max(0.0, now - one.used)
    return None


def kib_of(text: str) -> int:
    """Return the KiB in `512M`, `20G`; a bare number is bytes. Raises ValueError."""
    unit = _UNITS.get(text[-1:])
    number = int(text[:-1] if unit else text)
    return number * unit if unit else number // 1024

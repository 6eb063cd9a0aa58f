"""What a bench finds, and how it is shown."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from typing import Any, NamedTuple

WIDTHS = (10, 46, 11, 38, 11, 7, 7)
HEAD = ("bench", "what", "grind", "beside", "", "ratio", "goal")


class Row(NamedTuple):
    """One comparison. `grind` and `other` are medians of one run, in the same unit."""

    bench: str
    what: str
    grind: float
    beside: str
    other: float
    goal: float | None = None
    """Bound of the ratio; None for a row that is there to be looked at."""
    unit: str = "s"
    """`s` (seconds: less is better) or `/s` (per second: more is better)."""

    @property
    def ratio(self) -> float:
        """What grind takes, as a multiple of the other."""
        return self.grind / self.other

    @property
    def verdict(self) -> str:
        """`ok`, `missed`, or nothing without a goal."""
        if self.goal is None:
            return ""
        good = self.ratio <= self.goal if self.unit == "s" else self.ratio >= self.goal
        return "ok" if good else "missed"

    def cells(self) -> tuple[str, ...]:
        """Return the row as text, a cell for each column."""
        sign = "≤" if self.unit == "s" else "≥"
        return (
            self.bench,
            self.what,
            figure(self.grind, self.unit),
            self.beside,
            figure(self.other, self.unit),
            short(self.ratio),
            f"{sign} {short(self.goal)}" if self.goal is not None else "",
            self.verdict,
        )

    def document(self) -> dict[str, Any]:
        """Return the row for `--json`."""
        return self._asdict() | {"ratio": self.ratio, "verdict": self.verdict or None}


class Skipped(NamedTuple):
    """A comparison that cannot be made here, and why."""

    bench: str
    what: str
    why: str

    def cells(self) -> tuple[str, ...]:
        """Return it as text, a cell for each column."""
        return (self.bench, self.what, "", self.why, "", "", "", "skipped")


def short(number: float) -> str:
    """Return a ratio with three digits that mean something."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def figure(number: float, unit: str) -> str:
    """Return a figure with its unit."""
    if unit == "/s":
        return f"{number:,.0f} /s"
    return f"{number * 1000:,.1f} ms" if number < 10 else f"{number:,.1f} s"


def line(cells: Iterable[str]) -> str:
    """Return one line of the table."""
    *fixed, last = cells
    parts = [
        f"{cell:>{width}}" if number in (2, 4, 5) else f"{cell:<{width}}"
        for number, (cell, width) in enumerate(zip(fixed, WIDTHS, strict=True))
    ]
    return "  ".join([*parts, last]).rstrip()


def head() -> str:
    """Return the first lines of the table."""
    titles = line((*HEAD, "verdict"))
    return f"{titles}\n{'-' * len(titles)}"


def circumstances() -> dict[str, Any]:
    """Return what the figures depend on besides the programs."""
    return {
        "python": platform.python_version(),
        "processors": len(os.sched_getaffinity(0)),
        "load": [round(load, 1) for load in os.getloadavg()],
    }

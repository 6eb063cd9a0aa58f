"""The words, signs and colours that all faces share."""

from __future__ import annotations

from typing import NamedTuple


class Signs(NamedTuple):
    """One sign per result; colour is never the only difference between two of them."""

    ok: str = "✓"
    failed: str = "✗"
    refused: str = "!"
    skipped: str = "–"
    running: str = "▸"
    waiting: str = "·"
    dot: str = "·"
    within: str = "›"
    gutter: str = "│"
    rule: str = "─"
    remedy: str = "→"
    more: str = "…"


ASCII = Signs("ok", "FAIL", "!", "-", ">", ".", "-", ">", "|", "-", "->", "...")


def signs_for(encoding: str | None) -> Signs:
    """Return signs that the stream's encoding can hold."""
    try:
        "".join(Signs()).encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return Signs()


class Paint:
    """Wraps text in colour, or does not. The text must be clean already."""

    def __init__(self, colour: bool) -> None:
        self.colour = colour

    def _sgr(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text

    def good(self, text: str) -> str:
        """Green."""
        return self._sgr("32", text)

    def bad(self, text: str) -> str:
        """Bold red."""
        return self._sgr("1;31", text)

    def odd(self, text: str) -> str:
        """Yellow: refused, or worth a look."""
        return self._sgr("33", text)

    def faint(self, text: str) -> str:
        """Dim: there to be found, not to be read."""
        return self._sgr("2", text)

    def strong(self, text: str) -> str:
        """Bold."""
        return self._sgr("1", text)

    def by(self, result: str, text: str) -> str:
        """Colour by a conclusion, a verdict or a run's state."""
        if result in ("success", "green", "executed", "satisfied-by-host", "overridden"):
            return self.good(text)
        if result in ("failure", "red", "lost", "error"):
            return self.bad(text)
        if result in ("refused", "partial", "hollow", "cancelled", "warning"):
            return self.odd(text)
        return self.faint(text)


def duration(seconds: float) -> str:
    """Return a length of time as people say it: `0.3s`, `59s`, `1m 05s`, `2h 03m`."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    return f"{whole // 3600}h {whole % 3600 // 60:02d}m"


def count(number: int, noun: str) -> str:
    """Return `1 step`, `2 steps`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def short(oid: str) -> str:
    """Return an object id as people quote it."""
    return oid[:12]

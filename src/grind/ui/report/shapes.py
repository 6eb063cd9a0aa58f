"""Words, tones and places of the page: what a result looks like, and where a bar goes."""

from __future__ import annotations

from collections.abc import Sequence

GOOD, BAD, ODD, NONE = "good", "bad", "odd-tone", "none"
WIDTH = 1000.0
"""Of the timeline, in its own units."""

_TONES = {
    GOOD: "success green proven clean landed executed healthy ok good committed kept activated "
    "unchanged done undone",
    BAD: "failure red lost failed timed-out startup-failure error bad unhealthy rollback-failed",
    ODD: "partial refused unproven hollow flaky warning cancelled running stale superseded "
    "action-required not-created unknown overridden skipped cut-off rolled-back planned nothing",
}
_TONE_OF = {word: tone for tone, words in _TONES.items() for word in words.split()}
_SIGNS = {GOOD: "✓", BAD: "✗", ODD: "!", NONE: "·"}


def tone(word: str) -> str:
    """Return the class of a result's word; colour is never the only sign of it."""
    return _TONE_OF.get(word.replace(" ", "-"), NONE)


def sign(word: str) -> str:
    """Return the mark of a result's word."""
    return _SIGNS[tone(word)]


def place(start: float, duration: float, whole: float) -> tuple[str, str]:
    """Return x and width of a bar; what is too short to be seen gets a sliver."""
    if whole <= 0:
        return "0", "2"
    x = min(WIDTH - 2, WIDTH * start / whole)
    width = min(WIDTH - x, max(2.0, WIDTH * duration / whole))
    return f"{x:.1f}", f"{width:.1f}"


def points(values: Sequence[float]) -> str:
    """Return the points of a line through values, in a box of 100 × 20 that begins at nothing."""
    most = max(values, default=0.0) or 1.0
    step = 100 / max(1, len(values) - 1)
    return " ".join(
        f"{i * step:.1f},{19 - 18 * value / most:.1f}" for i, value in enumerate(values)
    )


def seconds(value: float) -> str:
    """Return a duration for people: `0.25 s`, `12.3 s`, `3 m 07 s`, `2 h 05 m`."""
    if value < 0.995:
        return f"{value:.2f} s"
    if value < 59.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} m {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} m"


def size(count: int) -> str:
    """Return a number of bytes for people."""
    if count < 1000:
        return f"{count} B"
    for unit in ("kB", "MB"):
        count_in = count / (1000 if unit == "kB" else 1_000_000)
        if count_in < 1000:
            return f"{count_in:.1f} {unit}" if count_in < 10 else f"{count_in:.0f} {unit}"
    return f"{count / 1e9:.1f} GB"

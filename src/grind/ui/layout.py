"""Text in columns: widths are counted in terminal cells, for clean text without colours."""

from __future__ import annotations

_OURS = frozenset("·…→–─│›▸✓✗")
"""What grind itself writes beyond ASCII: a cell each, as a letter."""


def cells(text: str) -> int:
    """Return how many terminal cells the text takes."""
    if _is_plain(text):
        return len(text)
    from rich.cells import cell_len  # here: most texts can do without it, and `grind status` must

    return cell_len(text)


def _is_plain(text: str) -> bool:
    """Whether every character takes one cell, as far as that is known without a table."""
    return text.isprintable() and (
        text.isascii() or all(char.isascii() or char in _OURS for char in text)
    )


def fit(text: str, width: int, more: str = "…") -> str:
    """Return text in at most `width` cells; what is cut is marked."""
    if cells(text) <= width:
        return text
    if width <= cells(more):
        return _cut(text, max(width, 0))
    return _cut(text, width - cells(more)).rstrip() + more


def _cut(text: str, width: int) -> str:
    """Return the first `width` cells of a text that is longer."""
    if _is_plain(text):
        return text[:width]
    from rich.cells import set_cell_size

    return set_cell_size(text, width)


def pad(text: str, width: int) -> str:
    """Return text in exactly `width` cells, or longer if it does not fit."""
    return text + " " * max(0, width - cells(text))


def wrap(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """Return the words of `text` in lines of at most `width` cells, with their prefixes.

    A word that is longer than a line is broken.
    """
    from rich.cells import chop_cells

    lines: list[str] = []
    line, empty = first, True
    for word in text.split():
        if not empty and cells(line) + 1 + cells(word) > width:
            lines.append(line)
            line, empty = rest, True
        room = max(4, width - cells(line) - (0 if empty else 1))
        *full, last = [word] if cells(word) <= room else chop_cells(word, room) or [""]
        for part in full:
            lines.append(line + part)
            line = rest
        line += last if empty or full else " " + last
        empty = False
    return [*lines, line]

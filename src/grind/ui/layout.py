"""Text in columns: widths are counted in terminal cells, for clean text without colours."""

from __future__ import annotations

from rich.cells import cell_len, chop_cells, set_cell_size


def cells(text: str) -> int:
    """Return how many terminal cells the text takes."""
    return len(text) if text.isascii() and text.isprintable() else cell_len(text)


def fit(text: str, width: int, more: str = "…") -> str:
    """Return text in at most `width` cells; what is cut is marked."""
    if cells(text) <= width:
        return text
    if width <= cell_len(more):
        return set_cell_size(text, max(width, 0))
    return set_cell_size(text, width - cell_len(more)).rstrip() + more


def pad(text: str, width: int) -> str:
    """Return text in exactly `width` cells, or longer if it does not fit."""
    return text + " " * max(0, width - cells(text))


def wrap(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """Return the words of `text` in lines of at most `width` cells, with their prefixes.

    A word that is longer than a line is broken.
    """
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

"""Long lines of a terminal, broken between words and hung below their sign; colours stay where they were."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

_SIGN = 2
"""A sign and its space."""


def hang(console: Console, text: Text, width: int) -> Text:
    """Return the line in as many lines as `width` needs; one that fits is left as it is."""
    space = len(text.plain) - len(text.plain.lstrip(" "))
    indent = space + _SIGN
    if text.cell_len <= width or width < 2 * indent:
        return text
    first, *rest = text[space:].wrap(console, width - indent)
    lines = [Text(" " * space) + first, *(Text(" " * indent) + part for part in rest)]
    for line in lines:
        line.rstrip()
    return Text("\n").join(lines)

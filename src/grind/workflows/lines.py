"""From pieces of text to whole lines, in memory that does not grow. Pure."""

from __future__ import annotations

_LONGEST = 64 * 1024


class Lines:
    """Joins what belongs to one line. Of a line that is longer than 64 Ki characters the begin is
    given, and the rest is dropped."""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str, *, keep: bool = True) -> list[str]:
        """Take a piece; return the lines that it completes, or none when nobody wants to `keep`
        them."""
        if not keep:
            self._rest = ""
            return []
        *lines, rest = text.split("\n")
        if lines:
            lines[0] = self._rest + lines[0]
            self._rest = rest[:_LONGEST]
        else:
            self._rest = (self._rest + rest)[:_LONGEST]
        return [line[:_LONGEST] for line in lines]

    def rest(self) -> list[str]:
        """Return the last line, which had no end."""
        rest, self._rest = self._rest, ""
        return [rest] if rest else []

"""A file's bytes, and places in it."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

_END = re.compile("\n")


class Source:
    """One file as a latin-1 view of its bytes (see `shell.model`)."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        self.data = data
        self.text = data.decode("latin-1")
        self._ascii = data.isascii()

    @cached_property
    def starts(self) -> list[int]:
        """The offset at which each line starts."""
        return [0, *(found.end() for found in _END.finditer(self.text))]

    def line_of(self, offset: int) -> int:
        """The 1-based line of an offset."""
        return bisect_right(self.starts, offset)

    def place(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column of an offset; columns count characters, not bytes."""
        line = self.line_of(offset)
        if self._ascii:
            return line, min(offset, len(self.text)) - self.starts[line - 1] + 1
        before = self.data[self.starts[line - 1] : offset]
        return line, len(before.decode("utf-8", "replace")) + 1

    def line(self, number: int) -> str:
        """The text of a 1-based line, decoded for people, without its end."""
        if not 1 <= number <= len(self.starts):
            return ""
        begin = self.starts[number - 1]
        end = self.text.find("\n", begin)
        if self._ascii:
            return self.text[begin : len(self.text) if end < 0 else end].rstrip("\r")
        raw = self.data[begin : len(self.data) if end < 0 else end]
        return raw.decode("utf-8", "replace").rstrip("\r")

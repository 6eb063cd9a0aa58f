"""A small terminal: enough of one to know what a person would see after all the redrawing.

It wraps at its width, scrolls, and reflows its rows when it is made narrower or wider, as today's
terminals do. Unknown sequences are an error, so nothing passes unnoticed.
"""

from __future__ import annotations

import re

from grind.ui.layout import cells

_TOKEN = re.compile("\x1b\\[([?0-9;]*)([A-Za-z])|[\r\n]|[^\x1b\r\n]", re.DOTALL)


class Terminal:
    def __init__(self, width: int, height: int = 24) -> None:
        self.width = width
        self.height = height
        self.lines: list[str] = [""]
        """Logical lines; each takes as many rows as its width needs."""
        self.row = 0
        self.column = 0
        self.cursor_shown = True

    # Rows are physical, made from the lines at the present width.
    def _rows(self) -> list[tuple[int, str]]:
        rows = []
        for number, line in enumerate(self.lines):
            parts = [line[i : i + self.width] for i in range(0, len(line), self.width)] or [""]
            rows += [(number, part) for part in parts]
        return rows

    def resize(self, width: int) -> None:
        number, column = self._logical()
        self.width = width
        before = sum(max(1, -(-len(line) // width)) for line in self.lines[:number])
        self.row = before + max(0, column - 1) // width
        self.column = column - (self.row - before) * width

    def _logical(self) -> tuple[int, int]:
        rows = self._rows()
        number = rows[self.row][0]
        first = next(i for i, row in enumerate(rows) if row[0] == number)
        return number, (self.row - first) * self.width + self.column

    def feed(self, text: str) -> None:
        end = 0
        for match in _TOKEN.finditer(text):
            assert match.start() == end, f"unknown sequence {text[end : end + 20]!r}"
            end = match.end()
            token = match.group()
            if token == "\r":
                self.column = 0
            elif token == "\n":
                self._newline()
            elif token[0] == "\x1b":
                self._control(match[1], match[2])
            else:
                self._put(token)
        assert end == len(text), f"unknown sequence {text[end : end + 20]!r}"

    def _newline(self) -> None:
        number, _ = self._logical()
        if number == len(self.lines) - 1:
            self.lines.append("")
        self.row = sum(max(1, -(-len(line) // self.width)) for line in self.lines[: number + 1])
        self.column = 0

    def _control(self, parameters: str, kind: str) -> None:
        if kind == "m":
            return
        if parameters in ("?25", "?25"):
            self.cursor_shown = kind == "h"
        elif kind == "A":
            assert int(parameters) <= self.row, "moved above the screen"
            self.row -= int(parameters)
        elif kind == "K" and parameters == "2":
            self._erase_row()
        else:
            raise AssertionError(f"unknown sequence {parameters}{kind}")

    def _erase_row(self) -> None:
        rows = self._rows()
        number, _ = rows[self.row]
        parts = [(i, part) for i, (n, part) in enumerate(rows) if n == number]
        if len(parts) > 1:
            # An erased row of a wrapped line: the line ends before it, as in a real terminal.
            self.lines[number : number + 1] = ["" if i == self.row else part for i, part in parts]
        else:
            self.lines[number] = ""

    def _put(self, character: str) -> None:
        wide = cells(character)
        number, column = self._logical()
        line = self.lines[number].ljust(column)
        # A wide character takes its cells, so that string indices are columns.
        self.lines[number] = line[:column] + character + "\0" * (wide - 1) + line[column + wide :]
        self.column += wide
        if self.column > self.width:
            self.row += 1
            self.column -= self.width

    @property
    def text(self) -> str:
        """What can be seen, trailing blanks left out."""
        lines = [line.replace("\0", "").rstrip() for line in self.lines]
        return "\n".join(lines).rstrip("\n") + "\n"

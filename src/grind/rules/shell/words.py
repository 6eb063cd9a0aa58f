"""Take a word (or the text of a here-document) apart: literals, quotes, expansions.

Where a `$( … )` ends is known from the parser; nothing else in a word needs a grammar.
"""

from __future__ import annotations

import re

from grind.rules.shell.model import ARITH, COMMAND, HOLE, HOLED, LITERAL, VAR, Part, Script

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_PARAMETER = re.compile(r"[!#]?([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[@*#?$!-])")
_HOLES = re.compile(HOLE + "+")
_ANSI = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}


def split(script: Script, start: int, end: int) -> list[Part]:
    """The parts of a word."""
    return _Splitter(script, start, end).bare()


def split_heredoc(script: Script, start: int, end: int) -> list[Part]:
    """The parts of an unquoted here-document: double-quote rules, but `"` is a plain sign."""
    return _Splitter(script, start, end).quoted(heredoc=True)


def split_quoted(script: Script, start: int, end: int) -> list[Part]:
    """The parts of what stands between two double quotes."""
    return _Splitter(script, start, end).quoted(heredoc=False)


class _Splitter:
    def __init__(self, script: Script, start: int, end: int) -> None:
        self.script = script
        self.text = script.text
        self.at = start
        self.end = end
        self.parts: list[Part] = []

    def bare(self) -> list[Part]:
        text = self.text
        while self.at < self.end:
            sign = text[self.at]
            if sign == "'":
                self._single(self.at + 1)
            elif sign == '"':
                self._double(self.at)
            elif sign == "\\":
                skip = text[self.at + 1 : self.at + 2] == "\n"
                self._literal(self.at, self.at + 2, "" if skip else text[self.at + 1 : self.at + 2])
            elif sign == "$" and text.startswith("$'", self.at):
                self._ansi()
            elif sign == "$" and text.startswith('$"', self.at):
                self._double(self.at + 1)
            elif not self._expansion(""):
                self._plain("")
        return self.parts

    def quoted(self, *, heredoc: bool) -> list[Part]:
        escapes = '$`\\"\n' if not heredoc else "$`\\\n"
        text = self.text
        while self.at < self.end:
            if text[self.at] == "\\" and self.at + 1 < self.end and text[self.at + 1] in escapes:
                value = "" if text[self.at + 1] == "\n" else text[self.at + 1]
                self._literal(self.at, self.at + 2, value, '"')
            elif not self._expansion('"'):
                self._plain('"')
        return self.parts

    def _literal(self, start: int, end: int, value: str, quote: str = "") -> None:
        end = min(end, self.end)
        self.parts.append(Part(LITERAL, start, end, value, quote))
        self.at = end

    def _plain(self, quote: str) -> None:
        """A run of signs without meaning here; holes in it become parts of their own."""
        stop = self.at + 1
        ends = "\\$`" if quote else "\\$`'\"<>"
        while stop < self.end and self.text[stop] not in ends:
            stop += 1
        self._with_holes(self.at, stop, quote)
        self.at = stop

    def _with_holes(self, start: int, stop: int, quote: str) -> None:
        at = start
        for hole in _HOLES.finditer(self.text, start, stop):
            if hole.start() > at:
                text = self.text[at : hole.start()]
                self.parts.append(Part(LITERAL, at, hole.start(), text, quote))
            self.parts.append(Part(HOLED, hole.start(), hole.end(), "", quote))
            at = hole.end()
        if at < stop:
            self.parts.append(Part(LITERAL, at, stop, self.text[at:stop], quote))

    def _single(self, start: int) -> None:
        stop = self.text.find("'", start, self.end)
        stop = self.end if stop < 0 else stop
        if stop > start:
            self._with_holes(start, stop, "'")
        else:
            self.parts.append(Part(LITERAL, start, start, "", "'"))
        self.at = min(stop + 1, self.end)

    def _ansi(self) -> None:
        at = begin = self.at + 2
        out: list[str] = []
        while at < self.end and self.text[at] != "'":
            if self.text[at] == "\\" and at + 1 < self.end:
                at += 1
                out.append(_ANSI.get(self.text[at], self.text[at]))
            else:
                out.append(self.text[at])
            at += 1
        self.parts.append(Part(LITERAL, begin, at, "".join(out), "'"))
        self.at = min(at + 1, self.end)

    def _double(self, start: int) -> None:
        """From the opening quote on; the closing one is found by walking."""
        inner = _Splitter(self.script, start + 1, self.end)
        stop = inner.closing()
        if stop == start + 1:
            self.parts.append(Part(LITERAL, stop, stop, "", '"'))
        else:
            self.parts.extend(split_quoted(self.script, start + 1, stop))
        self.at = min(stop + 1, self.end)

    def closing(self) -> int:
        """Where the double-quoted string that starts here ends."""
        while self.at < self.end:
            sign = self.text[self.at]
            if sign == '"':
                return self.at
            if sign == "\\":
                self.at += 2
            elif not self._expansion('"'):
                self.at += 1
        return self.end

    def _expansion(self, quote: str) -> bool:
        """Take an expansion that starts here; False where none does."""
        text, at = self.text, self.at
        sign = text[at]
        if sign not in "$`<>":
            return False
        known = self.script.substitutions.get(at)
        if known and (sign != "<" or not quote):
            self.parts.append(Part(COMMAND, at, min(known[0], self.end), "", quote))
            self.at = max(known[0], at + 1)
            return True
        if sign != "$":
            return False
        if text.startswith("${", at):
            stop = self._brace(at + 2)
            name = _PARAMETER.match(text, at + 2)
            self.parts.append(Part(VAR, at, stop, name.group(1) if name else "", quote))
        elif text.startswith("$((", at) or text.startswith("$[", at):
            close = "))" if text[at + 1] == "(" else "]"
            found = text.find(close, at, self.end)
            stop = self.end if found < 0 else found + len(close)
            self.parts.append(Part(ARITH, at, stop, "", quote))
        elif text.startswith("$(", at):  # not known to the parser: the text was refused there
            stop = self.end
            self.parts.append(Part(COMMAND, at, stop, "", quote))
        else:
            name = _NAME.match(text, at + 1, self.end)
            if not name:
                return False
            stop = name.end()
            self.parts.append(Part(VAR, at, stop, name.group(), quote))
        self.at = stop
        return True

    def _brace(self, at: int) -> int:
        """The end of a `${ … }` whose inside starts at `at`."""
        text = self.text
        while at < self.end:
            sign = text[at]
            if sign == "}":
                return at + 1
            if sign == "\\":
                at += 2
            elif sign == "'" and text.find("'", at + 1, self.end) > 0:
                at = text.find("'", at + 1, self.end) + 1
            elif sign == "$" and text.startswith("${", at):
                at = self._brace(at + 2)
            elif sign in "$`" and at in self.script.substitutions:
                at = self.script.substitutions[at][0]
            else:
                at += 1
        return self.end

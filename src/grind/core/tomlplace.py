"""Where each key and value of a TOML document stands.

`tomllib` reads TOML and forgets positions. This scanner walks a text that `tomllib` has already
accepted, so it may be simple: it recognises, and never judges. A law in the tests holds that it
finds exactly the paths of the document that `tomllib` returns.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from typing import NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]


class Place(NamedTuple):
    """Line and column, both counted from 1; columns count characters."""

    line: int
    column: int


class Places(NamedTuple):
    """Places by path. A list element's key place is that of its value or of its `[[header]]`."""

    keys: dict[Path, Place]
    values: dict[Path, Place]

    def nearest(self, path: Path, *, value: bool) -> Place:
        """Return the place of the value (or key) at `path`, or of its closest known ancestor."""
        wanted = self.values if value else self.keys
        for end in range(len(path), 0, -1):
            place = wanted.get(path[:end]) or self.keys.get(path[:end])
            if place is not None:
                return place
        return Place(1, 1)


def find(text: str) -> Places:
    """Return the places of everything in `text`, which must be valid TOML."""
    scanner = _Scanner(text.replace("\r\n", "\n"))
    scanner.document()
    return Places(scanner.keys, scanner.values)


_BLANK = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\[\s\S]|"{1,2}(?!"))*"{3,5}'
    r"|'''(?:[^']|'{1,2}(?!'))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'"
)
_SCALAR = re.compile(r"[^,\]}\n#]+")


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.keys: dict[Path, Place] = {}
        self.values: dict[Path, Place] = {}
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._tables: dict[Path, int] = {}
        """Number of elements so far of each array of tables."""

    def document(self) -> None:
        prefix: Path = ()
        while True:
            self._skip(_BLANK)
            if self.at >= len(self.text):
                return
            if self.text.startswith("[", self.at):
                prefix = self._header()
            else:
                self._pair(prefix)

    def _place(self) -> Place:
        line = bisect_right(self._starts, self.at)
        return Place(line, self.at - self._starts[line - 1] + 1)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"not the TOML that tomllib accepted, at offset {self.at}")
        self.at = match.end()
        return match.group()

    def _header(self) -> Path:
        place = self._place()
        many = self.text.startswith("[[", self.at)
        self.at += 2 if many else 1
        path = self._key((), mark=False)
        self.at += 2 if many else 1
        if many:
            index = self._tables[path] = self._tables.get(path, -1) + 1
            self.keys.setdefault(path, place)
            path = (*path, index)
        self.keys.setdefault(path, place)
        self.values.setdefault(path, place)
        return path

    def _key(self, prefix: Path, *, mark: bool = True) -> Path:
        """Read a dotted key; note the place of each of its parts."""
        path = prefix
        while True:
            self._skip(_SPACE)
            place = self._place()
            if path in self._tables:
                path = (*path, self._tables[path])
            if self.text[self.at] in "\"'":
                path = (*path, tomllib.loads("key = " + self._skip(_STRING))["key"])
            else:
                path = (*path, self._skip(_BARE))
            if mark:
                self.keys.setdefault(path, place)
            self._skip(_SPACE)
            if not self.text.startswith(".", self.at):
                return path
            if not mark:
                self.keys.setdefault(path, place)
            self.at += 1

    def _pair(self, prefix: Path) -> None:
        path = self._key(prefix)
        self.at += 1
        self._skip(_SPACE)
        self._value(path)

    def _value(self, path: Path) -> None:
        place = self._place()
        self.values[path] = place
        self.keys.setdefault(path, place)
        first = self.text[self.at]
        if first == "[":
            self._array(path)
        elif first == "{":
            self._inline(path)
        else:
            self._skip(_STRING if first in "\"'" else _SCALAR)

    def _array(self, path: Path) -> None:
        self.at += 1
        index = 0
        while True:
            self._skip(_BLANK)
            if self.text[self.at] == "]":
                break
            self._value((*path, index))
            index += 1
            self._skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        while True:
            self._skip(_BLANK)
            if self.text[self.at] == "}":
                break
            self._pair(path)
            self._skip(_BLANK)
            if self.text[self.at] == ",":
                self.at += 1
        self.at += 1

"""Glob patterns as `picomatch` reads them with `dot: true`: what change filters match paths with.

They are not the patterns of `on.push.paths` (see `filters`): `*` here stays within a segment, `**`
is one only where a segment begins, braces are alternatives, and `a/**` is `a` itself too. What a
pattern may hold beyond that (groups, quantifiers, escapes, ranges in braces, classes by name) is
not read: `None` in place of a matcher, so that whoever asks refuses instead of guessing. Held
against picomatch 4 by a table of cases that it answered (tests/workflows/test_pathglobs.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

_REFUSED: Final = frozenset('()|"\\\n\r\0')
"""Characters by which picomatch lets parts of regular expressions into a pattern."""
_CLASS: Final = re.compile(r"\[(\^?[\w-]+)\]", re.ASCII)
_SHORT: Final = re.compile(r"(?:(\*\*)|(\*\*/)?\*\.\*)(\.\w+)?", re.ASCII)
"""What picomatch has ready-made answers for, which differ from what it reads by the rules."""
_SEGMENT: Final = "[^/]*?"
_ANYTHING: Final = ".*?"
_NOT_DOTS: Final = r"(?!\.{1,2}(?:/|$))"


class Glob(NamedTuple):
    """A pattern that is understood."""

    pattern: str
    negated: bool
    """Whether it begins with an odd number of `!`."""
    regex: re.Pattern[str]

    def inner(self, path: str) -> bool:
        """Whether the pattern without its `!` matches a path."""
        return self.regex.fullmatch(path) is not None

    def matches(self, path: str) -> bool:
        """Whether the pattern, `!` and all, matches a path."""
        return path == self.pattern or self.inner(path) is not self.negated


def read_glob(pattern: str) -> Glob | None:
    """Return the matcher of a pattern; None for one that is not understood."""
    rest = _without_here(pattern)
    bangs = len(rest) - len(rest.lstrip("!"))
    rest = _without_here(rest[bangs:])
    if not rest or not _REFUSED.isdisjoint(rest):
        return None
    short = None if bangs else _SHORT.fullmatch(rest)
    try:
        source = _Reader(rest).read() if short is None else _short(short)
    except _NotUnderstood:
        return None
    return Glob(pattern, bangs % 2 == 1, re.compile(source))


def select(paths: Iterable[str], globs: Sequence[Glob]) -> list[str]:
    """Return the paths that a list of patterns selects, as `micromatch` does: each pattern adds
    what it matches, one with `!` takes away, and one further down may add it again."""
    items = list(dict.fromkeys(paths))
    kept: dict[str, None] = {}
    left_out: set[str] = set()
    for glob in globs:
        for path in items:
            if glob.negated:
                if not glob.matches(path):
                    left_out.add(path)
            elif glob.matches(path):
                left_out.discard(path)
                kept[path] = None
    chosen = items if globs and all(glob.negated for glob in globs) else list(kept)
    return [path for path in chosen if path not in left_out]


def _without_here(pattern: str) -> str:
    while pattern.startswith("./"):
        pattern = pattern[2:]
    return pattern


def _short(found: re.Match[str]) -> str:
    extension = re.escape(found[3] or "")
    if found[1]:
        return _ANYTHING + extension
    where = f"(?:|{_ANYTHING}/)" if found[2] else ""
    return rf"{where}{_NOT_DOTS}{_SEGMENT}\.(?=.){_SEGMENT}{extension}"


class _NotUnderstood(Exception):  # noqa: N818 - an answer, not an error
    pass


class _Reader:
    """Turns a pattern into a regular expression, one token after the other."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.out: list[str] = []
        self.last = "start"
        """What stands before: start, slash, dot (one that begins a name), star, and what has no
        say: text."""
        self.before_slash = "start"
        """What stood before the last slash."""
        self.depth = 0

    def read(self) -> str:
        readers: dict[str, Callable[[], None]] = {
            "*": self._star,
            "/": self._slash,
            ".": self._dot,
            "{": self._brace,
            "}": self._close,
            ",": self._comma,
            "[": self._class,
            "+": self._plus,
        }
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "@" and self.text[self.at + 1 : self.at + 2] == "(":
                raise _NotUnderstood
            known = readers.get(character)
            if known is not None:
                known()
            elif character == "?":
                self._push("[^/]", "text")
            else:
                self._push(re.escape(character), "text")
        if self.depth:
            raise _NotUnderstood
        return "".join(self.out)

    def _push(self, output: str, kind: str, width: int = 1) -> None:
        self.out.append(output)
        self.last = kind
        self.at += width

    def _slash(self) -> None:
        self.before_slash = self.last
        self._push("/", "slash")

    def _dot(self) -> None:
        if self.depth and self.text[self.at + 1 : self.at + 2] == ".":
            raise _NotUnderstood  # a range
        starts = self.depth or self.last in ("start", "slash")
        self._push(r"\.", "dot" if starts else "text")

    def _plus(self) -> None:
        if self.last in ("class", "brace"):
            raise _NotUnderstood  # a quantifier
        self._push(r"\+", "text")

    def _class(self) -> None:
        found = _CLASS.match(self.text, self.at)
        if found is None:
            raise _NotUnderstood
        inner = found[1]
        if inner[:1] == "^":
            output = f"[{inner}/]"
        elif "-" in inner:
            output = f"[{inner}]"
        else:  # one character of them, or the text as it stands
            output = rf"(?:\[{inner}\]|[{inner}])"
        try:
            re.compile(output)
        except re.error:
            raise _NotUnderstood from None
        self._push(output, "class", len(found[0]))

    # --- braces ----------------------------------------------------------------------------------

    def _brace(self) -> None:
        if not self._has_comma():
            raise _NotUnderstood  # literal, or a range
        self.depth += 1
        self._push("(?:", "open")

    def _has_comma(self) -> bool:
        depth = 0
        for place in range(self.at, len(self.text)):
            character = self.text[place]
            depth += (character == "{") - (character == "}")
            if depth == 0:
                return False
            if character == "," and depth == 1:
                return True
        return False

    def _comma(self) -> None:
        if self.depth:
            self._push("|", "open")
        else:
            self._push(",", "text")

    def _close(self) -> None:
        if not self.depth:
            raise _NotUnderstood
        self.depth -= 1
        self._push(")", "brace")

    # --- stars -----------------------------------------------------------------------------------

    def _star(self) -> None:
        stars = len(self.text) - self.at - len(self.text[self.at :].lstrip("*"))
        if stars > 2:
            raise _NotUnderstood
        follows = self.text[self.at + stars : self.at + stars + 1]
        if stars == 2 and self.last == "open":
            raise _NotUnderstood  # picomatch loses count of what it has written
        if stars == 1 or self.last not in ("start", "slash") or follows not in ("", "/"):
            self._one_star(stars)
        else:
            self._two_stars()

    def _one_star(self, width: int) -> None:
        guard = ""
        if self.last in ("start", "slash"):
            guard = _NOT_DOTS + ("(?=.)" if width == 1 else "")
        elif self.last == "dot":
            guard = r"(?!\.?(?:/|$))" + ("(?=.)" if width == 1 else "")
        self._push(guard + _SEGMENT, "star", width)

    def _two_stars(self) -> None:
        rest = self.text[self.at + 2 :]
        while rest.startswith("/**") and rest[3:4] in ("", "/"):
            rest = rest[3:]
        self.at = len(self.text) - len(rest) - 2
        if self.last == "start" and rest[:1] == "/":
            self._push(f"(?:|{_ANYTHING}/)", "slash", 3)
            self.before_slash = "star"
        elif self.last == "slash" and self.before_slash != "start" and rest[:1] == "/":
            if not rest[1:]:
                raise _NotUnderstood  # ends in a slash
            self.out.pop()
            self._push(f"(?:/{_ANYTHING}/|/)", "slash", 3)
            self.before_slash = "star"
        elif self.last == "slash" and self.before_slash not in ("start", "star") and not rest:
            self.out.pop()
            self._push(f"(?:/{_ANYTHING}|)", "star", 2)
        else:
            self._push(_ANYTHING, "star", 2)

r"""GitHub's filter patterns for branches, tags and paths.

The language (GitHub's "filter pattern cheat sheet"): `*` is any text without `/`, `**` any text,
`?` makes the character before it optional, `+` repeats it, `[a-z0-9]` is one of a set, `\\` takes
the next character literally, `!` at the beginning turns a match back. Patterns match whole values,
with case. In a list the last pattern that matches decides. `**/` at the beginning of a segment is
any number of folders, none too: `docs/**/*.md` matches `docs/a.md`.

Matching walks all states at once and takes time linear in the value for any pattern.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

MAX_PATTERN: Final = 1024
"""Longer patterns are refused; git itself limits ref names and paths to a few thousand bytes."""

_MAX_STEPS: Final = 4096
_ANY: Final = None


class PatternError(ValueError):
    """A pattern that GitHub does not define. `index` is the place of the fault, 0-based."""

    def __init__(self, message: str, index: int) -> None:
        super().__init__(message)
        self.message, self.index = message, index


class _Item(NamedTuple):
    """One element: what it takes, and how often (`optional`, `repeated`)."""

    letters: frozenset[str] | None
    """None takes any character but those in `without`."""
    without: str = ""
    optional: bool = False
    repeated: bool = False
    skip: bool = False
    """The beginning of `**/`, which may be left out together with the item that follows."""

    def takes(self, letter: str) -> bool:
        return letter not in self.without if self.letters is None else letter in self.letters


class Pattern:
    """One compiled pattern."""

    __slots__ = ("_after", "_items", "_known", "_literal", "negated", "text")

    def __init__(self, text: str) -> None:
        """Compile `text`. Raises PatternError."""
        if len(text) > MAX_PATTERN:
            raise PatternError(f"a pattern may have at most {MAX_PATTERN} characters", 0)
        self.text = text
        self.negated = text.startswith("!")
        body = text[1:] if self.negated else text
        if not body:
            raise PatternError("a pattern must not be empty", 0)
        self._items = _parse(body, len(text) - len(body))
        plain = all(item.letters and item == _Item(item.letters) for item in self._items)
        single = plain and all(len(item.letters or ()) == 1 for item in self._items)
        self._literal = (
            "".join(letter for item in self._items for letter in item.letters or ())
            if single
            else None
        )
        self._after = _closures(self._items)
        self._known: dict[tuple[int, str], int] = {}

    def matches(self, value: str) -> bool:
        """Say whether the whole of `value` matches, without regard to `!`."""
        if self._literal is not None:
            return value == self._literal
        states, known = self._after[0], self._known
        for letter in value:
            following = known.get((states, letter))
            if following is None:
                following = self._step(states, letter)
                if len(known) < _MAX_STEPS:
                    known[states, letter] = following
            states = following
            if not states:
                return False
        return bool(states >> len(self._items) & 1)

    def _step(self, states: int, letter: str) -> int:
        """Return the states after `letter`. State i: the items before i have been matched."""
        following = 0
        for index, item in enumerate(self._items):
            # An item that repeats takes more from the state behind it too.
            here = states >> index & 1
            again = item.repeated and states >> (index + 1) & 1
            if (here or again) and item.takes(letter):
                following |= self._after[index + 1]
        return following


class Filter:
    """A compiled list of patterns, in order."""

    __slots__ = ("patterns",)

    def __init__(self, patterns: Iterable[str]) -> None:
        """Compile the patterns. Raises PatternError for a faulty one.

        Of a pattern that stands there twice only the last can decide, so only that is kept.
        """
        last = dict.fromkeys(reversed(tuple(patterns)))
        self.patterns = tuple(Pattern(text) for text in reversed(last))

    def matches(self, value: str) -> bool:
        """Say whether the list selects `value`: the last pattern that matches decides."""
        for pattern in reversed(self.patterns):
            if pattern.matches(value):
                return not pattern.negated
        return False


def matches(patterns: Sequence[str], value: str) -> bool:
    """Say whether a list of patterns selects `value`. Raises PatternError.

    For many values compile a `Filter` once.
    """
    return Filter(patterns).matches(value)


def _closures(items: tuple[_Item, ...]) -> tuple[int, ...]:
    """Return for each state the set of states that are reached without taking a character."""
    count = len(items)
    after = [1 << state for state in range(count + 1)]
    for state in range(count - 1, -1, -1):
        if items[state].optional:
            after[state] |= after[state + 1]
        if items[state].skip:
            after[state] |= after[state + 2]
    return tuple(after)


def _parse(body: str, offset: int) -> tuple[_Item, ...]:
    items: list[_Item] = []
    index, stuck = 0, True  # stuck: nothing before that `?` or `+` could modify
    while index < len(body):
        sign = body[index]
        if sign in "?+":
            if stuck:
                message = f"'{sign}' must follow a character that it can modify"
                raise PatternError(message, offset + index)
            items[-1] = items[-1]._replace(optional=sign == "?", repeated=sign == "+")
            index, stuck = index + 1, True
            continue
        stuck = sign == "*"
        if sign == "*":
            index = _stars(body, index, items)
        elif sign == "[":
            letters, index = _set(body, index, offset)
            items.append(_Item(letters))
        elif sign == "\\":
            if index + 1 == len(body):
                raise PatternError("nothing follows '\\'", offset + index)
            items.append(_Item(frozenset(body[index + 1])))
            index += 2
        else:
            items.append(_Item(frozenset(sign)))
            index += 1
    return tuple(items)


def _stars(body: str, index: int, items: list[_Item]) -> int:
    end = index
    while end < len(body) and body[end] == "*":
        end += 1
    if end - index == 1:
        items.append(_Item(_ANY, without="/", optional=True, repeated=True))
        return end
    if body[end : end + 1] == "/" and (index == 0 or body[index - 1] == "/"):
        items.append(_Item(_ANY, repeated=True, skip=True))
        items.append(_Item(frozenset("/")))
        return end + 1
    items.append(_Item(_ANY, optional=True, repeated=True))
    return end


def _set(body: str, start: int, offset: int) -> tuple[frozenset[str], int]:
    """Read `[…]` at `start`; return its letters and the index behind it."""
    end = body.find("]", start + 1)
    if end < 0:
        raise PatternError("'[' is not closed by ']'", offset + start)
    inner = body[start + 1 : end]
    if not inner:
        raise PatternError("'[]' is empty", offset + start)
    if inner[0] in "!^":
        # GitHub documents no complement, so its meaning there is anybody's guess.
        raise PatternError(f"'[{inner[0]}' is not defined by GitHub", offset + start)
    letters: set[str] = set()
    index = 0
    while index < len(inner):
        first = inner[index]
        if inner[index + 1 : index + 2] == "-" and index + 2 < len(inner):
            last = inner[index + 2]
            alike = all(sign.isascii() and sign.isalnum() for sign in (first, last)) and _kind(
                first
            ) == _kind(last)
            if not alike or last < first:
                message = f"the range '{first}-{last}' is not within a-z, A-Z or 0-9"
                raise PatternError(message, offset + start + 1 + index)
            letters.update(map(chr, range(ord(first), ord(last) + 1)))
            index += 3
        else:
            letters.add(first)
            index += 1
    return frozenset(letters), end + 1


def _kind(letter: str) -> int:
    return letter.isdigit() + 2 * letter.isupper()

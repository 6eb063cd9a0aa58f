"""Comparing text without regard to case, where GitHub's two implementations agree.

The runner compares ordinally after mapping each character to upper case
(`StringComparison.OrdinalIgnoreCase`); the language service upper-cases (`==`, `<`, `startsWith`,
`endsWith`) or lower-cases (`contains`, keys) the whole text with Unicode's full mappings. ASCII is
the same in all of them. Beyond it both are computed; where the answers differ ('ß' and 'SS', the
Kelvin sign and 'k') DisputedValueError is raised.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import TypeVar

from grind.workflows.expressions.errors import DisputedValueError

T = TypeVar("T")


def equal(left: str, right: str) -> bool:
    """Whether two texts are the same but for case."""
    if left == right:
        return True
    if left.isascii() and right.isascii():
        return len(left) == len(right) and left.lower() == right.lower()
    return _agreed(left, right, _UPPERS, lambda a, b: a == b)


def compare(left: str, right: str) -> int:
    """Order two texts by UTF-16 code units after upper-casing: -1, 0 or 1."""
    if left.isascii() and right.isascii():
        upper_left, upper_right = left.upper(), right.upper()
        return (upper_left > upper_right) - (upper_left < upper_right)
    return _agreed(left, right, _UPPERS, _utf16_order)


def contains(text: str, part: str) -> bool:
    """Whether `part` occurs in `text`."""
    if text.isascii() and part.isascii():
        return part.lower() in text.lower()
    return _agreed(text, part, _CONTAINS, lambda a, b: b in a)


def starts_with(text: str, part: str) -> bool:
    """Whether `text` begins with `part`."""
    if text.isascii() and part.isascii():
        return text[: len(part)].lower() == part.lower()
    return _agreed(text, part, _UPPERS, lambda a, b: a.startswith(b))


def ends_with(text: str, part: str) -> bool:
    """Whether `text` ends with `part`."""
    if text.isascii() and part.isascii():
        return text.lower().endswith(part.lower())
    return _agreed(text, part, _UPPERS, lambda a, b: a.endswith(b))


def key_forms(key: str) -> tuple[str, str]:
    """Give the two forms under which a key is looked up: the service's and the runner's."""
    if key.isascii():
        lowered = key.lower()
        return lowered, lowered.upper()
    _known(key, key[:0])
    return key.lower(), _simple_upper(key)


def _agreed(
    left: str,
    right: str,
    mappings: tuple[Callable[[str], str], ...],
    ask: Callable[[str, str], T],
) -> T:
    _known(left, right)
    answers = {ask(mapping(left), mapping(right)) for mapping in mappings}
    if len(answers) != 1:
        raise DisputedValueError("the letter case of a character in this text")
    return answers.pop()


def _known(*texts: str) -> None:
    """Refuse characters newer than this Python's Unicode, whose case is not known here."""
    for text in texts:
        for char in text:
            if char > "\u017f" and unicodedata.category(char) == "Cn" and not _caseless(ord(char)):
                raise DisputedValueError(f"the letter case of U+{ord(char):04X}")


def _caseless(code: int) -> bool:
    """Emoji and CJK blocks: what is added to them has no case."""
    return 0x1F000 <= code <= 0x1FBFF or 0x20000 <= code <= 0x3FFFF


def _full_upper(text: str) -> str:
    """JavaScript's toUpperCase, which GitHub keeps from touching the dotless i."""
    return "ı".join(part.upper() for part in text.split("ı"))


def _full_lower(text: str) -> str:
    return text.lower()


def _simple_upper(text: str) -> str:
    """.NET's ordinal upper case: one character to one, never from outside ASCII into it."""
    return "".join(map(_upper_char, text))


def _upper_char(char: str) -> str:
    upper = char.upper()
    if len(upper) != 1 or (upper < "\x80" <= char):
        return char
    return upper


def _title_upper(text: str) -> str:
    """The same with Unicode's one-character mapping where the full one is longer ('ᾳ')."""
    return "".join(
        char.title() if len(char.upper()) != 1 == len(char.title()) else _upper_char(char)
        for char in text
    )


def _utf16_order(left: str, right: str) -> int:
    a, b = left.encode("utf-16-be", "surrogatepass"), right.encode("utf-16-be", "surrogatepass")
    return (a > b) - (a < b)


_UPPERS = (_full_upper, _simple_upper, _title_upper)
_CONTAINS = (_full_lower, _simple_upper, _title_upper)

"""Source text to tokens, with the classes and positions of GitHub's lexer."""

from __future__ import annotations

import math
import re
from typing import Final, NamedTuple

from grind.workflows.expressions.errors import DisputedValueError, LexingError, located
from grind.workflows.expressions.numbers import WHITESPACE, parse_number

MAX_LENGTH = 21_000
"""UTF-16 code units, as the runner counts."""

# Token kinds are their own text, or one of these words.
NUMBER: Final = "number"
STRING: Final = "string"
NAME: Final = "name"
LITERAL: Final = "literal"
END: Final = "end"

OPERATORS: Final = ("==", "!=", "<=", ">=", "<", ">", "&&", "||", "!")


class Token(NamedTuple):
    """One token: its kind, where it stands, and the value of a literal."""

    kind: str
    start: int
    end: int
    value: object = None


# JavaScript's white space; Python's \s is not the same.
_SPACE = WHITESPACE + "\ufeff"
_EDGE = rf"[(\[)\],.!><=&|{_SPACE}]"
_TOKEN = re.compile(
    rf"""
    [ \t\r\n]*
    (?:
      (?P<name>[A-Za-z_][A-Za-z0-9_-]*)(?={_EDGE}|\Z)
    | (?P<string>'(?:[^']++|'')*+')
    | (?P<op>&&|\|\||==|!=|<=|>=|[<>!()\[\],*])
    | (?P<number>[-+0-9](?:(?!{_EDGE}).|\.)*)
    | (?P<dot>\.)
    | (?P<end>\Z)
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_POINT_NUMBER = re.compile(rf"\.(?:(?!{_EDGE}).|\.)*", re.DOTALL)
_JUNK = re.compile(rf".(?:(?!{_EDGE}).)*", re.DOTALL)
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_BLANK = re.compile(r"[ \t\r\n]*")
_WORDS: Final[dict[str, tuple[str, object]]] = {
    "true": (LITERAL, True),
    "false": (LITERAL, False),
    "null": (LITERAL, None),
    "NaN": (NUMBER, math.nan),
    "Infinity": (NUMBER, math.inf),
}
_BEFORE_DOT: Final = frozenset((NAME, ")", "]", "*"))


def lex(source: str) -> list[Token]:
    """Split a source into tokens; the last one has kind END. Raises LexingError."""
    if utf16_length(source) > MAX_LENGTH:
        raise LexingError(f"Exceeded max expression length {MAX_LENGTH}", 0)
    half = None if source.isascii() else _HALF_PAIR.search(source)
    if half is not None:
        raise LexingError("half a surrogate pair is no text", half.start(), disputed=True)
    tokens: list[Token] = []
    last = END
    position = 0
    match_at = _TOKEN.match
    while True:
        match = match_at(source, position)
        if match is None:
            raise _junk(source, position)
        group = match.lastgroup
        position = match.end()
        start = match.start(group)  # type: ignore[arg-type]
        if group == "op":
            token = Token(source[start:position], start, position)
        elif group == "name":
            token = _name(source[start:position], start, position, last)
        elif group == "string":
            token = Token(
                STRING, start, position, source[start + 1 : position - 1].replace("''", "'")
            )
        elif group == "end":
            tokens.append(Token(END, len(source), len(source)))
            return tokens
        elif group == "dot" and last in _BEFORE_DOT:
            token = Token(".", start, position)
        else:
            token = _number(source, start, position if group == "number" else None)
            position = token.end
        last = token.kind
        tokens.append(token)


def utf16_length(text: str) -> int:
    """Give the length in UTF-16 code units, which is how GitHub counts."""
    if text.isascii():
        return len(text)
    return len(text) + sum(char > "\uffff" for char in text)


def _name(text: str, start: int, end: int, last: str) -> Token:
    # After a dot every word is a property's name: `foo.true`.
    word = _WORDS.get(text) if last != "." else None
    if word is not None:
        return Token(word[0], start, end, word[1])
    return Token(NAME, start, end, text)


def _number(source: str, start: int, end: int | None) -> Token:
    if end is None:
        match = _POINT_NUMBER.match(source, start)
        assert match is not None
        end = match.end()
    text = source[start:end]
    try:
        value = parse_number(text)
    except DisputedValueError as error:
        raise LexingError(
            located("Unexpected symbol", text, start, source) + f" ({error.message})",
            start,
            disputed=True,
        ) from None
    if value != value:
        raise LexingError(located("Unexpected symbol", text, start, source), start)
    return Token(NUMBER, start, end, value)


def _junk(source: str, position: int) -> LexingError:
    blank = _BLANK.match(source, position)
    assert blank is not None
    start = blank.end()
    if source[start] == "'":
        text = source[start:]
    else:
        match = _JUNK.match(source, start)
        assert match is not None
        text = match.group()
    return LexingError(located("Unexpected symbol", text, start, source), start)

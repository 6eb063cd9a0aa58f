"""Literal values as GitHub has them: from their text, and back to text.

Plain scalars follow YAML's core schema, numbers are doubles, and where a text is wanted a literal
becomes one in a way of its own.
"""

from __future__ import annotations

import re
from typing import Final

from grind.workflows.syntax import Data, Scalar, Seq

_WORDS: Final[dict[str, bool | float | None]] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
    | dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf"))
    | dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf"))
    | dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))
)
_FIRST: Final = frozenset("~nNtTfF.+-0123456789")
_INTEGER: Final = re.compile(r"[-+]?[0-9]+")
_FLOAT: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_RADIX: Final = re.compile(r"0x([0-9a-fA-F]+)|0o([0-7]+)")
_LITERAL_HOLE: Final = re.compile(r"\$\{\{\s*'((?:[^'$]|'')*)'\s*\}\}")
_EXACT: Final = 2**53


def core_value(text: str) -> bool | int | float | str | None:
    """Return the typed value of a plain scalar (YAML 1.2, 10.3.2), as GitHub's parser has it.

    Raises OverflowError for a hexadecimal or octal number of more than 32 bits.
    """
    if text and text[0] not in _FIRST:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        number = float(text)
        # -0 is a double of its own, and larger integers are not what they seem on GitHub either.
        return int(number) if abs(number) <= _EXACT and text != "-0" else number
    if _FLOAT.fullmatch(text):
        return float(text)
    if radix := _RADIX.fullmatch(text):
        whole = int(radix[1], 16) if radix[1] else int(radix[2], 8)
        if whole >= 2**32:
            raise OverflowError(text)
        return whole - 2**32 if whole >= 2**31 else whole  # .NET parses them as signed
    return text


def literal_hole(text: str) -> str | None:
    """Return what a text that is nothing but a quoted text in a hole means; None for any other.

    GitHub takes `${{ 'x' }}` for x wherever it stands. A text with a `$` stays as it is written, so
    that no literal can pass for an expression.
    """
    if "${{" not in text or (match := _LITERAL_HOLE.fullmatch(text)) is None:
        return None
    return match[1].replace("''", "'")


def string_of(scalar: Scalar) -> str:
    """Return the text GitHub uses where a literal stands in place of a string.

    Not the text as written: `1.10` becomes `1.1`, `0x1f` becomes `31`, `True` becomes `true` and
    null becomes the empty string. Numbers have 15 significant digits (.NET's `G15`).
    """
    return text_of(scalar.value)


def text_of(value: bool | float | str | None) -> str:
    """Return the text of a literal value. See `string_of`."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _number_text(value)


def is_dynamic(scalar: Scalar) -> bool:
    """Say whether a value holds an expression; `${{ 'text' }}` alone is a text, as on GitHub."""
    return isinstance(scalar.value, str) and "${{" in scalar.value


def plain(data: Data) -> object:
    """Return a tree of nodes as plain values: lists, dicts and literals, places forgotten."""
    if isinstance(data, Scalar):
        return data.value
    if isinstance(data, Seq):
        return [plain(item) for item in data.items]
    return {key.text: plain(value) for key, value in data.entries}


def fold(key: str) -> str:
    """Return `key` for comparison without case, as .NET's OrdinalIgnoreCase: one letter for one."""
    if key.isascii():
        return key.upper()
    return "".join(upper if len(upper := letter.upper()) == 1 else letter for letter in key)


def _number_text(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return format(float(value), ".15G")

"""The built-in functions of expressions; `case` is in the evaluator, for it is lazy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final

from grind.workflows.expressions import folding
from grind.workflows.expressions.compare import equals
from grind.workflows.expressions.errors import (
    EvaluationError,
    UnknownValueError,
)
from grind.workflows.expressions.jsontext import from_json, to_json
from grind.workflows.expressions.memory import Meter
from grind.workflows.expressions.values import (
    Array,
    Unknown,
    Value,
    is_primitive,
    to_text,
)

Builtin = Callable[[tuple[Value, ...], Meter], Value]

_BRACE = re.compile(r"[{}]")
_DIGITS = re.compile(r"[0-9]+")


def contains(args: tuple[Value, ...], _meter: Meter) -> bool:
    """`contains(search, item)`: a substring, or an item that is `==`."""
    search, item = args
    if isinstance(search, Array):
        return any(equals(item, known(each)) for each in search)
    if not is_primitive(search) or not is_primitive(item):
        return False
    return folding.contains(to_text(search), to_text(item))


def starts_with(args: tuple[Value, ...], _meter: Meter) -> bool:
    """`startsWith(searchString, searchValue)`; false beside an array or object."""
    if not is_primitive(args[0]) or not is_primitive(args[1]):
        return False
    return folding.starts_with(to_text(args[0]), to_text(args[1]))


def ends_with(args: tuple[Value, ...], _meter: Meter) -> bool:
    """`endsWith(searchString, searchValue)`; false beside an array or object."""
    if not is_primitive(args[0]) or not is_primitive(args[1]):
        return False
    return folding.ends_with(to_text(args[0]), to_text(args[1]))


def join(args: tuple[Value, ...], meter: Meter) -> str:
    """`join(array, separator=',')`; a primitive is its own text, an object is ''."""
    items = args[0]
    if is_primitive(items):
        return to_text(items)
    if not isinstance(items, Array):
        return ""
    separator = to_text(args[1]) if len(args) > 1 and is_primitive(args[1]) else ","
    texts: list[str] = []
    for item in items:
        text = to_text(known(item))
        if texts:
            meter.count(separator)
        meter.count(text)
        texts.append(text)
    return separator.join(texts)


def format_(args: tuple[Value, ...], meter: Meter) -> str:
    """`format(string, value0, …)`: `{N}` are replaced, `{{` and `}}` are braces."""
    pieces: list[str] = []
    for piece in _format_pieces(to_text(args[0]), args[1:]):
        if piece:
            meter.count(piece)
            pieces.append(piece)
    return "".join(pieces)


def _format_pieces(text: str, values: tuple[Value, ...]) -> Iterator[str]:
    at = 0
    while True:
        match = _BRACE.search(text, at)
        if match is None:
            yield text[at:]
            return
        brace = match.start()
        if text.startswith(match.group(), brace + 1):
            yield text[at : brace + 1]
            at = brace + 2
            continue
        digits = _DIGITS.match(text, brace + 1)
        if match.group() == "}" or digits is None or text.find("}", digits.end()) < 0:
            raise EvaluationError(f"The following format string is invalid: {text}")
        if not text.startswith("}", digits.end()):
            # `{0:N2}`, `{0x}`: the runner refuses, the service ignores what follows the digits.
            message = f"The following format string is invalid: {text}"
            raise EvaluationError(message, disputed=True)
        yield text[at:brace]
        yield to_text(_argument(text, digits.group(), values))
        at = digits.end() + 1


def _argument(text: str, digits: str, values: tuple[Value, ...]) -> Value:
    index = digits.lstrip("0") or "0"
    if len(index) > 3 or int(index) >= len(values):
        raise EvaluationError(
            "The following format string references more arguments than were supplied: " + text
        )
    return values[int(index)]


def to_json_(args: tuple[Value, ...], meter: Meter) -> str:
    """`toJSON(value)`."""
    return to_json(args[0], meter)


def from_json_(args: tuple[Value, ...], _meter: Meter) -> Value:
    """`fromJSON(text)`."""
    return from_json(to_text(args[0]))


def check_predicate(value: Value) -> bool:
    """Take a predicate of `case`, which must be a boolean and nothing like one."""
    if not isinstance(value, bool):
        raise EvaluationError("case predicate must evaluate to a boolean value")
    return value


def known(value: Value | Unknown) -> Value:
    """Pass a value on unless it is UNKNOWN."""
    if isinstance(value, Unknown):
        raise UnknownValueError(())
    return value


BUILTIN_FUNCTIONS: Final[dict[str, Builtin]] = {
    "contains": contains,
    "endswith": ends_with,
    "format": format_,
    "fromjson": from_json_,
    "join": join,
    "startswith": starts_with,
    "tojson": to_json_,
}

"""JSON out (`toJSON`) and in (`fromJSON`)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from json.encoder import encode_basestring

from grind.workflows.expressions.convert import MAX_NESTING, plain_text
from grind.workflows.expressions.errors import (
    DisputedValueError,
    EvaluationError,
    UnknownValueError,
)
from grind.workflows.expressions.memory import Meter
from grind.workflows.expressions.numbers import number_json
from grind.workflows.expressions.values import (
    Array,
    Object,
    Unknown,
    Value,
)

# Newtonsoft's reader, which the runner uses, refuses what is deeper.
MAX_JSON_DEPTH = 64
_ESCAPED_BY_ONE = re.compile("[\u0085\u2028\u2029]")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


def to_json(value: Value | Unknown, meter: Meter | None = None) -> str:
    """Give GitHub's `toJSON` text: two spaces a level, `[]` and `{}` when empty.

    Raises UnknownValueError, DisputedValueError (numbers with more than 15 digits, NaN, U+2028 …)
    or EvaluationError when it grows beyond the memory GitHub allows.
    """
    meter = meter or Meter()
    pieces: list[str] = []
    for piece in _pieces(value, 0):
        meter.count(piece)
        pieces.append(piece)
    return "".join(pieces)


def _pieces(value: Value | Unknown, depth: int) -> Iterator[str]:
    if isinstance(value, Array | Object):
        if depth > MAX_NESTING:
            raise EvaluationError(f"a value is nested more than {MAX_NESTING} levels deep")
        yield from _collection(value, depth)
    else:
        yield _scalar(value)


def _collection(value: Array | Object, depth: int) -> Iterator[str]:
    opened, closed = ("[", "]") if isinstance(value, Array) else ("{", "}")
    # An incomplete object is asked for its pairs even when empty: that raises.
    pairs = [("", item) for item in value] if isinstance(value, Array) else list(value.ordered())
    if not pairs:
        yield opened + closed
        return
    yield opened
    indent = "\n" + "  " * (depth + 1)
    for position, (key, item) in enumerate(pairs):
        yield (indent if position == 0 else "," + indent)
        if isinstance(value, Object):
            yield f"{_quoted(key)}: "
        yield from _pieces(item, depth + 1)
    yield "\n" + "  " * depth + closed


def _scalar(value: Value | Unknown) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_json(value)
    if isinstance(value, str):
        return _quoted(value)
    raise UnknownValueError(())


def _quoted(text: str) -> str:
    if _ESCAPED_BY_ONE.search(text):
        raise DisputedValueError("the escaping of U+0085, U+2028 and U+2029 in toJSON")
    return encode_basestring(text)


def from_json(text: str) -> Value:
    """Read JSON as `fromJSON` does, strictly.

    The runner's reader also takes comments, single quotes and text after the value; the language
    service does not, and neither do these lines: a refusal, where a guess might be wrong.
    """
    if not text.strip():
        raise EvaluationError("fromJSON was given an empty text")
    if _too_deep(text):
        message = f"Error parsing fromJSON: deeper than {MAX_JSON_DEPTH} levels"
        raise EvaluationError(message, disputed=True)
    try:
        return _Reader.decode(text)
    except ValueError as error:
        raise EvaluationError(f"Error parsing fromJSON: {error}") from None


def _too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_JSON_DEPTH:
        return False
    depth = 0
    for char in _STRING.sub("", text):
        if char in "[{":
            depth += 1
            if depth > MAX_JSON_DEPTH:
                return True
        elif char in "]}":
            depth -= 1
    return False


def _pairs(pairs: list[tuple[str, object]]) -> Object:
    if len({key for key, _ in pairs}) != len(pairs):
        raise DisputedValueError("JSON with the same key twice")
    made = Object((plain_text(key), _value(item)) for key, item in pairs)
    made.check_spellings()
    return made


def _value(item: object) -> Value:
    if isinstance(item, list):
        return Array(_value(each) for each in item)
    if isinstance(item, str):
        return plain_text(item)
    assert item is None or isinstance(item, bool | float | Object)
    return item


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


class _Reader:
    """The strict reader; objects arrive through the hook, arrays are converted on the way."""

    @staticmethod
    def decode(text: str) -> Value:
        parsed = json.loads(
            text,
            parse_int=_number,
            parse_float=_number,
            parse_constant=_no_constant,
            object_pairs_hook=_pairs,
        )
        return _value(parsed)


def _number(text: str) -> float:
    value = float(text)
    # .NET once threw on what does not fit a double; both read it as infinity now.
    return math.copysign(math.inf, value) if math.isinf(value) else value

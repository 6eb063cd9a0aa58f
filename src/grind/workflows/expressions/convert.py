"""Python data to values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grind.workflows.expressions.errors import DisputedValueError, EvaluationError
from grind.workflows.expressions.values import Array, Object, Unknown, Value

MAX_NESTING = 100


def from_python(obj: object) -> Value | Unknown:
    """Turn JSON-like Python data into a value; values pass through as they are.

    Integers become doubles. What is shared stays shared, so an alias bomb stays small. Raises
    EvaluationError for what JSON does not have, and for nesting beyond 100 levels (cycles too).
    """
    return _convert(obj, 0, {})


def _convert(obj: object, depth: int, seen: dict[int, tuple[object, Value]]) -> Value | Unknown:
    """Convert one level; `seen` keeps what it names alive, for a dead object's id is used again."""
    if obj is None or isinstance(obj, bool | Unknown | Object | Array):
        return obj
    if isinstance(obj, str):
        return plain_text(obj)
    if isinstance(obj, int | float):
        try:
            return float(obj)
        except OverflowError:
            raise EvaluationError("an integer is too large for a double") from None
    if depth >= MAX_NESTING:
        raise EvaluationError(f"a context is nested more than {MAX_NESTING} levels deep")
    done = seen.get(id(obj))
    if done is not None:
        return done[1]
    made: Value
    if isinstance(obj, Mapping):
        made = Object((_key(key), _convert(item, depth + 1, seen)) for key, item in obj.items())
    elif isinstance(obj, Sequence) and not isinstance(obj, bytes | bytearray):
        made = Array(_convert(item, depth + 1, seen) for item in obj)
    else:
        raise EvaluationError(f"a context holds a {type(obj).__name__}, which JSON does not have")
    seen[id(obj)] = (obj, made)
    return made


def settled(value: Value) -> Value:
    """Pass a value on unless an object in it holds a key in two spellings.

    Raises DisputedValueError then: the service would drop one of them.
    """
    if not isinstance(value, Array | Object):
        return value
    seen: set[int] = set()
    stack: list[Value | Unknown] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Array | Object) and id(item) not in seen:
            seen.add(id(item))
            if isinstance(item, Object):
                item.check_spellings()
                stack.extend(each for _, each in item.items())
            else:
                stack.extend(item)
    return value


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise EvaluationError(f"a context has a key that is no string: {key!r}")
    return plain_text(key)


def plain_text(text: str) -> str:
    """Make a plain `str` of it; half a surrogate pair has no text that could be written."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise DisputedValueError("a text with half a surrogate pair") from None
    return str(text)

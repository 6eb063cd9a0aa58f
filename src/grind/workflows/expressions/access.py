"""`.name`, `[index]` and `.*`, as the runner's Index operator answers them."""

from __future__ import annotations

from grind.workflows.expressions.compare import to_number
from grind.workflows.expressions.errors import UnknownValueError
from grind.workflows.expressions.memory import Meter
from grind.workflows.expressions.nodes import Call, Context, Index, Literal, Node
from grind.workflows.expressions.values import (
    Array,
    FilteredArray,
    Object,
    Unknown,
    Value,
    is_primitive,
    kind,
    to_text,
)

_MAX_INDEX = 2**31 - 1


def star(target: Value, meter: Meter) -> FilteredArray:
    """`target.*`: its items or values; on a filtered array those of each item.

    Raises UnknownValueError when one of them is UNKNOWN, EvaluationError past the memory limit.
    """
    meter.start()
    found: list[Value | Unknown] = []
    for item in target if isinstance(target, FilteredArray) else (target,):
        members = _members(item)
        # A value that is shared many times over multiplies here: stop it before it does.
        meter.count_items(len(members))
        found.extend(members)
    if any(isinstance(each, Unknown) for each in found):
        raise UnknownValueError(())
    return FilteredArray(found)


def _members(value: Value | Unknown) -> list[Value | Unknown]:
    if isinstance(value, Object):
        return [item for _, item in value.ordered()]
    return list(value) if isinstance(value, Array) else []


def from_each(items: FilteredArray, key: Value) -> FilteredArray:
    """Apply an index to each item; those that do not have it are left out."""
    found = FilteredArray()
    for item in items:
        if isinstance(item, Object):
            if not is_primitive(key):
                continue
            text = to_text(key)
            if text in item:
                found.append(item[text])
            elif not item.complete:
                raise UnknownValueError(())
        elif isinstance(item, Array):
            at = _position(key)
            if at is not None and at < len(item):
                found.append(item[at])
    if any(isinstance(each, Unknown) for each in found):
        raise UnknownValueError(())
    return found


def item_at(items: Array, key: Value) -> Value | Unknown:
    """`items[key]`: the key as a number, rounded down; null outside the array."""
    at = _position(key)
    return items[at] if at is not None and at < len(items) else None


def _position(key: Value) -> int | None:
    number = to_number(key)
    return int(number) if 0 <= number <= _MAX_INDEX else None


def path_of(node: Node) -> tuple[str | None, ...]:
    """Give the path a chain of indexes names: None for a star or a computed index."""
    parts: list[str | None] = []
    while isinstance(node, Index):
        index = node.index
        fixed = isinstance(index, Literal) and kind(index.value) in ("String", "Number")
        parts.append(to_text(index.value) if fixed and isinstance(index, Literal) else None)
        node = node.target
    if isinstance(node, Context):
        parts.append(node.name.lower())
    elif isinstance(node, Call):
        parts.append(f"{node.name}()")
    return tuple(reversed(parts))

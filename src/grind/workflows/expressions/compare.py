"""`==` and `<` with GitHub's coercions.

Of two kinds that differ, null and booleans become numbers, and a string beside a number becomes
one; arrays and objects are equal to themselves only (EvaluationResult.cs, AbstractEqual).
"""

from __future__ import annotations

import math

from grind.workflows.expressions import folding
from grind.workflows.expressions.numbers import parse_number
from grind.workflows.expressions.values import Array, Object, Value


def to_number(value: Value) -> float:
    """Coerce a value to a number; NaN for arrays, objects and texts that are none."""
    if isinstance(value, str):
        return parse_number(value)
    if value is None:
        return 0.0
    if isinstance(value, Array | Object):
        return math.nan
    return float(value)


def equals(left: Value, right: Value) -> bool:
    """Whether `left == right` in an expression. NaN equals nothing."""
    if isinstance(left, str) and isinstance(right, str):
        return folding.equal(left, right)
    if isinstance(left, Array | Object) or isinstance(right, Array | Object):
        return left is right
    if left is None and right is None:
        return True
    return to_number(left) == to_number(right)


def order(left: Value, right: Value) -> int | None:
    """Order two values: -1, 0, 1, or None when they have no order (NaN, objects, null, null)."""
    if isinstance(left, str) and isinstance(right, str):
        return folding.compare(left, right)
    if isinstance(left, Array | Object) or isinstance(right, Array | Object):
        return None
    if left is None and right is None:
        return None
    a, b = to_number(left), to_number(right)
    if a != a or b != b:
        return None
    return (a > b) - (a < b)


def greater(left: Value, right: Value) -> bool:
    """Whether `left > right`."""
    return order(left, right) == 1


def less(left: Value, right: Value) -> bool:
    """Whether `left < right`."""
    return order(left, right) == -1

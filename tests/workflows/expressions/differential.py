"""Compare our answer with GitHub's, and name the ways in which they may differ."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Any

from grind.workflows.expressions import (
    Array,
    EvaluationError,
    ExpressionError,
    Object,
    Value,
    evaluate,
    kind,
)

_STRING = re.compile(r"'(?:[^']|'')*'")
_POSITION = re.compile(r"Located at position (\d+) within")


def compare(request: dict[str, Any], theirs: dict[str, Any], counts: Counter[str]) -> str | None:
    """None when we agree (or refuse for a named reason); else what the difference is."""
    source = request["expr"]
    if any(text[1:-1].count("''") > 1 for text in _STRING.findall(source)):
        counts["skipped: a quote doubled twice, which the service reads once"] += 1
        return None
    ours = answer(request)
    if isinstance(ours, ExpressionError) and ours.disputed:
        counts["refused"] += 1
        return None
    difference = _difference(source, ours, theirs)
    if difference and "case" in source.lower():
        counts["compared with an eager case"] += 1
        eager = answer(request, {"case": eager_case})
        if isinstance(eager, ExpressionError) and eager.disputed:
            return None
        difference = _difference(source, eager, theirs)
    counts["error" if "error" in theirs else "value"] += 1
    return difference


def answer(request: dict[str, Any], functions: dict[str, Any] | None = None) -> Any:
    try:
        return evaluate(request["expr"], request["contexts"], functions)
    except ExpressionError as error:
        return error


def eager_case(*args: Value) -> Value:
    """`case` as the service has it: every argument is evaluated."""
    for predicate, result in zip(args[0:-1:2], args[1:-1:2], strict=True):
        if not isinstance(predicate, bool):
            raise EvaluationError("case predicate must evaluate to a boolean value")
        if predicate:
            return result
    return args[-1]


def _difference(source: str, ours: Any, theirs: dict[str, Any]) -> str | None:
    error = theirs.get("error")
    if isinstance(ours, ExpressionError):
        if error is None:
            return f"we raise {ours.kind}: {ours.message}; GitHub answers {theirs}"
        if error["class"] != ours.kind:
            return f"we raise {ours.kind}: {ours.message}; GitHub {error}"
        return _misplaced(source, ours, error)
    if error is not None:
        return f"we answer {ours!r}; GitHub raises {error}"
    if kind(ours) != theirs["kind"] or not same(ours, theirs["value"]):
        return f"we answer {ours!r}; GitHub {theirs}"
    return None


def _misplaced(source: str, ours: ExpressionError, error: dict[str, Any]) -> str | None:
    """Positions must be the same where the service has one that counts from the same place."""
    if "\n" in source or not all(char <= "\uffff" for char in source):
        return None
    if "'EOF'" in error["message"] or "max expression depth" in error["message"]:
        return None
    found = _POSITION.search(error["message"])
    position = int(found.group(1)) - 1 if found and error["class"] == "lexing" else None
    position = error.get("column", position)
    if position is None or position == ours.position:
        return None
    return f"we place it at {ours.position}, GitHub at {position}: {error['message']}"


def same(ours: object, theirs: Any) -> bool:
    if isinstance(ours, Array):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(ours, Object):
        # The order of keys is compared where the language shows it: in toJSON and `.*`.
        pairs, others = dict(ours.items()), dict(theirs["o"])
        return pairs.keys() == others.keys() and all(same(pairs[k], others[k]) for k in pairs)
    if isinstance(ours, float):
        if not isinstance(theirs, dict):
            return False
        number = float(theirs["n"].replace("Infinity", "inf"))
        return (number != number and ours != ours) or (
            number == ours and math.copysign(1, number) == math.copysign(1, ours)
        )
    return type(ours) is type(theirs) and ours == theirs

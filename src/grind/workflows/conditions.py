"""What an `if:` means for the queue: the statuses of the job for which a step would run.

A condition is a function of the job's status (success, failure, cancelled) and of values. When
the values are known, evaluating it once for each status says all there is to say, and the host can
decide by itself, without asking back, whether a queued step runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from grind.core.task import Condition
from grind.workflows.expressions import evaluate, implicit_success, truthy

STATUSES = ("success", "failure", "cancelled")

_QUEUEABLE: dict[frozenset[str], Condition] = {
    frozenset({"success"}): Condition.SUCCESS,
    frozenset({"failure"}): Condition.FAILURE,
    frozenset({"cancelled"}): Condition.CANCELLED,
    frozenset({"success", "failure"}): Condition.NOT_CANCELLED,
    frozenset(STATUSES): Condition.ALWAYS,
}


def status_functions(status: str) -> dict[str, Callable[..., bool]]:
    """Return GitHub's status functions as they answer while the job's status is `status`."""
    return {
        "success": lambda: status == "success",
        "failure": lambda: status == "failure",
        "cancelled": lambda: status == "cancelled",
        "always": lambda: True,
    }


def statuses(
    source: str,
    contexts: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> frozenset[str]:
    """Return the job statuses for which a step with `if: source` runs.

    An empty source is `success()`. Raises ExpressionError; UnknownValueError among them when the
    answer depends on a value that is not known yet.
    """
    if not source.strip():
        return frozenset({"success"})
    expression = implicit_success(source)
    return frozenset(
        status
        for status in STATUSES
        if truthy(evaluate(expression, contexts, {**(functions or {}), **status_functions(status)}))
    )


def queueable(when: frozenset[str]) -> Condition | None:
    """Return the condition a host can decide by itself, or None when it must be asked later.

    The empty set has no condition either: such a step never runs.
    """
    return _QUEUEABLE.get(when)

"""What an `if:` means for the queue: the statuses of the job for which a step would run.

A condition is a function of the job's status (success, failure, cancelled) and of values. When
the values are known, evaluating it once for each status says all there is to say, and the host can
decide by itself, without asking back, whether a queued step runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from grind.core.task import Condition
from grind.workflows.expressions import Node, UnknownValueError, evaluate, truthy
from grind.workflows.expressions import condition as condition_of
from grind.workflows.memo import Memo

STATUSES = ("success", "failure", "cancelled")

_HOLDS: dict[Condition, frozenset[str]] = {
    Condition.SUCCESS: frozenset({"success"}),
    Condition.FAILURE: frozenset({"failure"}),
    Condition.CANCELLED: frozenset({"cancelled"}),
    Condition.NOT_CANCELLED: frozenset({"success", "failure"}),
    Condition.ALWAYS: frozenset(STATUSES),
}
_QUEUEABLE = {statuses: condition for condition, statuses in _HOLDS.items()}


class Answer(NamedTuple):
    """A condition that is decided; None when the step does not run."""

    condition: Condition | None


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
    memo: Memo | None = None,
) -> frozenset[str]:
    """Return the job statuses for which a step with `if: source` runs.

    An empty source is `success()`. Raises ExpressionError; UnknownValueError among them when the
    answer depends on a value that is not known yet. `memo` remembers sources that were parsed.
    """
    if not source.strip():
        return frozenset({"success"})
    node = memo(condition_of, source) if memo else condition_of(source)
    return frozenset(s for s in STATUSES if _runs(node, s, contexts, functions))


def condition_for(
    source: str,
    contexts: Mapping[str, Any],
    status: str | None,
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> Answer | None:
    """Decide an `if:` as far as it can be decided before the step's turn.

    `status` is the job's status when nothing is running before the step, None when something is.
    None as the answer: it can be decided later only. Raises as `statuses`.
    """
    try:
        when = statuses(source, contexts, functions)
    except UnknownValueError:
        if status is None:
            raise
        # What is not known does not matter where the status alone decides.
        runs = _runs(condition_of(source), status, contexts, functions)
        when = frozenset({status} if runs else ())
    if status is not None and status not in when:
        return Answer(None)
    found = queueable(when)
    if found is None and when:
        if status is None:
            return None
        found = Condition.ALWAYS if "cancelled" in when else Condition.NOT_CANCELLED
    return Answer(found)


def queueable(when: frozenset[str]) -> Condition | None:
    """Return the condition a host can decide by itself, or None when it must be asked later.

    The empty set has no condition either: such a step never runs.
    """
    return _QUEUEABLE.get(when)


def holds(condition: Condition, status: str) -> bool:
    """Whether a queued step with this condition runs in a job with this status."""
    return status in _HOLDS[condition]


def _runs(
    node: Node,
    status: str,
    contexts: Mapping[str, Any],
    functions: Mapping[str, Callable[..., Any]] | None = None,
) -> bool:
    return truthy(evaluate(node, contexts, {**(functions or {}), **status_functions(status)}))

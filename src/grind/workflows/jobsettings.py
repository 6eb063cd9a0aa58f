"""A job's own keys that may be known only when it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grind.core.plan import JobPlan
from grind.workflows.expressions import ExpressionError, truthy
from grind.workflows.scope import Scope

DEFAULT_TIMEOUT = 360.0
"""Minutes that GitHub gives a job without `timeout-minutes`."""


def job_minutes(plan: JobPlan, contexts: Mapping[str, Any]) -> float:
    """Return a job's `timeout-minutes`. Raises ExpressionError, ValueError."""
    value: Any = plan.timeout_minutes
    if isinstance(value, str):
        value = Scope(contexts).value(value)
    if value is None:
        return DEFAULT_TIMEOUT
    if isinstance(value, bool) or not isinstance(value, float | int):
        raise ValueError(f"{value!r} is no number")
    return float(value) if 0 < value < DEFAULT_TIMEOUT * 1000 else DEFAULT_TIMEOUT


def is_forgiven(plan: JobPlan, contexts: Mapping[str, Any]) -> bool:
    """Return whether a failure of the job fails the run: its `continue-on-error`."""
    value = plan.continue_on_error
    if isinstance(value, bool):
        return value
    try:
        return truthy(Scope(contexts).value(value))
    except ExpressionError:
        return False  # not known to be forgiven: a failure stays one

"""When a job of a workflow starts: `needs`, its `if:`, and what became of the others. Pure.

`needs` is transitive for the status functions: `success()` of a job is false when any job that it
needs, directly or not, was skipped, cancelled or failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from grind.core.plan import JobPlan
from grind.workflows.expressions import (
    UNKNOWN,
    ExpressionError,
    UnknownValueError,
    evaluate,
    implicit_success,
    truthy,
)


class JobResult(NamedTuple):
    """What became of one job: success, failure, cancelled, skipped, refused or unproven.

    `unproven` is a job that grind never executes, such as a deployment.
    """

    conclusion: str
    outputs: Mapping[str, Any]
    forgiven: bool = False
    """Failed under the job's `continue-on-error`."""


class Start(NamedTuple):
    """Start the job, with its `needs` context."""

    needs: dict[str, Any]


class Leave(NamedTuple):
    """Do not start the job: `conclusion` is skipped or refused."""

    conclusion: str
    reason: str


def decide(
    job: JobPlan,
    siblings: Mapping[str, tuple[JobPlan, ...]],
    results: Mapping[str, JobResult],
    contexts: Mapping[str, Any],
    *,
    cancelled: bool = False,
) -> Start | Leave:
    """Say whether `job` starts, all that it needs being over.

    `siblings` are the plans of the workflow's jobs by id; `results` are by plan key.
    """
    direct = {need: _combined(siblings.get(need, ()), results) for need in job.needs}
    all_needed = [_combined(siblings.get(i, ()), results) for i in _transitive(job, siblings)]
    foreign = [r for r in all_needed if r.conclusion in ("refused", "unproven")]
    needs = {
        name: UNKNOWN
        if result.conclusion in ("refused", "unproven")
        else {"result": result.conclusion, "outputs": dict(result.outputs)}
        for name, result in direct.items()
    }
    functions = {
        "success": lambda: _known(foreign, all(r.conclusion == "success" for r in all_needed)),
        "failure": lambda: any(r.conclusion == "failure" for r in all_needed),
        "cancelled": lambda: cancelled,
        "always": lambda: True,
    }
    source = implicit_success(job.if_) if job.if_.strip() else "success()"
    try:
        answer = evaluate(source, {**contexts, "needs": needs}, functions)
        if truthy(answer):
            return Start(needs)
    except UnknownValueError as error:
        if not foreign:
            return Leave("refused", f"if: {error}")
        return Leave("refused", "a job that it needs is not run here")
    except ExpressionError as error:
        return Leave("refused", f"if: {error}")
    if job.if_.strip():
        return Leave("skipped", f"if: {job.if_} is false")
    return Leave("skipped", "a job that it needs did not succeed")


def _known(foreign: list[JobResult], value: bool) -> bool:
    if foreign:
        raise UnknownValueError(("needs",))
    return value


def _combined(plans: tuple[JobPlan, ...], results: Mapping[str, JobResult]) -> JobResult:
    """One result for all combinations of a job's matrix, as `needs.<id>.result` has it."""
    found = [results[plan.key] for plan in plans if plan.key in results]
    if not found:
        return JobResult("skipped", {})
    outputs: dict[str, Any] = {}
    for result in found:  # later combinations win, but an empty value does not overwrite
        for name, value in result.outputs.items():
            if value != "" or name not in outputs:
                outputs[name] = value
    conclusions = [r.conclusion if not r.forgiven else "success" for r in found]
    for worst in ("failure", "cancelled", "refused", "unproven"):
        if worst in conclusions:
            return JobResult(worst, outputs)
    if all(c == "skipped" for c in conclusions):
        return JobResult("skipped", outputs)
    return JobResult("success", outputs)


def _transitive(job: JobPlan, siblings: Mapping[str, tuple[JobPlan, ...]]) -> list[str]:
    found: dict[str, None] = {}
    pending = list(job.needs)
    while pending:
        name = pending.pop(0)
        if name in found:
            continue
        found[name] = None
        for plan in siblings.get(name, ())[:1]:
            pending += plan.needs
    return list(found)

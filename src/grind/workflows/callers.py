"""Jobs of called workflows while a plan runs: whether their callers start, and with what inputs.

A called workflow's jobs are jobs of the plan like any others. Before one of them starts, each job
that calls its workflow must, from the outside in; the calling job itself is over when they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grind.core.plan import Caller, CallInput, JobPlan
from grind.workflows import contexts as ctx
from grind.workflows.contexts import Situation
from grind.workflows.expressions import (
    UNKNOWN,
    EvaluationError,
    ExpressionError,
    UnknownValueError,
    to_text,
)
from grind.workflows.jobgraph import JobResult, Leave, combined, decide
from grind.workflows.scope import Scope

_NOT_RUN_HERE = ("refused", "unproven")


def contexts_of(
    job: JobPlan,
    siblings: Mapping[str, tuple[JobPlan, ...]],
    results: Mapping[str, JobResult],
    situation: Situation,
) -> dict[str, Any] | Leave:
    """Return the contexts of a job but for `needs`, or why a caller of its workflow leaves it.

    `siblings` are the plans of the workflow's jobs by id; `results` are by plan key.
    """
    inputs = ctx.inputs(situation)
    for caller in job.callers:
        known = _static(job, caller, situation, caller.job, inputs)
        decision = decide(caller, siblings, results, known)
        if isinstance(decision, Leave):
            reason = f"the job `{caller.id}`, which calls its workflow, does not start"
            return Leave(decision.conclusion, f"{reason}: {decision.reason}")
        try:
            inputs = input_values(caller, {**known, "needs": decision.needs})
        except ExpressionError as error:
            return Leave("refused", f"what `{caller.id}` hands over: {error}")
    return _static(job, job, situation, job.own_id, inputs)


def input_values(caller: Caller, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `inputs` of the workflow that a job calls, with their types.

    What is not known is UNKNOWN. Raises ExpressionError, also for a value of another type.
    """
    return {one.name: _value(one, known) for one in caller.inputs}


def called_result(
    job: JobPlan,
    siblings: Mapping[str, tuple[JobPlan, ...]],
    results: Mapping[str, JobResult],
    known: Mapping[str, Any],
) -> JobResult:
    """Return what a calling job comes to once all jobs that it calls are over.

    `known` are its own contexts, with `needs`. Where every job was skipped, nobody knows.
    """
    ended = {
        name: combined(results[plan.key] for plan in siblings.get(id_, ()) if plan.key in results)
        for name, id_ in job.inner.items()
    }
    jobs = {
        name: UNKNOWN
        if result.conclusion in _NOT_RUN_HERE
        else {"result": result.conclusion, "outputs": dict(result.outputs)}
        for name, result in ended.items()
    }
    words = {result.conclusion for result in ended.values()}
    worst = next((w for w in ("failure", "cancelled", "refused", "unproven") if w in words), "")
    if not worst and words <= {"skipped"}:
        worst = "refused"
    outputs: dict[str, Any] = {}
    try:
        inputs = input_values(job.call, known) if job.call is not None else {}
    except ExpressionError:
        inputs = {}
    scope = Scope(
        {"github": known["github"], "inputs": inputs, "vars": ctx.variables(), "jobs": jobs}
    )
    for name, template in job.outputs.items():
        try:
            outputs[name] = scope.text(template)
        except ExpressionError:
            outputs[name] = UNKNOWN
    return JobResult(worst or "success", outputs)


def _static(
    job: JobPlan, at: JobPlan | Caller, situation: Situation, name: str, inputs: Any
) -> dict[str, Any]:
    return {
        "github": ctx.github(
            situation, workflow=job.workflow_name, workflow_path=job.workflow, job=name, extra={}
        ),
        "inputs": inputs,
        "vars": ctx.variables(),
        "matrix": at.matrix,
        "strategy": ctx.strategy(
            index=at.strategy_index,
            total=at.strategy_total,
            fail_fast=at.fail_fast,
            max_parallel=at.max_parallel,
        ),
    }


def _value(one: CallInput, known: Mapping[str, Any]) -> Any:
    if not one.open:
        return one.value
    try:
        value = Scope(known).value(one.value)
    except UnknownValueError:
        return UNKNOWN
    if one.type == "string":
        return to_text(value)
    right = isinstance(value, bool) if one.type == "boolean" else _is_number(value)
    if not right:
        raise EvaluationError(f"{to_text(value)!r} is no {one.type}, which {one.name!r} is")
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

"""What a job's `needs` and `if:` say of it before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from grind.core.plan import JobPlan, StepClass, Verdict
from grind.workflows.expressions import UNKNOWN, ExpressionError
from grind.workflows.job_inputs import JobInputs, job_scope
from grind.workflows.jobgraph import Gated, own_id, starts, transitive
from grind.workflows.judge_job import all_steps

_OPEN = "open"
"""The conclusion of a job that has not run: none of GitHub's words, so what hangs on it is open."""


def after_needs(
    plan: JobPlan, by_id: Mapping[str, tuple[JobPlan, ...]], inputs: JobInputs
) -> JobPlan:
    """Return the plan of a job whose needs are lowered already.

    It is not active when its condition is false whatever the jobs that it needs come to. A job that
    needs one that is never executed here cannot be executed here either.
    """
    if not plan.active:
        return plan
    siblings = {**by_id, plan.id: (plan,)}
    within = inputs.within
    for caller, known in zip(within.callers, within.gates, strict=True) if within else ():
        skipped = _held_back(caller, siblings, known)
        if skipped is not None:
            held = _held(plan, caller.if_, skipped)
            return replace(held, reason=f"`{caller.id}`, which calls its workflow: {held.reason}")
    skipped = _held_back(plan, siblings, job_scope(inputs, plan.own_id).contexts)
    if skipped is not None:
        return _held(plan, plan.if_, skipped)
    if plan.verdict in (Verdict.REFUSED, Verdict.SKIPPED):
        return plan
    for need in (*(need for caller in plan.callers for need in caller.needs), *plan.needs):
        needed = by_id.get(need, ())
        # What is left to CI of a matrix is believed to be well there, but never on its own.
        for other in [one for one in needed if not one.left] or needed:
            if other.active and other.verdict is Verdict.SKIPPED:
                return _with_the_deployment(plan, other)
    return plan


def _held_back(
    job: Gated, siblings: Mapping[str, tuple[JobPlan, ...]], contexts: Mapping[str, Any]
) -> list[str] | None:
    """Return the jobs it needs that CI skips, when it starts in no case; None when it may start."""
    conclusions = {name: _conclusion(siblings.get(name, ())) for name in transitive(job, siblings)}
    needs = {
        own_id(name, siblings): {"result": "skipped", "outputs": {}}
        if conclusions[name] == "skipped"
        else UNKNOWN
        for name in job.needs
    }
    try:
        if not starts(job.if_, conclusions.values(), needs, contexts):
            return [n for n, word in conclusions.items() if word == "skipped"]
    except ExpressionError:
        pass  # open, or refused already
    return None


def _conclusion(plans: tuple[JobPlan, ...]) -> str:
    return _OPEN if any(plan.active for plan in plans) else "skipped"


def _held(plan: JobPlan, if_: str, skipped: list[str]) -> JobPlan:
    reason = f"needs `{skipped[0]}`, which CI skips too" if skipped else "as in CI"
    if if_.strip():
        reason = f"if: {if_} is false, as in CI"
    held = all_steps(plan, Verdict.SKIPPED, reason, gating=False, active=False)
    return replace(held, held=True)


def _with_the_deployment(plan: JobPlan, other: JobPlan) -> JobPlan:
    reason = f"needs `{other.id}`, which is never executed here ({other.reason})"
    klass = StepClass.DEPLOY if other.klass is StepClass.DEPLOY else plan.klass
    return replace(all_steps(plan, Verdict.SKIPPED, reason), klass=klass)

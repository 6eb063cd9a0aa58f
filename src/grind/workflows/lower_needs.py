"""What a job's `needs` and `if:` say of it before anything runs."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from grind.core.plan import JobPlan, StepClass, Verdict
from grind.workflows.expressions import UNKNOWN, ExpressionError
from grind.workflows.jobgraph import starts, transitive
from grind.workflows.judge_job import all_steps
from grind.workflows.lower_job import JobInputs, job_scope

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
    conclusions = {name: _conclusion(siblings.get(name, ())) for name in transitive(plan, siblings)}
    needs = {
        name: {"result": "skipped", "outputs": {}} if conclusions[name] == "skipped" else UNKNOWN
        for name in plan.needs
    }
    contexts = job_scope(inputs, plan.id).contexts
    try:
        if not starts(plan.if_, conclusions.values(), needs, contexts):
            return _held(plan, [n for n, word in conclusions.items() if word == "skipped"])
    except ExpressionError:
        pass  # open, or refused already
    if plan.verdict in (Verdict.REFUSED, Verdict.SKIPPED):
        return plan
    for need in plan.needs:
        for other in by_id.get(need, ()):
            if other.active and other.verdict is Verdict.SKIPPED:
                return _with_the_deployment(plan, other)
    return plan


def _conclusion(plans: tuple[JobPlan, ...]) -> str:
    return _OPEN if any(plan.active for plan in plans) else "skipped"


def _held(plan: JobPlan, skipped: list[str]) -> JobPlan:
    reason = f"needs `{skipped[0]}`, which CI skips too" if skipped else "as in CI"
    if plan.if_.strip():
        reason = f"if: {plan.if_} is false, as in CI"
    held = all_steps(plan, Verdict.SKIPPED, reason, gating=False, active=False)
    return replace(held, held=True)


def _with_the_deployment(plan: JobPlan, other: JobPlan) -> JobPlan:
    reason = f"needs `{other.id}`, which is never executed here ({other.reason})"
    klass = StepClass.DEPLOY if other.klass is StepClass.DEPLOY else plan.klass
    return replace(all_steps(plan, Verdict.SKIPPED, reason), klass=klass)

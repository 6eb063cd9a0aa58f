"""The verdict on a whole job, from what its steps and its machine are."""

from __future__ import annotations

from msgspec.structs import replace

from grind.core.plan import JobPlan, StepClass, StepPlan, Verdict
from grind.workflows.jobenv import layered
from grind.workflows.scope import Scope


def judge_job(
    plan: JobPlan,
    scope: Scope,
    *,
    inactive: str | None,
    environment: str | None,
    refusal: tuple[str, str] | None,
) -> JobPlan:
    """Give a whole job its verdict.

    `inactive` says why CI would not run it, `environment` what it deploys to, `refusal` why this
    host cannot run it, with the remedy; None where that is not so.
    """
    if inactive is not None:
        return all_steps(plan, Verdict.SKIPPED, inactive, gating=False, active=False)
    if environment is not None:
        reason = f"deploys to environment {environment!r}: shown, never executed"
        return all_steps(replace(plan, klass=StepClass.DEPLOY), Verdict.SKIPPED, reason)
    deploys = next((step for step in plan.steps if _deploys(step)), None)
    if deploys is not None:
        reason = f"has a deploy step (line {deploys.line}: {deploys.reason}): never executed"
        return all_steps(plan, Verdict.SKIPPED, reason)
    refusal = refusal or _environment_problem(plan, scope)
    if refusal is not None and not _settled_by_rules(plan):
        return all_steps(plan, Verdict.REFUSED, refusal[0], remedy=refusal[1])
    refused = next((step for step in plan.steps if step.verdict is Verdict.REFUSED), None)
    if refused is not None:
        return replace(
            plan,
            verdict=Verdict.REFUSED,
            reason=f"step at line {refused.line}: {refused.reason}",
            remedy=refused.remedy,
        )
    return plan


def _settled_by_rules(plan: JobPlan) -> bool:
    """Whether grind.toml takes care of every step, so that the job needs nothing of its own."""
    return bool(plan.steps) and all(s.verdict is Verdict.OVERRIDDEN or s.held for s in plan.steps)


def _environment_problem(plan: JobPlan, scope: Scope) -> tuple[str, str] | None:
    """A variable of the job that will never be known makes every step another one than CI's."""
    _, problem = layered(plan, scope.contexts, planning=True, memo=scope.memo)
    return (problem, "") if problem else None


def _deploys(step: StepPlan) -> bool:
    """Whether CI would reach a deploy step that grind.toml does not take care of."""
    settled = step.verdict in (Verdict.EXECUTED, Verdict.OVERRIDDEN)
    return step.klass is StepClass.DEPLOY and not settled and not step.held


def all_steps(
    plan: JobPlan,
    verdict: Verdict,
    reason: str,
    *,
    remedy: str = "",
    gating: bool | None = None,
    active: bool = True,
) -> JobPlan:
    """Give a whole job, and every step of it, one verdict."""
    steps = tuple(
        replace(
            step,
            verdict=verdict,
            reason=reason,
            remedy=remedy,
            gating=step.gating if gating is None else gating,
            recipe=None,
        )
        for step in plan.steps
    )
    return replace(plan, verdict=verdict, reason=reason, remedy=remedy, steps=steps, active=active)

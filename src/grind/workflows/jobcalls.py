"""Into the composite actions that a running job's steps call, and out of them again. Pure."""

from __future__ import annotations

from grind.core.plan import StepPlan, Verdict
from grind.workflows.jobframes import Frame, handed_over, outputs_of, own_env
from grind.workflows.jobstate import Ask, JobState
from grind.workflows.moves import StepResult
from grind.workflows.scope import Scope
from grind.workflows.tasks import continues_on_error, minutes


def enter(job: JobState, step: StepPlan, scope: Scope) -> None:
    """Go on with the steps of the action that a step calls.

    Raises ExpressionError, and Ask when the host must be asked first.
    """
    inputs, env = handed_over(step, scope), own_env(step, job.scope())
    forgiving = continues_on_error(step, scope)
    if job.asked is not None:
        raise Ask
    frame = Frame(
        step,
        inputs,
        env,
        workspace=job.workspace,
        forgiving=forgiving,
        limit=minutes(step, scope),
        outer=job.memory.frame,
        job=job.status,
    )
    job.memory.frames.append(frame)


def leave(job: JobState) -> StepResult:
    """Every step of the innermost action has its result; return that of the step that calls it."""
    frame = job.memory.frames[-1]
    outputs = outputs_of(frame, job.scope())
    outcome = job.current
    job.memory.frames.pop()
    step = frame.caller
    if job.refused is not None:
        at = job.refused.step
        reason = f"{at.file or 'line'}:{at.line}: {job.refused.reason}"
        job.memory.left_out(step)
        return StepResult(step, Verdict.REFUSED, "skipped", "skipped", reason, step.gating)
    if any(limit < frame.spent for limit in frame.limits) and outcome == "success":
        outcome, frame.reason = "failure", "timed out"
    conclusion = "success" if frame.forgiving and outcome == "failure" else outcome
    job.memory.called(step, outcome, conclusion, outputs)
    if conclusion == "failure":
        job.fail(frame.reason)
        job.apart = job.apart or not frame.plain
    why = frame.reason or ("" if outcome != "success" else f"the steps of {frame.file}")
    return StepResult(step, Verdict.EXECUTED, outcome, conclusion, why, step.gating)

"""What becomes of the next step of a running job: queued, entered, settled, refused. Pure.

Every function may raise Later, when something must end first, and Ask, when the host must be asked.
"""

from __future__ import annotations

from grind.core.plan import StepPlan, Verdict
from grind.core.task import Condition
from grind.workflows.conditions import condition_for, holds
from grind.workflows.expressions import ExpressionError, UnknownValueError
from grind.workflows.jobcalls import enter
from grind.workflows.jobstate import Ask, JobState, Later, Queued, skipped, unreached, why_not
from grind.workflows.moves import Move, Queue, Settle, StepResult
from grind.workflows.scope import Scope
from grind.workflows.tasks import continues_on_error, control_task, make_task


def next_move(job: JobState, step: StepPlan) -> Move | None:
    """Return what becomes of a step; None when the steps of its action are next."""
    if job.queued and not _may_queue(job, step):
        raise Later
    if step.parent in job.not_entered:
        move: Move | None = _pass_over(job, step)
    else:
        move = _decide(job, step)
    if move is not None and step.call is not None:
        job.not_entered.add(step.index)
    return move


def _may_queue(job: JobState, step: StepPlan) -> bool:
    """Whether a step can be queued while others have not ended."""
    frame = job.memory.frame
    return step.call is None and (frame is None or frame.plain)


def _pass_over(job: JobState, step: StepPlan) -> Move:
    """A step of an action that is not called."""
    caller = job.results[step.parent if step.parent is not None else -1]
    reason = caller.reason or "its action is not called"
    result = StepResult(step, Verdict.SKIPPED, "skipped", "skipped", reason, gating=False)
    return Settle(job.record(result))


def _decide(job: JobState, step: StepPlan) -> Move | None:
    if job.refused is not None:
        reason = f"not reached: the step at line {job.refused.step.line} is refused"
        job.memory.skipped(step)
        return Settle(job.record(unreached(step, reason)))
    if job.problem:
        return _refuse(job, step, job.problem)
    if step.verdict is Verdict.SKIPPED:
        return Settle(job.record(_left_out(job, step)))
    if step.control and step.verdict is not Verdict.REFUSED:
        return _control(job, step)
    try:
        scope = job.scope().having_env(step.source.env)
        condition = _condition(job, step, scope)
        if condition is None:
            return Settle(job.record(skipped(job, step, why_not(job, step))))
    except UnknownValueError as error:
        return _unknown(job, step, f"if: {error}")
    except ExpressionError as error:
        return _refuse(job, step, f"if: {error}")
    if step.call is not None:
        return _called(job, step, scope)
    if step.verdict is Verdict.REFUSED:
        return _refuse(job, step, step.reason)
    if step.recipe is not None and step.recipe.kind == "nothing":
        return _nothing_to_do(job, step, condition)
    return _task(job, step, condition, scope)


def _condition(job: JobState, step: StepPlan, scope: Scope) -> Condition | None:
    """Say when the step runs, as far as the host must decide it; None when it does not.

    Raises ExpressionError when the step cannot be decided.
    """
    if job.apart and job.queued:
        raise Later
    status = None if job.queued else job.current
    answer = condition_for(step.source.if_, scope.values, status, scope.functions)
    if answer is None:
        raise Later
    if job.apart and answer.condition is Condition.FAILURE:
        return Condition.NOT_CANCELLED
    return answer.condition


def _control(job: JobState, step: StepPlan) -> Move:
    """A step that waits for others or ends them; it runs whatever has failed."""
    try:
        forgiving = continues_on_error(step, job.scope())
    except UnknownValueError as error:
        return _unknown(job, step, f"continue-on-error: {error}")
    except ExpressionError as error:
        return _refuse(job, step, f"continue-on-error: {error}")
    targets = job.beside.on_host(step.targets)
    if not targets:
        if job.queued:
            raise Later
        job.beside.told(step.targets)
        job.memory.ran(step, "success", "success", {}, {})
        why = "nothing is in the background"
        done = StepResult(step, step.verdict, "success", "success", why, step.gating)
        return Settle(job.record(done))
    job.queue(Queued(step, Condition.ALWAYS, forgiving))
    return Queue(control_task(step, targets, forgiving=forgiving))


def _called(job: JobState, step: StepPlan, scope: Scope) -> Move | None:
    try:
        enter(job, step, scope)
    except UnknownValueError as error:
        return _unknown(job, step, str(error))
    except ExpressionError as error:
        return _refuse(job, step, str(error))
    return None


def _task(job: JobState, step: StepPlan, condition: Condition, scope: Scope) -> Move:
    frame = job.memory.frame
    asked = frame.condition(condition) if frame is not None else condition
    try:
        forgiving = continues_on_error(step, scope)
        task = make_task(step, asked, job.scope(), job.inputs, forgiving=forgiving)
    except UnknownValueError as error:
        return _unknown(job, step, str(error))
    except ExpressionError as error:
        return _refuse(job, step, str(error))
    job.queue(Queued(step, asked, forgiving))
    return Queue(frame.dress(task) if frame is not None else task)


def _nothing_to_do(job: JobState, step: StepPlan, condition: Condition) -> Move:
    """The host has what the step is for; what it would have answered is declared."""
    _await_turn(job, condition)
    if step.background:
        job.beside.keep(step, lambda: job.memory.satisfied(step))
    else:
        job.memory.satisfied(step)
    result = StepResult(step, step.verdict, "success", "success", step.reason, step.gating)
    return Settle(job.record(result))


def _left_out(job: JobState, step: StepPlan) -> StepResult:
    """A step that grind never executes: what it would have answered is not known."""
    try:
        condition = _condition(job, step, job.scope().having_env(step.source.env))
    except ExpressionError as error:
        if isinstance(error, UnknownValueError):
            _wait(job)
        condition = Condition.ALWAYS
    if condition is None:
        return skipped(job, step, step.reason)
    _await_turn(job, condition)
    job.memory.left_out(step)
    gating = step.gating and holds(condition, "success")
    return StepResult(step, Verdict.SKIPPED, "skipped", "skipped", step.reason, gating)


def _await_turn(job: JobState, condition: Condition) -> None:
    """What the host does not run has its result here, when what is before it has ended."""
    if job.queued and condition is not Condition.ALWAYS:
        raise Later


def _unknown(job: JobState, step: StepPlan, reason: str) -> Move:
    """What is unknown may become known when something ends; if nothing is left, refuse."""
    _wait(job)
    return _refuse(job, step, reason)


def _wait(job: JobState) -> None:
    """What is unknown is waited for, or asked for; return when there is nothing left to do."""
    if job.queued:
        raise Later
    if job.asked is not None:
        raise Ask


def _refuse(job: JobState, step: StepPlan, reason: str) -> Move:
    if job.queued:
        raise Later
    result = StepResult(step, Verdict.REFUSED, "skipped", "skipped", reason, step.gating)
    job.refused = result
    return Settle(job.record(result))

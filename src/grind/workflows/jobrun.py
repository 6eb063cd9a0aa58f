"""One job while it runs: a pure machine that says which steps can be queued now.

It is told what ended and answers with what to queue, what is settled without running, and at last
the job's conclusion. It never waits, never looks at a clock, and knows nothing of hosts. Steps are
queued as far ahead as their text is known; a step that needs an earlier one's output, or a variable
an earlier one may set, waits until that has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from grind.core.plan import JobPlan, StepPlan, Verdict
from grind.core.task import Condition
from grind.workflows.conditions import condition_for, holds, status_functions
from grind.workflows.expressions import UNKNOWN, ExpressionError, UnknownValueError, truthy
from grind.workflows.jobenv import layered
from grind.workflows.jobmemory import Memory
from grind.workflows.moves import Finish, Move, Queue, Settle, StepResult
from grind.workflows.scope import Scope
from grind.workflows.tasks import TaskInputs, make_task


class _Later(Exception):  # noqa: N818 - not an error: "ask me again when something has ended"
    pass


class _Queued(NamedTuple):
    step: StepPlan
    condition: Condition
    forgiving: bool
    """`continue-on-error`, as it was when the step was queued: the host was told the same."""


class JobMachine:
    """The state of one running job."""

    def __init__(self, plan: JobPlan, contexts: Mapping[str, Any], inputs: TaskInputs) -> None:
        """`contexts` are github, runner, matrix, strategy, needs, inputs, vars of the job."""
        self.plan = plan
        self.job_env, self._problem = layered(plan, contexts)
        self._inputs = inputs
        self._memory = Memory(contexts, self.job_env)
        self._next = 0
        self._queued: dict[int, _Queued] = {}
        self._status = "success"
        self._refused: StepResult | None = None
        self._finished = False
        self.results: dict[int, StepResult] = {}

    # --- what a caller tells --------------------------------------------------------------------

    def ended(
        self,
        index: int,
        *,
        exit_code: int,
        reason: str,
        outputs: Mapping[str, str],
        env: Mapping[str, str],
        detail: str = "",
    ) -> StepResult:
        """A queued step ended on the host; return its result."""
        step, _, forgiving = self._queued.pop(index)
        if reason == "cancelled":
            outcome = "cancelled"
        else:
            outcome = "success" if exit_code == 0 and reason == "exit" else "failure"
        conclusion = "success" if forgiving and outcome == "failure" else outcome
        self._memory.ran(step, outcome, conclusion, outputs, env)
        if conclusion == "failure" and self._status == "success":
            self._status = "failure"
        elif conclusion == "cancelled":
            self._status = "cancelled"
        why = detail or {"timeout": "timed out", "cancelled": "cancelled"}.get(reason, "")
        if not why and outcome == "success":
            why = step.reason
        return self._record(StepResult(step, step.verdict, outcome, conclusion, why, step.gating))

    def passed(self, index: int) -> StepResult:
        """The host did not run a queued step, because its condition was false there."""
        step, condition, _ = self._queued.pop(index)
        if not holds(condition, self._status):
            return self._record(self._skipped(step, self._why_not(step)))
        # By all that ended it was to run, so the host has stopped the job: cancelled, or out of time.
        self._status = "cancelled"
        self._memory.skipped(step)
        return self._record(self._unreached(step, "not reached: the host stopped the job"))

    def cancelled(self) -> None:
        """The job is being cancelled."""
        self._status = "cancelled"

    def not_set_up(self) -> None:
        """What comes before the first step has failed, and with it the job."""
        self._status = "failure"

    def abandoned(self, reason: str) -> list[StepResult]:
        """The host has lost the job: give every step that has no result the one that is left."""
        for index in list(self._queued):
            self._queued.pop(index)
        self._status, self._finished = "failure", True
        self._next = len(self.plan.steps)
        return [
            self._record(self._unreached(step, reason))
            for step in self.plan.steps
            if step.index not in self.results
        ]

    # --- what the machine answers ---------------------------------------------------------------

    @property
    def status(self) -> str:
        """success, failure or cancelled, as far as what has ended tells."""
        return self._status

    @property
    def exhausted(self) -> bool:
        """Whether every step is queued or settled."""
        return self._next >= len(self.plan.steps)

    def moves(self) -> list[Move]:
        """Return everything that can be said now; empty while something must end first."""
        found: list[Move] = []
        while self._next < len(self.plan.steps):
            step = self.plan.steps[self._next]
            try:
                found.append(self._move(step))
            except _Later:
                return found
            self._next += 1
        if not self._queued and not self._finished:
            self._finished = True
            found.append(self._finish())
        return found

    def _move(self, step: StepPlan) -> Move:
        if self._refused is not None:
            reason = f"not reached: the step at line {self._refused.step.line} is refused"
            self._memory.skipped(step)
            return Settle(self._record(self._unreached(step, reason)))
        if self._problem:
            return self._refuse(step, self._problem)
        if step.verdict is Verdict.SKIPPED:
            return Settle(self._record(self._left_out(step)))
        try:
            scope = self._scope().having_env(step.source.env)
            condition = self._condition(step, scope)
            if condition is None:
                return Settle(self._record(self._skipped(step, self._why_not(step))))
        except UnknownValueError as error:
            return self._unknown(step, f"if: {error}")
        except ExpressionError as error:
            return self._refuse(step, f"if: {error}")
        if step.verdict is Verdict.REFUSED:
            return self._refuse(step, step.reason)
        if step.recipe is not None and step.recipe.kind == "nothing":
            return self._nothing_to_do(step, condition)
        return self._task(step, condition, scope)

    def _condition(self, step: StepPlan, scope: Scope) -> Condition | None:
        """Say when the step runs, as far as the host must decide it; None when it does not.

        Raises _Later, and ExpressionError when the step cannot be decided.
        """
        status = None if self._queued else self._status
        answer = condition_for(step.source.if_, scope.contexts, status)
        if answer is None:
            raise _Later
        return answer.condition

    def _task(self, step: StepPlan, condition: Condition, scope: Scope) -> Move:
        try:
            forgiving = _continue_on_error(step, scope)
            task = make_task(step, condition, self._scope(), self._inputs, forgiving=forgiving)
        except UnknownValueError as error:
            return self._unknown(step, str(error))
        except ExpressionError as error:
            return self._refuse(step, str(error))
        self._queued[step.index] = _Queued(step, condition, forgiving)
        return Queue(task)

    def _nothing_to_do(self, step: StepPlan, condition: Condition) -> Move:
        """The host has what the step is for; what it would have answered is declared."""
        self._await_turn(condition)
        self._memory.satisfied(step)
        return Settle(
            self._record(
                StepResult(step, step.verdict, "success", "success", step.reason, step.gating)
            )
        )

    def _left_out(self, step: StepPlan) -> StepResult:
        """A step that grind never executes: what it would have answered is not known."""
        try:
            condition = self._condition(step, self._scope().having_env(step.source.env))
        except ExpressionError as error:
            if self._queued and isinstance(error, UnknownValueError):
                raise _Later from None
            condition = Condition.ALWAYS
        if condition is None:
            return self._skipped(step, step.reason)
        self._await_turn(condition)
        self._memory.left_out(step)
        gating = step.gating and holds(condition, "success")
        return StepResult(step, Verdict.SKIPPED, "skipped", "skipped", step.reason, gating)

    def _await_turn(self, condition: Condition) -> None:
        """What the host does not run has its result here, when what is before it has ended."""
        if self._queued and condition is not Condition.ALWAYS:
            raise _Later

    def _unknown(self, step: StepPlan, reason: str) -> Move:
        """What is unknown may become known when something ends; if nothing is left, refuse."""
        if self._queued:
            raise _Later
        return self._refuse(step, reason)

    def _refuse(self, step: StepPlan, reason: str) -> Move:
        if self._queued:
            raise _Later
        result = StepResult(step, Verdict.REFUSED, "skipped", "skipped", reason, step.gating)
        self._refused = result
        return Settle(self._record(result))

    def _skipped(self, step: StepPlan, reason: str) -> StepResult:
        """CI would not run it either, so nothing hangs on it."""
        self._memory.skipped(step)
        return StepResult(step, Verdict.SKIPPED, "skipped", "skipped", reason, gating=False)

    def _unreached(self, step: StepPlan, reason: str) -> StepResult:
        """CI would have run it, and here it was not: a gap."""
        return StepResult(step, Verdict.SKIPPED, "skipped", "skipped", reason, step.gating)

    def _scope(self) -> Scope:
        waiting = tuple(queued.step for queued in self._queued.values())
        return self._memory.scope(self._status, waiting)

    def _record(self, result: StepResult) -> StepResult:
        self.results[result.step.index] = result
        return result

    def _why_not(self, step: StepPlan) -> str:
        if step.source.if_:
            return f"if: {step.source.if_} is false"
        return "the job was cancelled" if self._status == "cancelled" else "an earlier step failed"

    def _finish(self) -> Finish:
        if self._status == "success":
            if self._refused is not None:
                return Finish("refused", self._refused.reason, {})
            if self._problem:
                return Finish("refused", self._problem, {})
        scope = self._scope()
        scope.functions.update(status_functions(self._status))
        outputs: dict[str, Any] = {}
        for name, template in self.plan.outputs.items():
            try:
                outputs[name] = scope.text(template)
            except ExpressionError:
                outputs[name] = UNKNOWN
        return Finish(self._status, "", outputs)


def _continue_on_error(step: StepPlan, scope: Scope) -> bool:
    """Evaluate it before the step runs, because the host goes on, or not, by itself.

    The runner evaluates it afterwards, with the contexts that the step began with.
    """
    value = step.source.continue_on_error
    return value if isinstance(value, bool) else truthy(scope.value(value))

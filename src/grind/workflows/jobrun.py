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
from grind.core.task import Condition, StepTask
from grind.workflows.conditions import queueable, status_functions, statuses
from grind.workflows.expressions import UNKNOWN, ExpressionError, UnknownValueError
from grind.workflows.scope import Scope
from grind.workflows.tasks import TaskInputs, make_task


class StepResult(NamedTuple):
    """What became of one step. `outcome` is before continue-on-error, `conclusion` after."""

    step: StepPlan
    verdict: Verdict
    outcome: str
    conclusion: str
    reason: str = ""
    gating: bool = True


class Queue(NamedTuple):
    """Give this task to the host."""

    task: StepTask


class Settle(NamedTuple):
    """This step has its result without running."""

    result: StepResult


class Finish(NamedTuple):
    """The job is over: success, failure, cancelled or refused, with its outputs."""

    conclusion: str
    reason: str
    outputs: dict[str, Any]


Move = Queue | Settle | Finish


class _Later(Exception):  # noqa: N818 - not an error: "ask me again when something has ended"
    pass


class JobMachine:
    """The state of one running job."""

    def __init__(self, plan: JobPlan, contexts: Mapping[str, Any], inputs: TaskInputs) -> None:
        """`contexts` are github, runner, matrix, strategy, needs, inputs, vars of the job."""
        self.plan = plan
        self._base = dict(contexts)
        self._inputs = inputs
        self._next = 0
        self._pending: dict[int, StepPlan] = {}
        self._steps: dict[str, Any] = {}
        self._file_env: dict[str, str] = {}
        self._status = "success"
        self._refused: StepResult | None = None
        self._finished = False
        self.results: dict[int, StepResult] = {}
        self.job_env = self._layer_env()

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
        step = self._pending.pop(index)
        if reason == "cancelled":
            outcome = "cancelled"
        else:
            outcome = "success" if exit_code == 0 and reason == "exit" else "failure"
        forgiven = outcome == "failure" and self._continue_on_error(step)
        conclusion = "success" if forgiven else outcome
        why = detail or {"timeout": "timed out", "cancelled": "cancelled"}.get(reason, "")
        self._file_env.update(env)
        self._remember(step, outcome, conclusion, dict(outputs))
        if conclusion == "failure" and self._status == "success":
            self._status = "failure"
        elif conclusion == "cancelled":
            self._status = "cancelled"
        verdict = Verdict.EXECUTED if step.verdict is Verdict.REFUSED else step.verdict
        return self._record(
            StepResult(
                step,
                verdict,
                outcome,
                conclusion,
                why or (step.reason if outcome == "success" else ""),
                step.gating,
            )
        )

    def passed(self, index: int) -> StepResult:
        """The host did not run a queued step, because its condition was false."""
        step = self._pending.pop(index)
        return self._record(self._skipped(step, _condition_text(step)))

    def cancelled(self) -> None:
        """The job is being cancelled."""
        self._status = "cancelled"

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
        if not self._pending and not self._finished:
            self._finished = True
            found.append(self._finish())
        return found

    def _move(self, step: StepPlan) -> Move:
        if self._refused is not None:
            line = self._refused.step.line
            return self._settle(step, f"not reached: the step at line {line} is refused")
        if step.verdict is Verdict.SKIPPED:
            return Settle(self._record(self._left_out(step)))
        try:
            when = statuses(step.source.if_, self._scope().contexts)
        except UnknownValueError as error:
            return self._unknown(step, f"if: {error}")
        except ExpressionError as error:
            return self._refuse(step, f"if: {error}")
        condition = queueable(when)
        if not self._pending:
            if self._status not in when:
                return self._settle(step, _condition_text(step))
            condition = condition or (
                Condition.ALWAYS if "cancelled" in when else Condition.NOT_CANCELLED
            )
        elif not when:
            return self._settle(step, _condition_text(step))
        elif condition is None or step.verdict is Verdict.REFUSED:
            raise _Later
        if step.verdict is Verdict.REFUSED:
            return self._refuse(step, step.reason)
        return self._task(step, condition)

    def _task(self, step: StepPlan, condition: Condition) -> Move:
        if step.recipe is not None and step.recipe.kind == "nothing":
            self._remember(step, "success", "success", dict(step.recipe.outputs))
            return Settle(
                self._record(
                    StepResult(step, step.verdict, "success", "success", step.reason, step.gating)
                )
            )
        try:
            task = make_task(step, condition, self._scope(), self._inputs)
        except UnknownValueError as error:
            return self._unknown(step, str(error))
        except ExpressionError as error:
            return self._refuse(step, str(error))
        self._pending[step.index] = step
        return Queue(task)

    def _unknown(self, step: StepPlan, reason: str) -> Move:
        """What is unknown may become known when something ends; if nothing is left, refuse."""
        if self._pending:
            raise _Later
        return self._refuse(step, reason)

    def _refuse(self, step: StepPlan, reason: str) -> Move:
        if self._pending:
            raise _Later
        result = StepResult(step, Verdict.REFUSED, "skipped", "skipped", reason, step.gating)
        self._refused = result
        return Settle(self._record(result))

    def _settle(self, step: StepPlan, reason: str) -> Settle:
        gating = step.gating and self._refused is not None
        result = self._skipped(step, reason)._replace(gating=gating)
        return Settle(self._record(result))

    def _skipped(self, step: StepPlan, reason: str) -> StepResult:
        self._remember(step, "skipped", "skipped", {})
        return StepResult(step, Verdict.SKIPPED, "skipped", "skipped", reason, gating=False)

    def _left_out(self, step: StepPlan) -> StepResult:
        """A step that grind never executes: what it would have answered is not known."""
        if step.id:
            self._steps[step.id.lower()] = UNKNOWN
        try:
            reached = "success" in statuses(step.source.if_, self._scope().contexts)
        except ExpressionError:
            reached = True
        return StepResult(
            step, Verdict.SKIPPED, "skipped", "skipped", step.reason, step.gating and reached
        )

    # --- contexts -------------------------------------------------------------------------------

    def _scope(self) -> Scope:
        env: Any = UNKNOWN
        if not self._pending:
            env = {**self.job_env, **self._file_env}
        job: Any = UNKNOWN if self._pending else {"status": self._status}
        steps = dict(self._steps)
        for step in self._pending.values():
            if step.id:
                steps[step.id.lower()] = UNKNOWN
        return Scope({**self._base, "env": env, "job": job, "steps": steps, "secrets": UNKNOWN})

    def _layer_env(self) -> dict[str, Any]:
        """Workflow over job: a value may use earlier layers, but not its own siblings."""
        known: dict[str, Any] = {}
        for layer in (self.plan.workflow_env, self.plan.env):
            scope = Scope({**self._base, "env": dict(known), "secrets": UNKNOWN})
            for name, template in layer.items():
                try:
                    known[name] = scope.text(template)
                except ExpressionError:
                    known[name] = UNKNOWN
        return known

    def _continue_on_error(self, step: StepPlan) -> bool:
        value = step.source.continue_on_error
        if isinstance(value, bool):
            return value
        from grind.workflows.expressions import truthy

        try:
            return truthy(self._scope().value(value))
        except ExpressionError:
            return False  # not known to be forgiven: a failure stays one

    def _remember(
        self, step: StepPlan, outcome: str, conclusion: str, outputs: dict[str, str]
    ) -> None:
        if step.id:
            self._steps[step.id.lower()] = {
                "outputs": outputs,
                "outcome": outcome,
                "conclusion": conclusion,
            }

    def _record(self, result: StepResult) -> StepResult:
        self.results[result.step.index] = result
        return result

    def _finish(self) -> Finish:
        if self._refused is not None and self._status == "success":
            return Finish("refused", self._refused.reason, {})
        scope = self._scope()
        scope.functions.update(status_functions(self._status))
        outputs: dict[str, Any] = {}
        for name, template in self.plan.outputs.items():
            try:
                outputs[name] = scope.text(template)
            except ExpressionError:
                outputs[name] = UNKNOWN
        return Finish(self._status, "", outputs)


def _condition_text(step: StepPlan) -> str:
    if step.source.if_:
        return f"if: {step.source.if_} is false"
    return "an earlier step failed"

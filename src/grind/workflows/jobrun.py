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
from grind.workflows.expressions import (
    UNKNOWN,
    ExpressionError,
    UnknownValueError,
    to_text,
    truthy,
)
from grind.workflows.jobbeside import Beside
from grind.workflows.jobenv import layered
from grind.workflows.jobframes import Frame, handed_over, outputs_of, own_env
from grind.workflows.jobmemory import Memory
from grind.workflows.moves import Finish, Hash, Move, Queue, Settle, StepResult
from grind.workflows.scope import Scope
from grind.workflows.services import services_context
from grind.workflows.tasks import TaskInputs, control_task, make_task, minutes


class _Later(Exception):  # noqa: N818 - not an error: "ask me again when something has ended"
    pass


class _Ask(Exception):  # noqa: N818 - not an error either: the host must be asked first
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
        self._memory = Memory(contexts, self.job_env, services_context(plan.services))
        self._workspace = contexts["github"].get("workspace")
        self._next = 0
        self._queued: dict[int, _Queued] = {}
        self._beside = Beside()
        self._in_background: dict[int, _Queued] = {}
        self._status = "success"
        self._refused: StepResult | None = None
        self._frames: list[Frame] = []
        self._passed_over: set[int] = set()
        """Calls of actions that are not entered, nor is any step of theirs."""
        self._finished = False
        self._apart = False
        """Whether the host takes for a success what has failed, so that it must be told what runs."""
        self._hashes: dict[tuple[str, ...], str] = {}
        """What `hashFiles` said since a step was last queued."""
        self._asked: tuple[str, ...] | None = None
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
        fault: str = "",
        duration: float = 0.0,
    ) -> StepResult:
        """A queued step ended on the host after `duration` seconds; return its result.

        `fault` is why the step has failed although the host took it for a success.
        """
        if index in self._in_background:
            return self._ended_beside(index, exit_code, reason, outputs, env, detail, fault)
        step, _, forgiving = self._queued.pop(index)
        if step.control and self._beside.told(step.targets) and step.control == "wait":
            # By its log the host may take for a success what has failed.
            fault = "a step that it waits for failed"
        if reason == "cancelled":
            outcome = "cancelled"
        else:
            outcome = "success" if exit_code == 0 and reason == "exit" else "failure"
        detail = detail or fault
        if fault and outcome == "success":
            outcome = "failure"
            self._apart = self._apart or not forgiving
        conclusion = "success" if forgiving and outcome == "failure" else outcome
        self._memory.ran(step, outcome, conclusion, outputs, env)
        for frame in self._frames:
            frame.took(duration)
        if conclusion == "failure":
            self._fail("timed out" if reason == "timeout" else "")
        elif conclusion == "cancelled":
            self._status = "cancelled"
        why = detail or {"timeout": "timed out", "cancelled": "cancelled"}.get(reason, "")
        if not why and outcome == "success":
            why = step.reason
        return self._record(StepResult(step, step.verdict, outcome, conclusion, why, step.gating))

    def _ended_beside(
        self,
        index: int,
        exit_code: int,
        reason: str,
        outputs: Mapping[str, str],
        env: Mapping[str, str],
        detail: str,
        fault: str,
    ) -> StepResult:
        """A step in the background ended: the others know nothing of it yet."""
        step, _, forgiving = self._in_background.pop(index)
        told, gating = "", step.gating
        if reason == "cancelled":
            outcome, told = "cancelled", "cancelled"
            if self._status != "cancelled" and self._may_be_ended(step):
                told, gating = "ended by a step of the job", False
        else:
            well = exit_code == 0 and reason == "exit" and not fault
            outcome = "success" if well else "failure"
        conclusion = "success" if forgiving and outcome == "failure" else outcome
        self._beside.keep(step, lambda: self._memory.ran(step, outcome, conclusion, outputs, env))
        why = detail or fault or told or {"timeout": "timed out"}.get(reason, "")
        result = StepResult(step, step.verdict, outcome, conclusion, why or step.reason, gating)
        self._beside.ended(result)
        return self._record(result)

    def _may_be_ended(self, step: StepPlan) -> bool:
        return any(step.index in o.targets for o in self.plan.steps if o.control == "cancel")

    def passed(self, index: int) -> StepResult:
        """The host did not run a queued step, because its condition was false there."""
        queued = self._in_background.pop(index, None)
        if queued is not None:
            self._beside.not_run(queued.step)
        else:
            queued = self._queued.pop(index)
        step, condition, _ = queued
        if not holds(condition, self._current):
            return self._record(self._skipped(step, self._why_not(step)))
        if self._apart:
            return self._record(self._unreached(step, "not reached: it was queued for a success"))
        # By all that ended it was to run, so the host has stopped the job: cancelled, or out of time.
        self._status = "cancelled"
        self._memory.skipped(step)
        return self._record(self._unreached(step, "not reached: the host stopped the job"))

    def cancelled(self) -> None:
        """The job is being cancelled."""
        self._status = "cancelled"

    def hashed(self, arguments: tuple[str, ...], value: str) -> None:
        """The host has answered `Hash`."""
        self._hashes[arguments] = value

    def not_hashed(self, reason: str) -> Settle:
        """The host could not answer `Hash`: the step that asked fails, as on GitHub."""
        step = self.plan.steps[self._next]
        self._next += 1
        if step.call is not None:
            self._passed_over.add(step.index)
        self._memory.ran(step, "failure", "failure", {}, {})
        self._fail(reason)
        self._apart = True
        result = StepResult(step, step.verdict, "failure", "failure", reason, step.gating)
        return Settle(self._record(result))

    def not_set_up(self) -> None:
        """What comes before the first step has failed, and with it the job."""
        self._status = "failure"

    def abandoned(self, reason: str) -> list[StepResult]:
        """The host has lost the job: give every step that has no result the one that is left."""
        for index in list(self._queued):
            self._queued.pop(index)
        self._in_background.clear()
        self._beside.abandon()
        self._status, self._finished = "failure", True
        self._frames.clear()
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
            self._asked = None
            try:
                self._leave_until(step.parent, found)
                move = self._move(step)
            except _Later:
                return found
            except _Ask:
                return [*found, Hash(step.index, self._asked or ())]
            self._next += 1
            if move is not None:
                found.append(move)
        if not self._queued and not self._beside.running and not self._finished:
            self._leave_until(None, found)
            self._beside.tell_all()
            if self._beside.failed:
                self._fail()
            self._finished = True
            found.append(self._finish())
        return found

    @property
    def _current(self) -> str:
        """The status that an `if:` asks for: that of the action whose steps run, or the job's."""
        if not self._frames or self._status == "cancelled":
            return self._status
        return self._frames[-1].status

    def _fail(self, reason: str = "") -> None:
        """A step has failed, and with it the action or the job that it belongs to."""
        if self._frames:
            self._frames[-1].failed(reason)
        elif self._status == "success":
            self._status = "failure"

    def _leave_until(self, caller: int | None, found: list[Move]) -> None:
        """Settle the calls whose actions have no further step; `caller` is the next step's own."""
        while self._frames and self._frames[-1].caller.index != caller:
            if self._queued:
                raise _Later
            found.append(Settle(self._record(self._leave())))

    def _leave(self) -> StepResult:
        """Every step of an action has its result, and so has the step that calls it."""
        frame = self._frames[-1]
        outputs = outputs_of(frame, self._scope())
        outcome = self._current
        self._frames.pop()
        self._memory.leave()
        step = frame.caller
        if self._refused is not None:
            at = self._refused.step
            reason = f"{at.file or 'line'}:{at.line}: {self._refused.reason}"
            self._memory.left_out(step)
            return StepResult(step, Verdict.REFUSED, "skipped", "skipped", reason, step.gating)
        if any(limit < frame.spent for limit in frame.limits) and outcome == "success":
            outcome, frame.reason = "failure", "timed out"
        conclusion = "success" if frame.forgiving and outcome == "failure" else outcome
        self._memory.called(step, outcome, conclusion, outputs)
        if conclusion == "failure":
            self._fail(frame.reason)
            self._apart = self._apart or not frame.plain
        why = frame.reason or ("" if outcome != "success" else f"the steps of {frame.file}")
        return StepResult(step, Verdict.EXECUTED, outcome, conclusion, why, step.gating)

    def _enter(self, step: StepPlan, scope: Scope) -> None:
        """Go on with the steps of the action that a step calls. Raises ExpressionError."""
        inputs, env = handed_over(step, scope), own_env(step, self._scope())
        forgiving = _continue_on_error(step, scope)
        if self._asked is not None:
            raise _Ask
        frame = Frame(
            step,
            inputs,
            env,
            workspace=self._workspace,
            forgiving=forgiving,
            limit=minutes(step, scope),
            outer=self._frames[-1] if self._frames else None,
            job=self._status,
        )
        self._frames.append(frame)
        self._memory.enter(frame)

    def _move(self, step: StepPlan) -> Move | None:
        if self._queued and not self._may_queue(step):
            raise _Later
        if step.parent in self._passed_over:
            return self._pass_over(step)
        move = self._decide(step)
        if move is not None and step.call is not None:
            self._passed_over.add(step.index)
        return move

    def _may_queue(self, step: StepPlan) -> bool:
        """Whether a step can be queued while others have not ended."""
        return step.call is None and (not self._frames or self._frames[-1].plain)

    def _pass_over(self, step: StepPlan) -> Move:
        """A step of an action that is not called."""
        if step.call is not None:
            self._passed_over.add(step.index)
        caller = self.results[step.parent if step.parent is not None else -1]
        reason = caller.reason or "its action is not called"
        return Settle(
            self._record(
                StepResult(step, Verdict.SKIPPED, "skipped", "skipped", reason, gating=False)
            )
        )

    def _decide(self, step: StepPlan) -> Move | None:
        """Return what becomes of a step; None when the steps of its action are next."""
        if self._refused is not None:
            reason = f"not reached: the step at line {self._refused.step.line} is refused"
            self._memory.skipped(step)
            return Settle(self._record(self._unreached(step, reason)))
        if self._problem:
            return self._refuse(step, self._problem)
        if step.verdict is Verdict.SKIPPED:
            return Settle(self._record(self._left_out(step)))
        if step.control and step.verdict is not Verdict.REFUSED:
            return self._control(step)
        try:
            scope = self._scope().having_env(step.source.env)
            condition = self._condition(step, scope)
            if condition is None:
                return Settle(self._record(self._skipped(step, self._why_not(step))))
        except UnknownValueError as error:
            return self._unknown(step, f"if: {error}")
        except ExpressionError as error:
            return self._refuse(step, f"if: {error}")
        if step.call is not None:
            return self._called(step, scope)
        if step.verdict is Verdict.REFUSED:
            return self._refuse(step, step.reason)
        if step.recipe is not None and step.recipe.kind == "nothing":
            return self._nothing_to_do(step, condition)
        return self._task(step, condition, scope)

    def _condition(self, step: StepPlan, scope: Scope) -> Condition | None:
        """Say when the step runs, as far as the host must decide it; None when it does not.

        Raises _Later, and ExpressionError when the step cannot be decided.
        """
        if self._apart and self._queued:
            raise _Later
        status = None if self._queued else self._current
        answer = condition_for(step.source.if_, scope.values, status, scope.functions)
        if answer is None:
            raise _Later
        if self._apart and answer.condition is Condition.FAILURE:
            return Condition.NOT_CANCELLED
        return answer.condition

    def _control(self, step: StepPlan) -> Move:
        """A step that waits for others or ends them; it runs whatever has failed."""
        try:
            forgiving = _continue_on_error(step, self._scope())
        except UnknownValueError as error:
            return self._unknown(step, f"continue-on-error: {error}")
        except ExpressionError as error:
            return self._refuse(step, f"continue-on-error: {error}")
        targets = self._beside.on_host(step.targets)
        if not targets:
            if self._queued:
                raise _Later
            self._beside.told(step.targets)
            self._memory.ran(step, "success", "success", {}, {})
            why = "nothing is in the background"
            done = StepResult(step, step.verdict, "success", "success", why, step.gating)
            return Settle(self._record(done))
        self._queued[step.index] = _Queued(step, Condition.ALWAYS, forgiving)
        self._hashes.clear()
        return Queue(control_task(step, targets, forgiving=forgiving))

    def _called(self, step: StepPlan, scope: Scope) -> Move | None:
        try:
            self._enter(step, scope)
        except UnknownValueError as error:
            return self._unknown(step, str(error))
        except ExpressionError as error:
            return self._refuse(step, str(error))
        return None

    def _task(self, step: StepPlan, condition: Condition, scope: Scope) -> Move:
        try:
            forgiving = _continue_on_error(step, scope)
            frame = self._frames[-1] if self._frames else None
            asked = frame.condition(condition) if frame is not None else condition
            task = make_task(step, asked, self._scope(), self._inputs, forgiving=forgiving)
            task = frame.dress(task) if frame is not None else task
        except UnknownValueError as error:
            return self._unknown(step, str(error))
        except ExpressionError as error:
            return self._refuse(step, str(error))
        queued = _Queued(step, asked, forgiving)
        if step.background:
            self._in_background[step.index] = queued
            self._beside.begin(step)
        else:
            self._queued[step.index] = queued
        self._hashes.clear()
        return Queue(task)

    def _nothing_to_do(self, step: StepPlan, condition: Condition) -> Move:
        """The host has what the step is for; what it would have answered is declared."""
        self._await_turn(condition)
        if step.background:
            self._beside.keep(step, lambda: self._memory.satisfied(step))
        else:
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
            if isinstance(error, UnknownValueError):
                self._wait()
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
        self._wait()
        return self._refuse(step, reason)

    def _wait(self) -> None:
        """What is unknown is waited for, or asked for; return when there is nothing left to do."""
        if self._queued:
            raise _Later
        if self._asked is not None:
            raise _Ask

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
        waiting = [queued.step for queued in self._queued.values()]
        # What a queued `wait` is about will be known to what stands behind it.
        waiting += [self.plan.steps[i] for step in waiting for i in step.targets]
        scope = self._memory.scope(self._status, waiting)
        scope.functions["hashFiles"] = self._hash_files
        return scope

    def _hash_files(self, *patterns: Any) -> str:
        arguments = tuple(map(to_text, patterns))
        if arguments not in self._hashes:
            self._asked = arguments
            raise UnknownValueError(("hashFiles()",))
        return self._hashes[arguments]

    def _record(self, result: StepResult) -> StepResult:
        self.results[result.step.index] = result
        return result

    def _why_not(self, step: StepPlan) -> str:
        if step.source.if_:
            return f"if: {step.source.if_} is false"
        return "the job was cancelled" if self._current == "cancelled" else "an earlier step failed"

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

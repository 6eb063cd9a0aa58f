"""One job while it runs: a pure machine that says which steps can be queued now.

It is told what ended (`jobends`) and answers with what to queue, what is settled without running
(`jobnext`), and at last the job's conclusion. It never waits, never looks at a clock, and knows
nothing of hosts. Steps are queued as far ahead as their text is known; a step that needs an earlier
one's output, or a variable an earlier one may set, waits until that has ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grind.core.plan import JobPlan
from grind.workflows.conditions import status_functions
from grind.workflows.expressions import UNKNOWN, ExpressionError
from grind.workflows.jobcalls import leave
from grind.workflows.jobends import Said, abandoned, ended, passed
from grind.workflows.jobnext import next_move
from grind.workflows.jobstate import Ask, JobState, Later
from grind.workflows.moves import Finish, Hash, Move, Settle, StepResult
from grind.workflows.tasks import TaskInputs


class JobMachine:
    """The state of one running job."""

    def __init__(self, plan: JobPlan, contexts: Mapping[str, Any], inputs: TaskInputs) -> None:
        """`contexts` are github, runner, matrix, strategy, needs, inputs, vars of the job."""
        self._job = JobState(plan, contexts, inputs)
        self._next = 0
        self._finished = False

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
        said = Said(exit_code, reason, outputs, env, detail, fault, duration)
        return ended(self._job, index, said)

    def passed(self, index: int) -> StepResult:
        """The host did not run a queued step, because its condition was false there."""
        return passed(self._job, index)

    def cancelled(self) -> None:
        """The job is being cancelled."""
        self._job.status = "cancelled"

    def hashed(self, arguments: tuple[str, ...], value: str) -> None:
        """The host has answered `Hash`."""
        self._job.hashes[arguments] = value

    def not_hashed(self, reason: str) -> Settle:
        """The host could not answer `Hash`: the step that asked fails, as on GitHub."""
        job = self._job
        step = job.plan.steps[self._next]
        self._next += 1
        if step.call is not None:
            job.not_entered.add(step.index)
        job.memory.ran(step, "failure", "failure", {}, {})
        job.fail(reason)
        job.apart = True
        result = StepResult(step, step.verdict, "failure", "failure", reason, step.gating)
        return Settle(job.record(result))

    def not_set_up(self) -> None:
        """What comes before the first step has failed, and with it the job."""
        self._job.status = "failure"

    def abandoned(self, reason: str) -> list[StepResult]:
        """The host has lost the job: give every step that has no result the one that is left."""
        self._finished = True
        self._next = len(self._job.plan.steps)
        return abandoned(self._job, reason)

    # --- what the machine answers ---------------------------------------------------------------

    @property
    def job_env(self) -> Mapping[str, Any]:
        """What workflow and job set, evaluated; a value that nobody knows is UNKNOWN."""
        return self._job.env

    @property
    def results(self) -> Mapping[int, StepResult]:
        """The result of each step that has one, by index."""
        return self._job.results

    @property
    def status(self) -> str:
        """success, failure or cancelled, as far as what has ended tells."""
        return self._job.status

    @property
    def exhausted(self) -> bool:
        """Whether every step is queued or settled."""
        return self._next >= len(self._job.plan.steps)

    def moves(self) -> list[Move]:
        """Return everything that can be said now; empty while something must end first."""
        job = self._job
        found: list[Move] = []
        while not self.exhausted:
            step = job.plan.steps[self._next]
            job.asked = None
            try:
                self._leave_until(step.parent, found)
                move = next_move(job, step)
            except Later:
                return found
            except Ask:
                return [*found, Hash(step.index, job.asked or ())]
            self._next += 1
            if move is not None:
                found.append(move)
        if not job.queued and not job.beside.running and not self._finished:
            self._leave_until(None, found)
            job.beside.tell_all()
            if job.beside.failed:
                job.fail()
            self._finished = True
            found.append(_finish(job))
        return found

    def _leave_until(self, caller: int | None, found: list[Move]) -> None:
        """Settle the calls whose actions have no further step; `caller` is the next step's own.

        Raises Later.
        """
        job = self._job
        while (frame := job.memory.frame) is not None and frame.caller.index != caller:
            if job.queued:
                raise Later
            found.append(Settle(job.record(leave(job))))


def _finish(job: JobState) -> Finish:
    if job.status == "success":
        if job.refused is not None:
            return Finish("refused", job.refused.reason, {})
        if job.problem:
            return Finish("refused", job.problem, {})
    scope = job.scope()
    scope.functions.update(status_functions(job.status))
    outputs: dict[str, Any] = {}
    for name, template in job.plan.outputs.items():
        try:
            outputs[name] = scope.text(template)
        except ExpressionError:
            outputs[name] = UNKNOWN
    return Finish(job.status, "", outputs)

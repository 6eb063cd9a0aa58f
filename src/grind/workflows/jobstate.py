"""What is known of a running job by those who hear of its steps and those who decide the next. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from grind.core.plan import JobPlan, StepPlan, Verdict
from grind.core.task import Condition
from grind.workflows.expressions import UnknownValueError, to_text
from grind.workflows.jobbeside import Beside
from grind.workflows.jobenv import layered
from grind.workflows.jobmemory import Memory
from grind.workflows.moves import StepResult
from grind.workflows.scope import Scope
from grind.workflows.services import services_context
from grind.workflows.tasks import TaskInputs


class Later(Exception):  # noqa: N818 - not an error: "ask me again when something has ended"
    """The next step cannot be decided while those before it have not ended."""


class Ask(Exception):  # noqa: N818 - not an error either
    """The next step cannot be decided before the host has said what `JobState.asked` asks."""


class Queued(NamedTuple):
    """A step that the host was given."""

    step: StepPlan
    condition: Condition
    forgiving: bool
    """`continue-on-error`, as it was when the step was queued: the host was told the same."""


class JobState:
    """A job that runs: what was queued, what has ended, and how it stands."""

    def __init__(self, plan: JobPlan, contexts: Mapping[str, Any], inputs: TaskInputs) -> None:
        """`contexts` are github, runner, matrix, strategy, needs, inputs, vars of the job."""
        self.plan = plan
        self.inputs = inputs
        self.env, self.problem = layered(plan, contexts)
        self.memory = Memory(contexts, self.env, services_context(plan.services))
        self.workspace = contexts["github"].get("workspace")
        self.queued: dict[int, Queued] = {}
        self.in_background: dict[int, Queued] = {}
        self.beside = Beside()
        self.status = "success"
        """success, failure or cancelled, as far as what has ended tells."""
        self.refused: StepResult | None = None
        self.apart = False
        """Whether the host takes for a success what has failed, so that it must be told what runs."""
        self.hashes: dict[tuple[str, ...], str] = {}
        """What `hashFiles` said since a step was last queued."""
        self.asked: tuple[str, ...] | None = None
        """What the step that is decided would ask `hashFiles`."""
        self.results: dict[int, StepResult] = {}
        self.not_entered: set[int] = set()
        """Calls of actions that are not entered, nor is any step of theirs."""
        self._ended_by_steps = frozenset(
            index for step in plan.steps if step.control == "cancel" for index in step.targets
        )

    @property
    def current(self) -> str:
        """The status that an `if:` asks for: that of the action whose steps run, or the job's."""
        frame = self.memory.frame
        return self.status if frame is None or self.status == "cancelled" else frame.status

    def fail(self, reason: str = "") -> None:
        """A step has failed, and with it the action or the job that it belongs to."""
        frame = self.memory.frame
        if frame is not None:
            frame.failed(reason)
        elif self.status == "success":
            self.status = "failure"

    def may_be_ended(self, step: StepPlan) -> bool:
        """Whether a step of the job tells this one to end."""
        return step.index in self._ended_by_steps

    def queue(self, queued: Queued) -> None:
        """The host is given a step: those behind it know nothing of what it will say."""
        self.hashes.clear()
        if queued.step.background:
            self.in_background[queued.step.index] = queued
            self.beside.begin(queued.step)
            return
        self.queued[queued.step.index] = queued
        self.memory.waits_for(self._spoken_of(queued.step))

    def taken(self, index: int) -> Queued:
        """The host has done with a step that was queued, and not in the background."""
        queued = self.queued.pop(index)
        self.memory.heard(self._spoken_of(queued.step))
        return queued

    def _spoken_of(self, step: StepPlan) -> list[StepPlan]:
        """What a `wait` is about will be known, like itself, to what stands behind it."""
        return [step, *(self.plan.steps[index] for index in step.targets)]

    def scope(self) -> Scope:
        """Return what the next step may use."""
        scope = self.memory.scope(self.status, waiting=bool(self.queued))
        scope.functions["hashFiles"] = self._hash_files
        return scope

    def _hash_files(self, *patterns: Any) -> str:
        arguments = tuple(map(to_text, patterns))
        if arguments not in self.hashes:
            self.asked = arguments
            raise UnknownValueError(("hashFiles()",))
        return self.hashes[arguments]

    def record(self, result: StepResult) -> StepResult:
        """Write a step's result down, and return it."""
        self.results[result.step.index] = result
        return result


def skipped(job: JobState, step: StepPlan, reason: str) -> StepResult:
    """CI would not run it either, so nothing hangs on it."""
    job.memory.skipped(step)
    return StepResult(step, Verdict.SKIPPED, "skipped", "skipped", reason, gating=False)


def unreached(step: StepPlan, reason: str) -> StepResult:
    """CI would have run it, and here it was not: a gap."""
    return StepResult(step, Verdict.SKIPPED, "skipped", "skipped", reason, step.gating)


def why_not(job: JobState, step: StepPlan) -> str:
    """Say why a step whose condition is false does not run."""
    if step.source.if_:
        return f"if: {step.source.if_} is false"
    return "the job was cancelled" if job.current == "cancelled" else "an earlier step failed"

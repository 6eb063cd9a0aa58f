"""One job on a host: feed the machine's moves to a lane and the lane's events to the machine."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from grind.core import events as e
from grind.core.errors import GrindError
from grind.core.plan import JobPlan
from grind.core.receipt import StepRecord
from grind.core.task import StepTask
from grind.flows.enough import failed, shortfall
from grind.flows.stepbook import Execution, StepBook
from grind.flows.steplog import StepLog
from grind.flows.summary import keep_summary
from grind.ports import (
    Cancelled,
    Ended,
    Lane,
    LaneDone,
    LaneLost,
    LaneSpec,
    Output,
    Passed,
    Started,
)
from grind.workflows import contexts as ctx
from grind.workflows.expressions import ExpressionError
from grind.workflows.filecommands import read_pairs
from grind.workflows.jobenv import event_file, job_environment
from grind.workflows.jobrun import JobMachine
from grind.workflows.jobsettings import is_forgiven, job_minutes
from grind.workflows.masking import hide
from grind.workflows.matchers import MatcherSet
from grind.workflows.moves import Finish, Hash, Queue, Settle, StepResult
from grind.workflows.tasks import SETUP_INDEX, ending_task, lane_index, setup_task

if TYPE_CHECKING:
    from grind.flows.engine import EngineInputs


class JobEnding(NamedTuple):
    """How a job ended."""

    conclusion: str
    reason: str
    outputs: dict[str, Any]
    records: tuple[StepRecord, ...]
    forgiven: bool = False
    """Failed under the job's `continue-on-error`."""


class JobContext:
    """A job that is about to run, or runs."""

    def __init__(self, plan: JobPlan, inputs: EngineInputs, contexts: dict[str, Any]) -> None:
        self.plan = plan
        self.inputs = inputs
        self.contexts = contexts
        self.lane: Lane | None = None
        self.machine: JobMachine | None = None
        self.cancelling = False

    async def cancel(self) -> None:
        """Cancel as GitHub cancels a job."""
        self.cancelling = True
        if self.machine is not None:
            self.machine.cancelled()
        if self.lane is not None:
            await self.lane.cancel()


def lane_key(job_key: str) -> str:
    """Return the lane's name for a job: readable, safe as a folder, and never shared by two."""
    slug = re.sub(r"[^0-9A-Za-z._-]+", "-", job_key).strip("-.")[:40]
    return f"{slug}-{hashlib.sha256(job_key.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


async def run_job(context: JobContext) -> JobEnding:
    """Run the job to its end."""
    plan, inputs = context.plan, context.inputs
    started = inputs.clock.now()
    inputs.emit(e.JobStarted(plan.key))
    try:
        minutes = job_minutes(plan, context.contexts)
    except (ExpressionError, ValueError) as error:
        ending = JobEnding("refused", f"timeout-minutes: {error}", {}, ())
    else:
        ending = await _run_in_lane(context, minutes)
    if ending.conclusion == "failure":
        ending = ending._replace(forgiven=is_forgiven(plan, context.contexts))
    inputs.emit(
        e.JobEnded(
            job=plan.key,
            conclusion=ending.conclusion,
            reason=ending.reason,
            duration=inputs.clock.now() - started,
        )
    )
    return ending


async def _run_in_lane(context: JobContext, minutes: float) -> JobEnding:
    plan, inputs = context.plan, context.inputs
    lane = await inputs.host.lane(
        LaneSpec(
            run=inputs.run,
            key=lane_key(plan.key),
            repository=inputs.repository,
            name=inputs.situation.repository.rpartition("/")[2] or "repository",
            timeout=60 * minutes,
        )
    )
    context.lane = lane
    # The lane was opened meanwhile. Its first batch, and its time, wait for what it checks out.
    await inputs.arrived()
    return await _Runner(context, lane).run()


class _Runner:
    def __init__(self, context: JobContext, lane: Lane) -> None:
        self.context = context
        self.plan = context.plan
        self.inputs = context.inputs
        self.lane = lane
        self.machine = JobMachine(self.plan, self._contexts(), self.inputs.tasks)
        context.machine = self.machine
        self.book = StepBook(self.plan.key, self.inputs.emit)
        self.logs: dict[int, StepLog] = {}
        self.masks: set[str] = set()
        self.matchers = MatcherSet()
        self.finish: Finish | None = None
        self.told_final = False
        self.steps = {lane_index(step.index): step for step in self.plan.steps}
        self.env_matters = any("env" in text.lower() for text in _templates(self.plan))
        """Whether any template of the job might speak of the `env` context."""
        self.setup_said = b""
        self.running: int | None = None
        self.cut_short: int | None = None
        """The step that ran when the job's time was over."""
        self.problem = ""
        """Why the job has failed although every step says that it succeeded."""

    async def run(self) -> JobEnding:
        try:
            return await self._follow()
        finally:
            for log in self.logs.values():
                log.close()

    async def _follow(self) -> JobEnding:
        await self._begin()
        await self._advance()
        lost, status = "the lane ended early", ""
        async for event in self.lane.events():
            match event:
                case LaneLost():
                    lost = event.reason
                case LaneDone():
                    status = event.status
                case Cancelled():
                    self._cancelled(event)
                case _:
                    await self._event(event)
        if not status or self.finish is None:
            return await self._lost(lost)
        return self._ending(self.finish, status)

    def _contexts(self) -> dict[str, Any]:
        paths = self.lane.paths
        inner = dict(self.context.contexts)
        inner["github"] = inner["github"] | {
            "workspace": paths.workspace,
            "event_path": f"{paths.events}/event.json",
        }
        inner["runner"] = ctx.runner(
            self.inputs.situation,
            {"temp": paths.temp, "tool_cache": paths.tool_cache},
            hosted="self-hosted" not in {label.lower() for label in self.plan.runs_on},
        )
        return inner

    async def _begin(self) -> None:
        env = job_environment(
            self.plan,
            self.inputs.situation,
            self.lane.paths._asdict(),
            self.inputs.host.environment,
            self.machine.job_env,
        )
        await self.lane.begin(tuple(env.items()), {"event.json": event_file(self.inputs.situation)})
        if self.context.cancelling:  # it came before there was anything to cancel
            await self.context.cancel()
        setup = setup_task(self.plan)
        if setup is not None:
            await self.lane.submit([setup])

    async def _advance(self) -> None:
        """Queue whatever can be queued now, in one batch."""
        while (asked := await self._move()) is not None:
            await self._hash(asked)

    async def _move(self) -> Hash | None:
        """Carry out the machine's moves; return what it must know to go on."""
        asked: Hash | None = None
        tasks: list[StepTask] = []
        for move in self.machine.moves():
            match move:
                case Queue():
                    tasks.append(move.task)
                case Settle():
                    self.book.write(move.result)
                case Hash():
                    asked = move
                case Finish():
                    self.finish = move
        final = self.machine.exhausted and not self.told_final
        if final and (ending := ending_task(self.plan)) is not None:
            tasks.append(ending)
        if tasks or final:
            self.told_final = self.told_final or final
            await self.lane.submit(tasks, final=final)
        return asked

    async def _hash(self, asked: Hash) -> None:
        try:
            value = await self.lane.hash_files(asked.step, asked.arguments)
        except GrindError as error:
            self.book.write(self.machine.not_hashed(str(error)).result)
        else:
            self.machine.hashed(asked.arguments, value)

    def _cancelled(self, event: Cancelled) -> None:
        self.machine.cancelled()
        if event.reason == "timeout":
            self.cut_short = self.running

    async def _event(self, event: Started | Output | Ended | Passed) -> None:
        known = event.index in self.steps
        match event:
            case Started() if known:
                self._started(event)
            case Output() if known:
                await self.logs[event.index].feed(event.data)
            case Output() if event.index == SETUP_INDEX:
                self.setup_said = (self.setup_said + event.data)[-4096:]
            case Passed() if known:
                self.book.write(self.machine.passed(self.steps[event.index].index))
                await self._advance()
            case Passed() if event.index == SETUP_INDEX:
                self.machine.cancelled()  # before the job was set up
            case Ended() if known:
                await self._ended(event)
                await self._advance()
            case Ended() if event.index == SETUP_INDEX:
                self._set_up(event)
            case _:
                pass

    def _started(self, event: Started) -> None:
        step = self.steps[event.index]
        if not step.background:
            self.running = event.index
        self.logs[event.index] = StepLog(
            self.plan.key,
            step,
            store=self.inputs.logs,
            emit=self.inputs.emit,
            masks=self.masks,
            matchers=self.matchers,
            lane=self.lane,
            debug=self.inputs.debug,
        )
        self.inputs.emit(e.StepStarted(self.plan.key, step.index, step.name))

    def _set_up(self, event: Ended) -> None:
        if event.exit_code == 0 and event.reason == "exit":
            return
        text = self.setup_said.decode("utf-8", "replace").strip()
        self.problem = f"the job could not be set up: {text or event.reason}"
        self.machine.not_set_up()

    async def _ended(self, event: Ended) -> None:
        step = self.steps[event.index]
        if not step.background:
            self.running = None
        said = await self.logs.pop(event.index).finish()
        summary = await self.lane.read(event.index, "summary")
        if summary:
            said_there = hide(summary.decode("utf-8", "replace"), self.masks)
            keep_summary(self.plan.key, step.index, said_there, self.inputs.logs, self.inputs.emit)
        result = self.machine.ended(
            step.index,
            exit_code=event.exit_code,
            reason="cancelled" if event.index == self.cut_short else event.reason,
            outputs=said.outputs | await self._pairs(event.index, "output", wanted=bool(step.id)),
            env=await self._pairs(event.index, "env", wanted=self.env_matters),
            detail=hide(event.detail, self.masks),
            duration=event.ended - event.started,
            fault=said.fault,
        )
        if said.fault and result.conclusion == "failure":
            self.problem = self.problem or said.fault
        if result.outcome == "success" and _runs_tests(result):
            wanted = self.inputs.min_tests.get(self.plan.key)
            reason = shortfall(said.tests, wanted, filtered=said.filtered)
            if reason:
                result = failed(result, reason)
                if result.gating and not self.problem:
                    self.problem = reason
        duration = event.ended - event.started
        self.book.write(result, Execution(said, event.exit_code, duration))

    async def _pairs(self, index: int, name: str, *, wanted: bool) -> dict[str, str]:
        """Read a command file, when something can refer to what is in it."""
        return read_pairs(await self.lane.read(index, name)) if wanted else {}

    async def _lost(self, reason: str) -> JobEnding:
        """Nothing more will be heard: every step still gets its one result."""
        for result in self.machine.abandoned(f"not reached: the host lost the job ({reason})"):
            log = self.logs.pop(lane_index(result.step.index), None)
            if log is None:
                self.book.write(result)
                continue
            ended = result._replace(
                verdict=result.step.verdict,
                outcome="failure",
                conclusion="failure",
                reason=f"the host lost the job: {reason}",
            )
            self.book.write(ended, Execution(await log.finish(), None, 0.0))
        return JobEnding("lost", reason, {}, tuple(self.book.records))

    def _ending(self, finish: Finish, status: str) -> JobEnding:
        conclusion, reason = finish.conclusion, finish.reason
        if self.problem and conclusion in ("success", "refused", "failure"):
            conclusion, reason = "failure", self.problem
        elif status == "cancelled" and not self.context.cancelling:
            conclusion, reason = "cancelled", "the host stopped the job: its time was over"
        elif status != "success" and conclusion == "success":
            conclusion, reason = "failure", f"the host says {status}"
        outputs = {
            # As the runner: an output that holds a secret is not handed on.
            name: "" if isinstance(value, str) and hide(value, self.masks) != value else value
            for name, value in finish.outputs.items()
        }
        return JobEnding(conclusion, reason, outputs, tuple(self.book.records))


def _runs_tests(result: StepResult) -> bool:
    step = result.step
    return step.run is not None or (step.recipe is not None and step.recipe.kind == "run")


def _templates(plan: JobPlan) -> Iterator[str]:
    """Yield every text of a job that may hold an expression."""
    yield from plan.outputs.values()
    for step in plan.steps:
        source = step.source
        yield from (source.if_, source.name, source.run or "", source.shell)
        yield from (source.working_directory, *source.env.values(), *source.with_.values())
        yield from (str(source.continue_on_error), str(source.timeout_minutes))

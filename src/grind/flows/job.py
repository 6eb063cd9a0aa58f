"""One job on a host: feed the machine's moves to a lane and the lane's events to the machine."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from grind.core import events as e
from grind.core.plan import JobPlan
from grind.core.receipt import StepRecord
from grind.core.task import StepTask
from grind.flows.steplog import StepLog
from grind.ports import Ended, Lane, LaneDone, LaneLost, LaneSpec, Output, Passed, Started
from grind.workflows import contexts as ctx
from grind.workflows.filecommands import read_pairs
from grind.workflows.jobenv import event_file, job_environment
from grind.workflows.jobrun import Finish, JobMachine, Queue, Settle, StepResult

if TYPE_CHECKING:
    from grind.flows.engine import EngineInputs

DEFAULT_TIMEOUT = 360.0
"""Minutes that GitHub gives a job without `timeout-minutes`."""


class JobEnding(NamedTuple):
    """How a job ended."""

    conclusion: str
    reason: str
    outputs: dict[str, Any]
    records: tuple[StepRecord, ...]


class JobContext:
    """A job that is about to run, or runs."""

    def __init__(self, plan: JobPlan, inputs: EngineInputs, contexts: dict[str, Any]) -> None:
        self.plan = plan
        self.inputs = inputs
        self.contexts = contexts
        self.lane: Lane | None = None
        self.machine: JobMachine | None = None

    async def cancel(self) -> None:
        """Cancel as GitHub cancels a job."""
        if self.machine is not None:
            self.machine.cancelled()
        if self.lane is not None:
            await self.lane.cancel()


def lane_key(job_key: str) -> str:
    """Return the lane's name for a job: readable, safe as a folder, and never shared by two."""
    slug = re.sub(r"[^0-9A-Za-z._-]+", "-", job_key).strip("-.")[:40]
    return f"{slug}-{hashlib.sha256(job_key.encode()).hexdigest()[:8]}"


async def run_job(context: JobContext) -> JobEnding:
    """Run the job to its end."""
    plan, inputs = context.plan, context.inputs
    started = inputs.clock.now()
    timeout = plan.timeout_minutes
    lane = await inputs.host.lane(
        LaneSpec(
            run=inputs.run,
            key=lane_key(plan.key),
            repository=inputs.repository,
            name=inputs.situation.repository.rpartition("/")[2] or "repository",
            timeout=60 * (timeout if isinstance(timeout, float | int) else DEFAULT_TIMEOUT),
        )
    )
    context.lane = lane
    runner = _Runner(context, lane)
    inputs.emit(e.JobStarted(plan.key))
    ending = await runner.run()
    inputs.emit(
        e.JobEnded(
            job=plan.key,
            conclusion=ending.conclusion,
            reason=ending.reason,
            duration=inputs.clock.now() - started,
        )
    )
    return ending


class _Runner:
    def __init__(self, context: JobContext, lane: Lane) -> None:
        self.plan = context.plan
        self.inputs = context.inputs
        self.lane = lane
        paths = lane.paths
        hosted = "self-hosted" not in self.plan.runs_on
        inner = dict(context.contexts)
        inner["github"] = inner["github"] | {
            "workspace": paths.workspace,
            "event_path": f"{paths.events}/event.json",
        }
        inner["runner"] = ctx.runner(
            self.inputs.situation,
            {"temp": paths.temp, "tool_cache": paths.tool_cache},
            hosted=hosted,
        )
        self.machine = JobMachine(self.plan, inner, self.inputs.tasks)
        context.machine = self.machine
        self.logs: dict[int, StepLog] = {}
        self.masks: set[str] = set()
        self.records: list[StepRecord] = []
        self.finish: Finish | None = None
        self.told_final = False
        self.steps = {step.index: step for step in self.plan.steps}

    async def run(self) -> JobEnding:
        paths = self.lane.paths._asdict()
        env = job_environment(
            self.plan,
            self.inputs.situation,
            paths,
            self.inputs.host.environment,
            self.machine.job_env,
        )
        files = {"event.json": event_file(self.inputs.situation)}
        await self.lane.begin(tuple(env.items()), files)
        await self._advance()
        lost = ""
        async for event in self.lane.events():
            match event:
                case Started():
                    self._started(event)
                case Output():
                    self._output(event)
                case Passed():
                    self._settled(self.machine.passed(event.index))
                    await self._advance()
                case Ended():
                    await self._ended(event)
                    await self._advance()
                case LaneLost():
                    lost = event.reason
                case LaneDone():
                    pass
        for log in self.logs.values():
            log.close()
        if lost or self.finish is None:
            return JobEnding("lost", lost or "the lane ended early", {}, tuple(self.records))
        zero = next((r for r in self.records if r.gating and r.reason.startswith("ran ")), None)
        if zero is not None and self.finish.conclusion == "success":
            return JobEnding("failure", zero.reason, self.finish.outputs, tuple(self.records))
        return JobEnding(
            self.finish.conclusion,
            self.finish.reason,
            self.finish.outputs,
            tuple(self.records),
        )

    async def _advance(self) -> None:
        """Queue whatever can be queued now, in one batch."""
        tasks: list[StepTask] = []
        for move in self.machine.moves():
            match move:
                case Queue():
                    tasks.append(move.task)
                case Settle():
                    self._settled(move.result)
                case Finish():
                    self.finish = move
        final = self.machine.exhausted and not self.told_final
        if tasks or final:
            self.told_final = self.told_final or final
            await self.lane.submit(tasks, final=final)

    def _started(self, event: Started) -> None:
        step = self.steps[event.index]
        self.logs[event.index] = StepLog(
            self.plan.key, step, self.inputs.logs, self.inputs.emit, self.masks
        )
        self.inputs.emit(e.StepStarted(self.plan.key, event.index, step.name))

    def _output(self, event: Output) -> None:
        self.logs[event.index].feed(event.data)

    async def _ended(self, event: Ended) -> None:
        log = self.logs.pop(event.index)
        said = log.finish()
        outputs = dict(said.outputs) | read_pairs(await self.lane.read(event.index, "output"))
        result = self.machine.ended(
            event.index,
            exit_code=event.exit_code,
            reason=event.reason,
            outputs=outputs,
            env=read_pairs(await self.lane.read(event.index, "env")),
            detail=event.detail,
        )
        wanted = self.inputs.min_tests.get(self.plan.key)
        if result.outcome == "success":
            result = _enough_tests(result, said.tests, wanted, filtered=said.filtered)
        self.inputs.emit(
            e.StepEnded(
                job=self.plan.key,
                step=event.index,
                name=result.step.name,
                verdict=result.verdict,
                outcome=result.outcome,
                conclusion=result.conclusion,
                gating=result.gating,
                reason=result.reason,
                exit_code=event.exit_code,
                duration=event.ended - event.started,
                log=said.path,
                log_sha256=said.sha256,
                log_bytes=said.size,
                tests=said.tests,
            )
        )
        self.records.append(
            StepRecord(
                job=self.plan.key,
                step=event.index,
                name=result.step.name,
                verdict=result.verdict,
                conclusion=result.conclusion,
                gating=result.gating,
                reason=result.reason,
                exit_code=event.exit_code,
                duration=event.ended - event.started,
                log_sha256=said.sha256,
                tests=said.tests,
            )
        )

    def _settled(self, result: StepResult) -> None:
        """A step that has its result without having run."""
        self.inputs.emit(
            e.StepEnded(
                job=self.plan.key,
                step=result.step.index,
                name=result.step.name,
                verdict=result.verdict,
                outcome=result.outcome,
                conclusion=result.conclusion,
                gating=result.gating,
                reason=result.reason,
            )
        )
        self.records.append(
            StepRecord(
                job=self.plan.key,
                step=result.step.index,
                name=result.step.name,
                verdict=result.verdict,
                conclusion=result.conclusion,
                gating=result.gating,
                reason=result.reason,
            )
        )


def _enough_tests(
    result: StepResult, ran: int | None, wanted: int | None, *, filtered: bool
) -> StepResult:
    """A filtered test step that ran no test has proven nothing (F20), whatever it exits with."""
    if wanted is None:
        if not (filtered and ran == 0):
            return result
        return result._replace(
            outcome="failure",
            conclusion="failure",
            reason="ran no test: its filter matches nothing",
        )
    if ran is None or ran < wanted:
        said = "an unknown number of" if ran is None else str(ran)
        return result._replace(
            outcome="failure",
            conclusion="failure",
            reason=f"ran {said} tests, and grind.toml wants at least {wanted}",
        )
    return result

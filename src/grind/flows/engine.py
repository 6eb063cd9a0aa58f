"""Carry out a plan on a host: jobs in the order of their needs, side by side up to a limit.

The engine asks the pure job machine what to queue, gives it to the host's lanes, and turns what
comes back into events. It decides nothing about verdicts and prints nothing.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from grind.core import events as e
from grind.core.errors import ExitCode, GrindError
from grind.core.outcome import JobOutcome
from grind.core.plan import JobPlan, Plan, Verdict
from grind.core.receipt import StepRecord
from grind.flows.heads import head_of
from grind.flows.job import JobContext, run_job
from grind.ports import Clock, Host, LogStore
from grind.workflows.callers import called_result, contexts_of
from grind.workflows.contexts import Situation
from grind.workflows.expressions import UNKNOWN, ExpressionError, UnknownValueError
from grind.workflows.job_inputs import Given
from grind.workflows.jobgraph import JobResult, Leave, combined, decide
from grind.workflows.matrix import MatrixError
from grind.workflows.services import end_of_run
from grind.workflows.tasks import TaskInputs

Emit = Callable[[e.Event], None]
_END_SECONDS = 60.0
Expand = Callable[[JobPlan, Mapping[str, Given]], Awaitable[tuple[JobPlan, ...]]]


async def _at_once() -> None:
    """Nothing has to come."""


class EngineInputs(NamedTuple):
    """What carrying out a plan depends on."""

    host: Host
    clock: Clock
    logs: LogStore
    emit: Emit
    run: str
    """Identifier of the run; lanes of an earlier attempt at it are taken up again."""
    situation: Situation
    tasks: TaskInputs
    repository: str
    """Path on the host of the private repository; `arrived` says when it is there."""
    parallel: int
    min_tests: Mapping[str, int]
    """Job key → the number of tests its steps must have run."""
    debug: bool = False
    """Whether `::debug::` lines are shown."""
    arrived: Callable[[], Awaitable[object]] = _at_once
    """Return when the repository is on the host, however often it is awaited. Raises what kept it."""

    expand: Expand | None = None
    """Lowers a job that is open again; without it such a job is refused."""


class Results(NamedTuple):
    """What became of every job and step that was part of the run."""

    jobs: dict[str, JobOutcome]
    steps: tuple[StepRecord, ...]
    expanded: Mapping[str, tuple[JobPlan, ...]] = {}
    """Key of a job that was open → the jobs that it came to."""

    def real(self, jobs: Iterable[JobPlan]) -> Iterator[JobPlan]:
        """Yield the jobs, with those that an open one came to in its place."""
        for job in jobs:
            found = self.expanded.get(job.key) if job.open else None
            if found is None:
                yield job
            else:
                yield from self.real(found)


class Engine:
    """One run of a plan, or of some of its jobs."""

    def __init__(self, plan: Plan, inputs: EngineInputs, only: Iterable[str] | None = None) -> None:
        """`only` are the keys of the jobs to run; None means all active ones."""
        chosen = None if only is None else set(only)
        self._inputs = inputs
        self._jobs = {
            job.key: job
            for job in plan.jobs
            if job.active and (chosen is None or job.key in chosen)
        }
        self._siblings: dict[tuple[str, str], tuple[JobPlan, ...]] = {}
        for job in plan.jobs:
            group = (job.workflow, job.id)
            self._siblings[group] = (*self._siblings.get(group, ()), job)
        self._results: dict[str, JobResult] = {
            job.key: JobResult("skipped", {}) for job in plan.jobs if not job.active
        }
        self._outcomes: dict[str, JobOutcome] = {}
        self._records: list[StepRecord] = []
        self._over = {key: asyncio.Event() for key in self._jobs}
        self._slots = asyncio.Semaphore(max(1, inputs.parallel))
        self._groups: dict[tuple[str, str], asyncio.Semaphore] = {}
        self._running: dict[str, JobContext] = {}
        self._given: dict[tuple[str, str], Given] = {}
        """What open jobs have been told, by workflow and id."""
        self._expanded: dict[str, tuple[JobPlan, ...]] = {}
        self._doomed: set[str] = set()
        """Jobs that fail-fast has cancelled."""

    async def run(self) -> Results:
        """Run to the end. When it is cancelled, everything on the host is ended first.

        When it is only paused (a full disk here), the host goes on: the run is taken up again.
        """
        try:
            await _together(self._job(job) for job in self._jobs.values())
        except BaseException as error:
            if not _is_pause(error):
                await self._end()
            raise
        return Results(self._outcomes, tuple(self._records), self._expanded)

    async def _end(self) -> None:
        """End everything on the host: processes, and the containers that are nobody's children."""
        host, run = self._inputs.host, self._inputs.run
        await host.abandon(run)
        for engine in sorted({job.engine for job in self._jobs.values() if job.engine}):
            await host.run(end_of_run(engine, run), seconds=_END_SECONDS)

    async def _job(self, job: JobPlan) -> None:
        try:
            await self._carry_out(job)
        finally:
            self._over[job.key].set()

    async def _carry_out(self, job: JobPlan) -> None:
        await self._wait_for_needs(job)
        if job.verdict is Verdict.SKIPPED:
            self._settle(job, "unproven", job.reason)
            return
        siblings = {i: group for (w, i), group in self._siblings.items() if w == job.workflow}
        static = contexts_of(job, siblings, self._results, self._inputs.situation)
        decision = (
            static if isinstance(static, Leave) else decide(job, siblings, self._results, static)
        )
        if isinstance(static, Leave):
            self._settle(job, static.conclusion, static.reason)
        elif isinstance(decision, Leave):
            self._settle(job, decision.conclusion, decision.reason)
        elif job.call is not None:
            known = static | {"needs": decision.needs}
            self._end_call(job, called_result(job, siblings, self._results, known))
        elif job.refused_whole or not _anything_to_do(job):
            self._settle(job, "refused", job.reason)
        elif job.open:
            await self._expand(job, Given(decision.needs, static["inputs"]))
        else:
            await self._start(job, static | {"needs": decision.needs})

    # --- open jobs -------------------------------------------------------------------------------

    async def _expand(self, job: JobPlan, told: Given) -> None:
        """Lower an open job again, and carry out what it comes to in its place."""
        if self._inputs.expand is None:
            self._settle(job, "refused", job.reason)
            return
        started = self._inputs.clock.now()
        self._given[job.workflow, job.id] = told
        ids = (*(caller.id for caller in job.callers), job.id)
        given = {i: self._given[job.workflow, i] for i in ids if (job.workflow, i) in self._given}
        try:
            found = await self._inputs.expand(job, given)
        except UnknownValueError as error:
            self._settle(job, "refused", str(error))
            return
        except (ExpressionError, MatrixError) as error:
            self._settle(job, "failure", f"strategy: {error}, which GitHub refuses too")
            return
        if not found:
            self._settle(job, "refused", "it came to no job when it was lowered again")
            return
        self._take(job, found)
        self._inputs.emit(e.JobExpanded(job.key, tuple(head_of(one) for one in found)))
        await _together(
            self._carry_out(one) if one.key == job.key else self._job(one)
            for one in found
            if one.active
        )
        if job.key not in {one.key for one in found}:
            self._end_open(job, self._inputs.clock.now() - started)

    def _take(self, job: JobPlan, found: tuple[JobPlan, ...]) -> None:
        """Put jobs in the place of an open one."""
        self._expanded[job.key] = found
        own = tuple(one for one in found if one.id == job.id)
        group = (job.workflow, job.id)
        rest = self._siblings[group]
        place = rest.index(job)
        self._siblings[group] = (*rest[:place], *own, *rest[place + 1 :])
        for one in found:
            if one.id != job.id:
                group = (one.workflow, one.id)
                self._siblings[group] = (*self._siblings.get(group, ()), one)
            if not one.active:
                self._results[one.key] = JobResult("skipped", {})
            elif one.key != job.key:
                self._jobs[one.key] = one
                self._over[one.key] = asyncio.Event()

    def _end_open(self, job: JobPlan, duration: float) -> None:
        """All that an open job came to is over, and so is the job."""
        own = [one for one in self._expanded[job.key] if one.id == job.id]
        result = combined(self._results[one.key] for one in own if one.key in self._results)
        reason = f"came to {len(own)} job{'s' if len(own) != 1 else ''}"
        self._outcomes[job.key] = JobOutcome(result.conclusion, reason)
        self._inputs.emit(
            e.JobEnded(job=job.key, conclusion=result.conclusion, reason=reason, duration=duration)
        )

    # --- the rest --------------------------------------------------------------------------------

    async def _wait_for_needs(self, job: JobPlan) -> None:
        for need in job.waits_for:
            for other in self._siblings.get((job.workflow, need), ()):
                if other.key in self._over:
                    await self._over[other.key].wait()

    def _end_call(self, job: JobPlan, result: JobResult) -> None:
        """The jobs of the workflow that a job calls are over, and so is the job."""
        self._settle(job, result.conclusion, "")
        self._results[job.key] = result

    async def _start(self, job: JobPlan, contexts: dict[str, Any]) -> None:
        group = (job.workflow, job.id)
        limit = self._groups.setdefault(
            group, asyncio.Semaphore(job.max_parallel or len(self._siblings[group]))
        )
        async with limit, self._slots:
            if job.key in self._doomed:
                self._settle(job, "cancelled", "another combination failed (fail-fast)")
                return
            context = JobContext(job, self._inputs, contexts)
            self._running[job.key] = context
            try:
                ended = await run_job(context)
            finally:
                del self._running[job.key]
        self._records += ended.records
        self._outcomes[job.key] = JobOutcome(ended.conclusion, ended.reason, ended.forgiven)
        self._results[job.key] = JobResult(
            "failure" if ended.conclusion == "lost" else ended.conclusion,
            ended.outputs,
            ended.forgiven,
        )
        if ended.conclusion == "failure" and job.fail_fast and not ended.forgiven:
            await self._cancel_siblings(job)

    async def _cancel_siblings(self, job: JobPlan) -> None:
        others = {
            other.key
            for other in self._siblings[job.workflow, job.id]
            if other.key != job.key and other.key in self._jobs
        }
        # All before the first is waited for: meanwhile one that waits for a slot could begin.
        self._doomed |= others
        for key in sorted(others & self._running.keys()):
            if key in self._running:
                await self._running[key].cancel()

    def _settle(self, job: JobPlan, conclusion: str, reason: str) -> None:
        self._outcomes[job.key] = JobOutcome(conclusion, reason)
        outputs = dict.fromkeys(job.outputs, UNKNOWN) if job.left else {}
        self._results[job.key] = JobResult(conclusion, outputs, left=job.left)
        self._inputs.emit(e.JobEnded(job=job.key, conclusion=conclusion, reason=reason))


async def _together(all_: Iterable[Coroutine[None, None, None]]) -> None:
    """Carry all out side by side; when one cannot go on, the others are cancelled and waited for."""
    tasks = [asyncio.create_task(one) for one in all_]
    try:
        await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise


def _anything_to_do(job: JobPlan) -> bool:
    """Whether a step would run before the first one that is refused."""
    open_: set[int | None] = set()
    """Calls of actions that may turn out not to be made."""
    for step in job.steps:
        if step.source.if_ or step.parent in open_:
            open_.add(step.index)
        if step.call is not None:
            continue  # its own steps follow
        if step.verdict is Verdict.REFUSED and step.index not in open_:
            return False
        if step.executes:
            return True
    return True


def _is_pause(error: BaseException) -> bool:
    """Whether only the place for records is missing, here or on the host, or the way to the host."""
    if isinstance(error, GrindError):
        return error.code in (ExitCode.PAUSED, ExitCode.UNREACHABLE)
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

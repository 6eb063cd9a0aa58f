"""Carry out a plan on a host: jobs in the order of their needs, side by side up to a limit.

The engine asks the pure job machine what to queue, gives it to the host's lanes, and turns what
comes back into events. It decides nothing about verdicts and prints nothing.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from grind.core import events as e
from grind.core.errors import ExitCode, GrindError
from grind.core.outcome import JobOutcome
from grind.core.plan import JobPlan, Plan, Verdict
from grind.core.receipt import StepRecord
from grind.flows.job import JobContext, run_job
from grind.ports import Clock, Host, LogStore
from grind.workflows.callers import called_result, contexts_of
from grind.workflows.contexts import Situation
from grind.workflows.jobgraph import JobResult, Leave, decide
from grind.workflows.services import end_of_run
from grind.workflows.tasks import TaskInputs

Emit = Callable[[e.Event], None]
_END_SECONDS = 60.0


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
    """Path on the host of the private repository."""
    parallel: int
    min_tests: Mapping[str, int]
    """Job key → the number of tests its steps must have run."""
    debug: bool = False
    """Whether `::debug::` lines are shown."""


class Results(NamedTuple):
    """What became of every job and step that was part of the run."""

    jobs: dict[str, JobOutcome]
    steps: tuple[StepRecord, ...]


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
        self._doomed: set[str] = set()
        """Jobs that fail-fast has cancelled."""

    async def run(self) -> Results:
        """Run to the end. When it is cancelled, everything on the host is ended first.

        When it is only paused (a full disk here), the host goes on: the run is taken up again.
        """
        tasks = [asyncio.create_task(self._job(job)) for job in self._jobs.values()]
        try:
            await asyncio.gather(*tasks)
        except BaseException as error:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            if not _is_pause(error):
                await self._end()
            raise
        return Results(self._outcomes, tuple(self._records))

    async def _end(self) -> None:
        """End everything on the host: processes, and the containers that are nobody's children."""
        host, run = self._inputs.host, self._inputs.run
        await host.abandon(run)
        for engine in sorted({job.engine for job in self._jobs.values() if job.engine}):
            await host.run(end_of_run(engine, run), seconds=_END_SECONDS)

    async def _job(self, job: JobPlan) -> None:
        try:
            await self._wait_for_needs(job)
            if job.verdict is Verdict.SKIPPED:
                self._settle(job, "unproven", job.reason)
                return
            siblings = {i: group for (w, i), group in self._siblings.items() if w == job.workflow}
            static = contexts_of(job, siblings, self._results, self._inputs.situation)
            decision = (
                static
                if isinstance(static, Leave)
                else decide(job, siblings, self._results, static)
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
            else:
                await self._start(job, static | {"needs": decision.needs})
        finally:
            self._over[job.key].set()

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
        self._results[job.key] = JobResult(conclusion, {})
        self._inputs.emit(e.JobEnded(job=job.key, conclusion=conclusion, reason=reason))


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
    """Whether only the place for records is missing, here or on the host."""
    if isinstance(error, GrindError):
        return error.code is ExitCode.PAUSED
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

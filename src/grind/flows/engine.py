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
from grind.workflows import contexts as ctx
from grind.workflows.contexts import Situation
from grind.workflows.jobgraph import JobResult, Leave, decide
from grind.workflows.tasks import TaskInputs

Emit = Callable[[e.Event], None]


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
                await self._inputs.host.abandon(self._inputs.run)
            raise
        return Results(self._outcomes, tuple(self._records))

    async def _job(self, job: JobPlan) -> None:
        try:
            await self._wait_for_needs(job)
            if job.verdict is Verdict.SKIPPED:
                self._settle(job, "unproven", job.reason)
                return
            siblings = {i: group for (w, i), group in self._siblings.items() if w == job.workflow}
            decision = decide(job, siblings, self._results, self._static(job))
            if isinstance(decision, Leave):
                self._settle(job, decision.conclusion, decision.reason)
            elif job.refused_whole or not _anything_to_do(job):
                self._settle(job, "refused", job.reason)
            else:
                await self._start(job, decision.needs)
        finally:
            self._over[job.key].set()

    async def _wait_for_needs(self, job: JobPlan) -> None:
        for need in job.needs:
            for other in self._siblings.get((job.workflow, need), ()):
                if other.key in self._over:
                    await self._over[other.key].wait()

    async def _start(self, job: JobPlan, needs: dict[str, Any]) -> None:
        group = (job.workflow, job.id)
        limit = self._groups.setdefault(
            group, asyncio.Semaphore(job.max_parallel or len(self._siblings[group]))
        )
        async with limit, self._slots:
            if job.key in self._doomed:
                self._settle(job, "cancelled", "another combination failed (fail-fast)")
                return
            context = JobContext(job, self._inputs, self._static(job) | {"needs": needs})
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

    def _static(self, job: JobPlan) -> dict[str, Any]:
        return {
            "github": ctx.github(
                self._inputs.situation,
                workflow=job.workflow_name,
                workflow_path=job.workflow,
                job=job.id,
                extra={},
            ),
            "inputs": ctx.inputs(self._inputs.situation),
            "vars": ctx.variables(),
            "matrix": job.matrix,
            "strategy": ctx.strategy(
                index=job.strategy_index,
                total=job.strategy_total,
                fail_fast=job.fail_fast,
                max_parallel=job.max_parallel,
            ),
        }


def _anything_to_do(job: JobPlan) -> bool:
    """Whether a step would run before the first one that is refused."""
    for step in job.steps:
        if step.verdict is Verdict.REFUSED and not step.source.if_:
            return False
        if step.executes:
            return True
    return True


def _is_pause(error: BaseException) -> bool:
    """Whether only the place for records is missing, here or on the host."""
    if isinstance(error, GrindError):
        return error.code is ExitCode.PAUSED
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

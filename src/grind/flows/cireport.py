"""What a watch tells while it goes on: what has changed, and why what is red is red, each once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from grind.core import events as e
from grind.core.ci import CiJob, CiRun, CiVerdict
from grind.core.cilog import step_part
from grind.core.errors import LimitedError, UnreachableError
from grind.core.parity import Failure, Local, failure_of
from grind.core.watching import Judgement, Seen, red_jobs
from grind.ports import Forge, LogStore

_LOGS_AT_MOST = 8
"""Failed jobs of one run whose logs are fetched; a matrix may have hundreds."""
_LOG_TRIES = 5
_FIRST_TRY_AFTER = 3.0
"""A log may be there only a while after its job's end: 3, 6, 12 and 24 seconds are waited."""


class Reporter:
    """Tells the events of one watch."""

    def __init__(
        self,
        forge: Forge,
        record: Callable[[e.Event], None],
        logs: LogStore,
        explain: Callable[[Failure], Awaitable[Local]],
    ) -> None:
        self._forge = forge
        self._record = record
        self._logs = logs
        self._local = explain
        self._runs: dict[int, tuple[int, str, str | None]] = {}
        self._jobs: dict[int, tuple[str, str | None, str]] = {}
        self._explained: set[int] = set()
        self._tries: dict[int, int] = {}
        self._due: dict[int, float] = {}

    def changes(self, seen: Seen, judgement: Judgement) -> None:
        """Tell of the runs and jobs that count."""
        expected = {row.path: row.expected for row in judgement.rows}
        for run in seen.runs.values():
            if run.path not in expected:
                continue
            now = (run.attempt, run.status, run.conclusion)
            if self._runs.get(run.id) != now:
                self._runs[run.id] = now
                self._tell_run(run, expected[run.path])
            for job in seen.jobs.get(run.id, ()):
                self._tell_job(run, job)

    def _tell_run(self, run: CiRun, expected: bool) -> None:
        self._record(
            e.CiRunSeen(
                workflow=run.path,
                run=run.id,
                attempt=run.attempt,
                status=run.status,
                conclusion=run.conclusion,
                url=run.url,
                expected=expected,
            )
        )

    def _tell_job(self, run: CiRun, job: CiJob) -> None:
        at = next((step for step in job.steps if step.status == "in_progress"), None)
        now = (job.status, job.conclusion, at.name if at and not job.over else "")
        if self._jobs.get(job.id) == now:
            return
        self._jobs[job.id] = now
        timed = job.over and job.started is not None and job.completed is not None
        self._record(
            e.CiJobSeen(
                workflow=run.path,
                run=run.id,
                job=job.name,
                status=job.status,
                conclusion=job.conclusion,
                step=now[2],
                number=at.number if at is not None and now[2] else 0,
                duration=max((job.completed or 0) - (job.started or 0), 0.0) if timed else 0.0,
            )
        )

    async def explain(self, seen: Seen, judgement: Judgement, now: float) -> bool:
        """Explain the next red job whose turn has come; False when there is none."""
        for run, job, number in self._red(seen, judgement):
            if self._due.get(job.id, now) <= now:
                await self._explain(run, job, number, now)
                return True
        return False

    def pending(self, seen: Seen, judgement: Judgement, now: float) -> float | None:
        """Return the seconds until a red job's turn comes; None when all are explained."""
        turns = [
            max(self._due.get(job.id, now) - now, 0.0) for _, job, _ in self._red(seen, judgement)
        ]
        return min(turns, default=None)

    def _red(self, seen: Seen, judgement: Judgement) -> list[tuple[CiRun, CiJob, int]]:
        """Return the red jobs that are not explained: run, job, and its number among the red."""
        return [
            (seen.runs[row.run], job, number)
            for row in judgement.rows
            if row.settled and row.verdict in (CiVerdict.FAILED, CiVerdict.TIMED_OUT) and row.run
            for number, job in enumerate(red_jobs(seen.jobs.get(row.run, ())))
            if job.id not in self._explained
        ]

    async def _explain(self, run: CiRun, job: CiJob, number: int, now: float) -> None:
        failure, step = failure_of(run.path, job)
        log = None
        if number < _LOGS_AT_MOST:
            log = await self._log(job)
            tries = self._tries[job.id] = self._tries.get(job.id, 0) + 1
            if log is None and tries < _LOG_TRIES:
                self._due[job.id] = now + _FIRST_TRY_AFTER * 2 ** (tries - 1)
                return
        local = await self._local(failure)
        self._explained.add(job.id)
        self._record(
            e.CiStepFailed(
                workflow=run.path,
                run=run.id,
                job=job.name,
                step=failure.step,
                conclusion=(step.conclusion if step else job.conclusion) or "failure",
                url=job.url,
                log=self._keep(run, job, step_part(log, step)) if log is not None else "",
                local=local.verdict,
                told=local.told,
                suggestion=local.suggestion,
            )
        )

    async def _log(self, job: CiJob) -> bytes | None:
        try:
            return await self._forge.log(job.id)
        except LimitedError:
            raise
        except UnreachableError:  # the logs are kept elsewhere: the forge may well be there
            return None

    def _keep(self, run: CiRun, job: CiJob, part: bytes) -> str:
        writer = self._logs.writer(f"{run.path.rpartition('/')[2]}-{job.name}", job.id)
        try:
            writer.write(part)
        finally:
            writer.close()
        return writer.path

"""`grind watch`: follow exactly the runs of one commit until each of them has its verdict.

Everything is read again from the forge, so a watch that was cut off is taken up by starting it
again; only the time of the push has to be remembered (`WatchInputs.since`). A forge that does not
answer, or wants to be left alone, is waited for: that is never a verdict.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from grind.core import events as e
from grind.core.ci import CiJob, CiRun, CiVerdict, Target
from grind.core.cilog import step_part
from grind.core.errors import LimitedError, RefusedError, UnreachableError
from grind.core.parity import Failure, Local, failure_of
from grind.core.watching import (
    FIRST_DELAY,
    Judgement,
    Rules,
    judge,
    next_delay,
    paced,
    red_jobs,
)
from grind.flows.ciquestions import Looker
from grind.ports import Clock, Forge, LogStore

_LOGS_AT_MOST = 8
"""Failed jobs of one run whose logs are fetched; a matrix may have hundreds."""
_LOG_TRIES = 3
_REFUSALS_AT_MOST = 3


class Patience(NamedTuple):
    """How long to wait for what, in seconds."""

    total: float = 2 * 3600.0
    """For everything."""
    creation: float = 15 * 60.0
    """For a run to appear, from the push on."""
    quiet: float = 20.0
    """For a run that nobody expects, from the push on."""
    unreachable: float = 15 * 60.0
    """For a forge that does not answer."""


class Recorder(Protocol):
    """Where events go."""

    def __call__(self, event: e.Event) -> None:
        """Record and show one event."""


class WatchInputs(NamedTuple):
    """What a watch depends on."""

    forge: Forge
    clock: Clock
    record: Recorder
    target: Target
    rules: Rules
    since: float
    """When the commit was pushed: seconds since the epoch."""
    explain: Callable[[Failure], Awaitable[Local]]
    """Says what was known here of a step that failed."""
    logs: LogStore
    left_out: tuple[str, ...] = ()
    patience: Patience = Patience()
    resumed: bool = False


async def watch(inputs: WatchInputs) -> e.WatchEnded:
    """Follow the runs; return what became of them.

    Raises UnreachableError when the forge does not answer for too long, RefusedError when it lets
    this user see nothing.
    """
    inputs.record(
        e.WatchStarted(
            forge=inputs.forge.name,
            commit=inputs.target.sha,
            event=inputs.target.event,
            branch=inputs.target.branch,
            expected=tuple(one.path for one in inputs.rules.expected),
            left_out=inputs.left_out,
            since=inputs.since,
            resumed=inputs.resumed,
        )
    )
    return await _Watch(inputs).run()


class _Watch:
    """One watch."""

    def __init__(self, inputs: WatchInputs) -> None:
        self._in = inputs
        self._look = Looker(inputs.forge, inputs.target)
        self._reporter = _Reporter(inputs)
        self._begun = inputs.clock.now()
        self._outage: float | None = None
        self._refusals = 0
        self._answered = False
        self._confirmed = False

    async def run(self) -> e.WatchEnded:
        delay = FIRST_DELAY
        while True:
            wait, reason = await self._guarded_round(delay)
            judgement = self._judge()
            if wait is None:
                return self._end(judgement, "")
            left = self._begun + self._in.patience.total - self._in.clock.now()
            if left <= 0 or (reason and wait >= left):
                return self._end(judgement, reason or "the time to wait is over")
            await self._in.clock.sleep(min(wait, left))
            if wait:
                delay = next_delay(delay)

    def _judge(self) -> Judgement:
        since = self._in.clock.now() - self._in.since
        everywhere = self._look.looked_everywhere
        return judge(
            self._look.seen,
            self._in.rules,
            late=everywhere and since >= self._in.patience.creation,
            checked=everywhere and since >= self._in.patience.quiet,
        )

    async def _guarded_round(self, delay: float) -> tuple[float | None, str]:
        """Return the seconds until the next round (None: it was the last) and why it is a pause."""
        try:
            wait = await self._round(delay)
        except LimitedError as limited:
            self._note("warning", f"{limited.message}; going on in {limited.seconds:.0f} s")
            return limited.seconds, limited.message
        except UnreachableError as error:
            return self._unreachable(error, delay), ""
        except RefusedError:
            self._refusals += 1
            if not self._answered or self._refusals >= _REFUSALS_AT_MOST:
                raise
            return delay, ""
        if self._outage is not None:
            self._note("info", f"{self._in.forge.name} answers again")
        self._outage, self._refusals, self._answered = None, 0, True
        return wait, ""

    def _unreachable(self, error: UnreachableError, delay: float) -> float:
        now = self._in.clock.now()
        if self._outage is None:
            self._outage = now
            self._note("warning", f"{error.message}; trying again")
        elif now - self._outage >= self._in.patience.unreachable:
            raise error
        return delay

    async def _round(self, delay: float) -> float | None:
        judgement = self._judge()
        missing_for = self._in.clock.now() - self._in.since
        if questions := self._look.questions(judgement, missing_for=missing_for):
            for question in questions:
                await self._look.ask(question)
            wait = 0.0
        elif await self._reporter.explain(self._look, judgement):
            wait = self._reporter.hold
        elif not judgement.settled:
            self._confirmed = False
            await self._look.look(judgement, discover=_missing(judgement))
            wait = self._wait(delay)
        elif self._confirmed:
            return None
        else:
            self._confirmed = not await self._look.look_again()
            wait = 0.0
        self._reporter.changes(self._look, self._judge())
        return wait

    def _wait(self, delay: float) -> float:
        """Return the seconds until the next round; 0 when a run has just ended."""
        judgement = self._judge()
        if judgement.settled or self._look.just_ended(judgement):
            return 0.0
        missing_for = self._in.clock.now() - self._in.since
        cost = self._in.forge.cost
        delay = paced(
            delay,
            calls=len(judgement.rows) + 1,
            remaining=cost.remaining,
            reset_in=cost.reset_in,
        )
        for moment in (self._in.patience.quiet, self._in.patience.creation):
            if _missing(judgement) and missing_for < moment < missing_for + delay:
                return moment - missing_for
        return delay

    def _note(self, level: str, text: str) -> None:
        self._in.record(e.Note(level, text))

    def _end(self, judgement: Judgement, reason: str) -> e.WatchEnded:
        cost = self._in.forge.cost
        ended = e.WatchEnded(
            commit=self._in.target.sha,
            verdict=judgement.verdict,
            exit_code=int(judgement.exit_code),
            workflows=tuple(
                e.WatchRow(
                    workflow=row.path,
                    verdict=row.verdict,
                    reason=row.reason,
                    settled=row.settled,
                    expected=row.expected,
                    run=row.run,
                    attempt=row.attempt,
                    url=row.url,
                )
                for row in judgement.rows
            ),
            reason=reason,
            requests=cost.requests,
            uncached=cost.uncached,
            duration=self._in.clock.now() - self._begun,
        )
        self._in.record(ended)
        return ended


def _missing(judgement: Judgement) -> bool:
    """Whether a run may still appear."""
    return not judgement.rows or any(row.run is None for row in judgement.rows)


class _Reporter:
    """Tells what has changed, and why what is red is red: each once."""

    def __init__(self, inputs: WatchInputs) -> None:
        self._in = inputs
        self._runs: dict[int, tuple[int, str, str | None]] = {}
        self._jobs: dict[int, tuple[str, str | None, str]] = {}
        self._explained: set[int] = set()
        self._tries: dict[int, int] = {}
        self.hold = 0.0
        """Seconds to wait before a log is asked for again."""

    def changes(self, look: Looker, judgement: Judgement) -> None:
        """Tell of the runs and jobs that count."""
        expected = {row.path: row.expected for row in judgement.rows}
        for run in look.seen.runs.values():
            if run.path not in expected:
                continue
            now = (run.attempt, run.status, run.conclusion)
            if self._runs.get(run.id) != now:
                self._runs[run.id] = now
                self._tell_run(run, expected[run.path])
            for job in look.seen.jobs.get(run.id, ()):
                self._tell_job(run, job)

    def _tell_run(self, run: CiRun, expected: bool) -> None:
        self._in.record(
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
        self._in.record(
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

    async def explain(self, look: Looker, judgement: Judgement) -> bool:
        """Explain the next red job that is not explained; False when there is none."""
        self.hold = 0.0
        for row in judgement.rows:
            if not row.settled or row.verdict not in (CiVerdict.FAILED, CiVerdict.TIMED_OUT):
                continue
            for number, job in enumerate(red_jobs(look.seen.jobs.get(row.run or 0, ()))):
                if job.id not in self._explained:
                    await self._explain(look.seen.runs[row.run or 0], job, number)
                    return True
        return False

    async def _explain(self, run: CiRun, job: CiJob, number: int) -> None:
        failure, step = failure_of(run.path, job)
        log = None
        if number < _LOGS_AT_MOST:
            self._tries[job.id] = self._tries.get(job.id, 0) + 1
            try:
                log = await self._in.forge.log(job.id)
            except LimitedError:
                raise
            except UnreachableError:
                log = None
            if log is None and self._tries[job.id] < _LOG_TRIES:
                self.hold = FIRST_DELAY
                return
        local = await self._in.explain(failure)
        self._explained.add(job.id)
        self._in.record(
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

    def _keep(self, run: CiRun, job: CiJob, part: bytes) -> str:
        writer = self._in.logs.writer(f"{run.path.rpartition('/')[2]}-{job.name}", job.id)
        try:
            writer.write(part)
        finally:
            writer.close()
        return writer.path

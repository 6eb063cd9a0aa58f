"""`grind watch`: follow exactly the runs of one commit until each of them has its verdict.

Everything is read again from the forge, so a watch that was cut off is taken up by starting it
again; only the time of the push has to be remembered (`WatchInputs.since`). A forge that does not
answer, or wants to be left alone, is waited for: that is never a verdict.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from grind.core import events as e
from grind.core.ci import Target
from grind.core.errors import LimitedError, RefusedError, UnreachableError
from grind.core.parity import Failure, Local
from grind.core.watching import (
    FIRST_DELAY,
    Judgement,
    Rules,
    judge,
    next_delay,
    paced,
)
from grind.flows.ciquestions import Looker
from grind.flows.cireport import Reporter
from grind.ports import Clock, Forge, LogStore

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


class WatchInputs(NamedTuple):
    """What a watch depends on."""

    forge: Forge
    clock: Clock
    record: Callable[[e.Event], None]
    """Journal first, then the face."""
    target: Target
    rules: Rules
    since: float
    """When the commit was pushed: seconds since the epoch."""
    explain: Callable[[Failure], Awaitable[Local]]
    """Says what was known here of a step that failed."""
    logs: LogStore
    left_out: tuple[str, ...] = ()
    """`path: reason` of the workflows that do not count."""
    notes: tuple[str, ...] = ()
    """What a reader must know of how the rules were made."""
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
    for note in inputs.notes:
        inputs.record(e.Note("warning", note))
    return await _Watch(inputs).run()


class _Watch:
    """One watch."""

    def __init__(self, inputs: WatchInputs) -> None:
        self._in = inputs
        self._look = Looker(inputs.forge, inputs.target)
        self._reporter = Reporter(inputs.forge, inputs.record, inputs.logs, inputs.explain)
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
        judgement, now = self._judge(), self._in.clock.now()
        missing_for = now - self._in.since
        if questions := self._look.questions(judgement, missing_for=missing_for):
            for question in questions:
                await self._look.ask(question)
            wait = 0.0
        elif await self._reporter.explain(self._look.seen, judgement, now):
            wait = 0.0
        elif not judgement.settled:
            self._confirmed = False
            await self._look.look(judgement, discover=_missing(judgement))
            wait = self._wait(delay)
        elif (turn := self._reporter.pending(self._look.seen, judgement, now)) is not None:
            wait = turn
        elif self._confirmed:
            return None
        else:
            self._confirmed = not await self._look.look_again()
            wait = 0.0
        self._reporter.changes(self._look.seen, self._judge())
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

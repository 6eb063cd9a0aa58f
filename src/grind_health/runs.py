"""Runs of checks: at most one of a check at a time, never waited for longer than its timeout.

Passes are not kept: each question is asked anew, or joins the run that is under way. Failures are
kept for a moment, so that a dependency that hangs is not asked by every probe. A run that is over
its time is left behind and reported; it is not started twice, so nothing piles up.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from grind_health.checks import FAIL, Check, Outcome, from_exception, from_return, is_async

if TYPE_CHECKING:
    import asyncio


class Run:
    """One run of one check, to which any number of threads and event loops may listen."""

    def __init__(self, started: float, deadline: float) -> None:
        self.started = started
        self.deadline = deadline
        self.outcome: Outcome | None = None
        self.loop: asyncio.AbstractEventLoop | None = None  # where it lives, if on a loop
        self.task: asyncio.Task[None] | None = None  # held: loops keep weak references
        self._lock = threading.Lock()
        self._listeners: list[Callable[[], None]] = []

    def on_done(self, listener: Callable[[], None]) -> None:
        """Call `listener` once, in whatever thread ends the run; at once if it has ended."""
        with self._lock:
            if self.outcome is None:
                self._listeners.append(listener)
                return
        listener()

    def finish(self, outcome: Outcome) -> None:
        """End the run and tell who listens."""
        with self._lock:
            self.outcome = outcome
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener()

    def is_lost(self) -> bool:
        """Tell whether it can never end, because its event loop is gone."""
        return self.outcome is None and self.loop is not None and self.loop.is_closed()

    def abandon(self) -> None:
        """Ask an overdue run on a loop to stop; nobody waits for whether it does."""
        if self.task is not None and self.loop is not None and not self.is_lost():
            _in_loop(self.loop, self.task.cancel)

    def wait(self, seconds: float) -> None:
        """Block this thread until the run has ended, or for `seconds`."""
        if self.outcome is not None:
            return
        ended = threading.Event()
        self.on_done(ended.set)
        ended.wait(seconds)

    async def wait_async(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        """Wait on `loop` until the run has ended, or for `seconds`."""
        if self.outcome is not None:
            return
        waiter = loop.create_future()

        def wake() -> None:
            if not waiter.done():
                waiter.set_result(None)

        self.on_done(wake if self.loop is loop else lambda: _in_loop(loop, wake))
        timer = loop.call_later(seconds, wake)
        try:
            await waiter
        finally:
            timer.cancel()


class Runner:
    """Asks one check, again and again."""

    def __init__(
        self,
        check: Check,
        hold_failures: float,
        clock: Callable[[], float],
        wall: Callable[[], float],
    ) -> None:
        self.check = check
        self._async = is_async(check.function)
        self._hold = hold_failures
        self._clock = clock
        self._wall = wall
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._held: tuple[Outcome, float] | None = None

    def begin(self, loop: asyncio.AbstractEventLoop | None) -> Run | Outcome:
        """Start a run, join the one under way, or give the failure that is still held.

        An async check runs on `loop`, or on one of its own in a thread where there is none.
        """
        with self._lock:
            now = self._clock()
            if self._held is not None:
                if now < self._held[1]:
                    return self._held[0]
                self._held = None
            if self._run is not None and not self._run.is_lost():
                return self._run
            run = self._run = Run(now, now + self.check.timeout)
        if self._async and loop is not None:
            run.loop = loop
            run.task = loop.create_task(self._on_loop(run))
        else:
            self._in_thread(run)
        return run

    def collect(self, run: Run | Outcome) -> Outcome:
        """Return how it came out, after the caller has waited until `seconds_left` was spent."""
        if isinstance(run, Outcome):
            return run
        if run.outcome is not None:
            return run.outcome
        run.abandon()
        elapsed = self._clock() - run.started
        outcome = Outcome(
            FAIL, f"no answer within {self.check.timeout:g} s", elapsed * 1000, self._wall()
        )
        self._keep(outcome)
        return outcome

    def seconds_left(self, run: Run) -> float:
        """Return how long a caller may still wait for `run`."""
        return max(0.0, run.deadline - self._clock())

    def _keep(self, outcome: Outcome) -> None:
        with self._lock:
            if self._hold > 0:
                self._held = (outcome, self._clock() + self._hold)

    def _end(self, run: Run, outcome: Outcome, *, hold: bool = True) -> None:
        elapsed = (self._clock() - run.started) * 1000
        timed = outcome._replace(milliseconds=elapsed, at=self._wall())
        with self._lock:
            if self._run is run:
                self._run = None
        if hold and timed.status == FAIL:
            self._keep(timed)
        run.finish(timed)

    async def _on_loop(self, run: Run) -> None:
        import asyncio

        try:
            result: Any = self.check.function()
            outcome = from_return(await result)
        except (asyncio.CancelledError, KeyboardInterrupt):
            # Overdue (then that is held already), or the loop is ending: nothing about the check.
            self._end(run, Outcome(FAIL, "cancelled"), hold=False)
            raise
        except GeneratorExit:  # a lost run being cleaned up: at any moment, so take no lock
            raise
        except BaseException as error:  # SystemExit in a check must not end the service
            outcome = from_exception(self.check, error)
        self._end(run, outcome)

    def _in_thread(self, run: Run) -> None:
        def work() -> None:
            try:
                outcome = from_return(_finish_awaitable(self.check.function(), self.check.timeout))
            except BaseException as error:  # it ends the thread, so it must end the run
                outcome = from_exception(self.check, error)
            self._end(run, outcome)

        # A daemon: one that hangs must not keep the service from ending.
        thread = threading.Thread(target=work, name=f"health:{self.check.name}", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # the process has no thread left: that is not healthy
            self._end(run, from_exception(self.check, error))


def _finish_awaitable(value: Any, timeout: float) -> Any:
    """Await what an async check gave, on a loop of this thread's own."""
    if not hasattr(value, "__await__"):
        return value
    import asyncio

    async def finish() -> Any:
        return await asyncio.wait_for(value, timeout)

    return asyncio.run(finish())


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    """Call `call` on `loop` from any thread; a loop that has closed has nobody left to tell."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        if not loop.is_closed():
            raise

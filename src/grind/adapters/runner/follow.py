"""Turning what a runner writes into the events of its lane: from the first, once, by offset."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from grind.adapters.runner.wire import Record, split_records
from grind.ports import Clock, Ended, LaneDone, LaneEvent, LaneLost, Output, Passed, Started

CHUNK = 128 * 1024
SHORTEST, LONGEST = 0.005, 0.05
"""Seconds between two looks: short while something happens, longer when nothing does."""
LIVENESS = 5
"""A look at the runner itself at most every so many looks that found nothing."""


class LaneSource(Protocol):
    """Where the files of a lane can be read; on this machine, or through a session."""

    async def records(self, offset: int) -> bytes:
        """Return what the record file holds from `offset` on."""

    async def log_size(self, number: int) -> int:
        """Return how long a log is."""

    async def log(self, number: int, offset: int, limit: int) -> bytes:
        """Return at most `limit` bytes of a log."""

    async def detail(self, files: str) -> str:
        """Return what the runner had to say about a set of command files, or nothing."""

    async def lost(self) -> str:
        """Return why the lane has no runner, or nothing when it has one."""


class _Log:
    """How far the log of the running step has been delivered.

    A step can truncate its log (`> /dev/stderr` does): reading goes on at the new beginning, while
    the offset of what was delivered goes on growing.
    """

    def __init__(self, source: LaneSource, index: int, number: int) -> None:
        self._source = source
        self._index = index
        self._number = number
        self._position = 0
        self._delivered = 0

    async def drain(self) -> AsyncIterator[Output]:
        """Deliver what there is now; a writer that goes on forever does not hold us."""
        size = await self._source.log_size(self._number)
        if size < self._position:
            self._position = 0
        while self._position < size:
            limit = min(CHUNK, size - self._position)
            data = await self._source.log(self._number, self._position, limit)
            if not data:
                return
            yield Output(self._index, self._delivered, data)
            self._position += len(data)
            self._delivered += len(data)


class Follower:
    """One pass over the events of a lane."""

    def __init__(self, source: LaneSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._offset = 0
        self._log: _Log | None = None
        self._quiet = 0

    async def events(self) -> AsyncIterator[LaneEvent]:
        """Deliver every event of the lane, ending with `LaneDone` or `LaneLost`."""
        while True:
            async for event in self._look():
                self._quiet = 0
                yield event
                if isinstance(event, LaneDone):
                    return
            self._quiet += 1
            if self._quiet % LIVENESS == 0:
                reason = await self._source.lost()
                if reason:
                    break
            await self._clock.sleep(min(LONGEST, SHORTEST * self._quiet))
        # What the runner wrote between our last look and its end.
        async for event in self._look():
            yield event
            if isinstance(event, LaneDone):
                return
        yield LaneLost(reason)

    async def _look(self) -> AsyncIterator[LaneEvent]:
        data = await self._source.records(self._offset)
        records, taken = split_records(data)
        self._offset += taken
        for record in records:
            async for event in self._deliver(record):
                yield event
        if self._log is not None:
            async for output in self._log.drain():
                yield output

    async def _deliver(self, record: Record) -> AsyncIterator[LaneEvent]:
        match record:
            case Record("start", (index, at, log)):
                self._log = _Log(self._source, int(index), int(log))
                yield Started(int(index), float(at))
            case Record("end", (index, code, reason, started, ended, files)):
                if self._log is not None:
                    async for output in self._log.drain():
                        yield output
                self._log = None
                detail = "" if files == "-" else await self._source.detail(files)
                yield Ended(int(index), int(code), reason, float(started), float(ended), detail)
            case Record("pass", (index,)):
                yield Passed(int(index))
            case Record("done", (status, _)):
                yield LaneDone(status)
            case _:
                return

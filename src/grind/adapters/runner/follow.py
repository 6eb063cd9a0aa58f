"""Turning what a runner writes into the events of its lane: from the first, once, by offset."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from grind.adapters.runner.wire import Record, split_records
from grind.ports import (
    Cancelled,
    Ended,
    LaneDone,
    LaneEvent,
    LaneLost,
    Output,
    Passed,
    Started,
)

CHUNK = 256 * 1024
SHORTEST, LONGEST = 0.01, 0.05
"""Seconds between two looks: short while something happens, longer when nothing does."""
LIVENESS = 5
"""A look at the runner itself at most every so many looks that found nothing."""


class LaneSource(Protocol):
    """Where the files of a lane can be read; on this machine, or through a session."""

    async def records(self, offset: int) -> bytes:
        """Return what the record file holds from `offset` on."""

    async def log(self, offset: int, limit: int, beside: int | None = None) -> bytes:
        """Return at most `limit` bytes of the log, in which the output of all steps is but of those
        in the background: `beside` names one of these, which has a log of its own."""

    def mark(self, index: int) -> bytes:
        """Return the bytes that stand behind the output of a step."""

    async def detail(self, files: str) -> str:
        """Return what the runner had to say about a set of command files, or nothing."""

    async def lost(self) -> str:
        """Return why the lane has no runner, or nothing when it has one."""

    async def pause(self, seconds: float) -> None:
        """Wait a little: so long, or until there is something new where that can be told."""


class _Log:
    """How far the log has been delivered. The marks between the steps are not."""

    def __init__(self, source: LaneSource, beside: int | None = None) -> None:
        self._source = source
        self._beside = beside
        self._position = 0
        self._ahead = b""
        """Bytes before `_position` that have been read and not delivered."""

    async def next(self, index: int, delivered: int) -> tuple[Output | None, bool | None]:
        """Return the next piece of a step's output, and whether that completes it; neither when
        nothing more is there yet."""
        mark = self._source.mark(index)
        while True:
            # A mark begins with a NUL, which is found much faster, and is in few logs.
            nul = self._ahead.find(0)
            end = self._ahead.find(mark, nul) if nul >= 0 else -1
            # Bytes at the end that may be the beginning of the mark wait for what follows.
            take = end if end >= 0 else len(self._ahead) - _overlap(self._ahead, mark)
            if take or end >= 0:
                output = Output(index, delivered, self._ahead[:take]) if take else None
                self._ahead = self._ahead[take + len(mark) if end >= 0 else take :]
                return output, end >= 0
            more = await self._source.log(self._position, CHUNK, self._beside)
            if not more:
                return None, None
            self._position += len(more)
            self._ahead += more

    def rest(self) -> bytes:
        """Return what was held back, when no mark will follow."""
        rest, self._ahead = self._ahead, b""
        return rest


def _overlap(data: bytes, mark: bytes) -> int:
    """Count the bytes at the end of `data` that `mark` begins with."""
    start = data.find(mark[:1], max(0, len(data) - len(mark) + 1))
    while start >= 0:
        if mark.startswith(data[start:]):
            return len(data) - start
        start = data.find(mark[:1], start + 1)
    return 0


class _Running:
    """A step that has begun, and how much of its output was delivered."""

    def __init__(self, index: int, log: _Log) -> None:
        self.index = index
        self.log = log
        self.delivered = 0
        self.complete = False


class Follower:
    """One pass over the events of a lane."""

    def __init__(self, source: LaneSource) -> None:
        self._source = source
        self._offset = 0
        self._log = _Log(source)
        self._running: dict[int, _Running] = {}
        """One step, and those that run in the background."""
        self._quiet = 0
        self._reason = ""
        self.sets: dict[int, str] = {}
        """Step → its set of command files as the record of its end names it, for those that have
        ended so far: so that nobody need look through all records for one."""

    async def events(self) -> AsyncIterator[LaneEvent]:
        """Deliver every event of the lane, ending with `LaneDone` or `LaneLost`."""
        records: deque[Record] = deque()
        while True:
            data = await self._source.records(self._offset)
            more, taken = split_records(data)
            self._offset += taken
            records += more
            if self._running:
                async for output in self._drain():
                    yield output
            while records and self._ready(records[0]):
                event = await self._event(records.popleft())
                if event is None:
                    continue
                self._quiet = 0
                yield event
                if isinstance(event, LaneDone):
                    return
                if self._running:
                    async for output in self._drain():
                        yield output
            if self._reason and not more and not records:
                yield LaneLost(self._reason)
                return
            if not more:
                await self._rest()

    async def _rest(self) -> None:
        """Nothing new: wait a little, longer each time, and look after the runner."""
        self._quiet += 1
        if self._reason:
            return
        if self._quiet % LIVENESS == 0:
            # One more look follows, for what was written between our last one and the end.
            self._reason = await self._source.lost()
        if not self._reason:
            await self._source.pause(min(LONGEST, SHORTEST * self._quiet))

    def _ready(self, record: Record) -> bool:
        """A step has ended when its output has: the log may be a moment behind the records."""
        if record.kind != "end" or self._reason:
            return True
        step = self._running.get(int(record.fields[0]))
        return step is None or step.complete

    async def _drain(self) -> AsyncIterator[Output]:
        for step in tuple(self._running.values()):
            while not step.complete:
                output, complete = await step.log.next(step.index, step.delivered)
                if complete is None:
                    break
                step.complete = complete
                self._quiet = 0
                if output is not None:
                    step.delivered += len(output.data)
                    yield output
            if self._reason and not step.complete and (rest := step.log.rest()):
                yield Output(step.index, step.delivered, rest)
                step.delivered += len(rest)

    async def _event(self, record: Record) -> LaneEvent | None:
        match record:
            case Record("start" | "beside" as how, (index, at)):
                log = self._log if how == "start" else _Log(self._source, int(index))
                self._running[int(index)] = _Running(int(index), log)
                return Started(int(index), float(at))
            case Record("end", (index, code, reason, started, ended, files)):
                self._running.pop(int(index), None)
                self.sets[int(index)] = files
                detail = "" if files == "-" else await self._source.detail(files)
                return Ended(int(index), int(code), reason, float(started), float(ended), detail)
            case Record("pass", (index,)):
                return Passed(int(index))
            case Record("cancel", (reason,)):
                return Cancelled(reason)
            case Record("done", (status, _)):
                return LaneDone(status)
        return None

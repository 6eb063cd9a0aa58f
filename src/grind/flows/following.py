"""Follow a release that another client drives, from its journal and its masked logs: read only.

Every event once, every byte of output once and before its step's end, from the last start of the
run on.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from grind.core import events as e
from grind.ports import Clock

POLL = 0.1
"""Seconds between two looks at the files."""
PIECE = 1 << 16
"""Bytes of output that are shown at once."""


class Logs(Protocol):
    """Masked logs that are being written."""

    def log_path(self, job: str, step: int) -> str:
        """Where a step's log is."""

    def read_log_on(self, path: str, offset: int, limit: int) -> bytes:
        """Return what it holds from `offset` on."""


class Follow(NamedTuple):
    """What following depends on."""

    entries: Callable[[], Sequence[e.Entry]]
    """Returns what the journal has got since the last call."""
    logs: Logs
    show: Callable[[e.Entry], None]
    alive: Callable[[], bool]
    """Whether somebody drives the run still."""
    clock: Clock


async def follow(inputs: Follow) -> e.RunEnded | None:
    """Show the run until it ends; return its end, or None when nobody drives it any more."""
    shown = Shown(inputs.logs, inputs.show)
    waiting = _from_last_start(inputs.entries())
    while True:
        alive = inputs.alive()  # first: whoever dies after it has written all that we read next
        for entry in (*waiting, *inputs.entries()):
            shown.take(entry)
            if isinstance(entry.event, e.RunEnded):
                return entry.event
        waiting = []
        shown.drain(inputs.clock.now())
        if not alive:
            return None
        await inputs.clock.sleep(POLL)


def _from_last_start(entries: Sequence[e.Entry]) -> list[e.Entry]:
    starts = [at for at, entry in enumerate(entries) if isinstance(entry.event, e.RunStarted)]
    return list(entries[starts[-1] :]) if starts else list(entries)


class Shown:
    """What has been shown: events as they come, output up to an offset of each log."""

    def __init__(self, logs: Logs, show: Callable[[e.Entry], None]) -> None:
        self._logs = logs
        self._show = show
        self._running: dict[tuple[str, int], _Output] = {}

    def take(self, entry: e.Entry) -> None:
        """Show an event; what its step has printed comes before its end."""
        event = entry.event
        match event:
            case e.RunStarted():
                self._running.clear()
            case e.StepStarted():
                path = self._logs.log_path(event.job, event.step)
                self._running[event.job, event.step] = _Output(path)
            case e.StepEnded():
                output = self._running.pop((event.job, event.step), None)
                if output is not None:
                    self._drain(event.job, event.step, output, entry.at, final=True)
            case _:
                pass
        self._show(entry)

    def drain(self, at: float) -> None:
        """Show what the running steps have printed."""
        for (job, step), output in self._running.items():
            self._drain(job, step, output, at, final=False)

    def _drain(self, job: str, step: int, output: _Output, at: float, *, final: bool) -> None:
        while data := self._logs.read_log_on(output.path, output.offset, PIECE):
            output.offset += len(data)
            self._print(job, step, output.decoder.decode(data), at)
        if final:
            self._print(job, step, output.decoder.decode(b"", final=True), at)

    def _print(self, job: str, step: int, text: str, at: float) -> None:
        if text:
            self._show(e.Entry(e.EVENTS_SCHEMA, 0, at, e.StepOutput(job, step, text)))


class _Output:
    """How far a step's log has been shown."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.offset = 0
        self.decoder = codecs.getincrementaldecoder("utf-8")("replace")

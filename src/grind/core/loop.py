"""The whole loop as one release: its phases, its events, and what its journal says is done.

The journal is the truth; a loop that was cut off is gone on with from it, and nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace


class Phase(StrEnum):
    """A part of the loop, in this order."""

    CHECK = "check"
    ACTIVATE = "activate"
    LAND = "land"
    WATCH = "watch"
    VERIFY = "verify"

    def is_before(self, other: Phase) -> bool:
        """Whether it comes before another one."""
        order = list(Phase)
        return order.index(self) < order.index(other)


def phases(first: Phase, last: Phase) -> tuple[Phase, ...]:
    """Return the phases from `first` to `last`; empty when they are the wrong way round."""
    order = list(Phase)
    return tuple(order[order.index(first) : order.index(last) + 1])


class LoopStarted(Struct, frozen=True, tag="loop.started", kw_only=True):
    """The loop begins, or is taken up again (`resumed`)."""

    release: str
    tree: str
    phases: tuple[str, ...]
    message: str = ""
    """The first line of the commit's message."""
    resumed: bool = False


class PhaseStarted(Struct, frozen=True, tag="phase.started"):
    """A phase begins."""

    phase: str


class PhaseEnded(Struct, frozen=True, tag="phase.ended", kw_only=True):
    """A phase is over.

    `state` is `done`, `failed`, or `skipped` (there is nothing for it to do here).
    """

    phase: str
    state: str
    exit_code: int = 0
    reason: str = ""
    commit: str = ""
    """What landed, or is watched."""
    duration: float = 0.0


class LoopEnded(Struct, frozen=True, tag="loop.ended", kw_only=True):
    """The loop has its result: the exit code of the phase that stopped it, or 0."""

    exit_code: int
    stopped: str = ""
    """The phase that stopped it."""
    reason: str = ""
    commit: str = ""
    verified: bool = False
    """Whether the new revision was seen to answer live."""
    duration: float = 0.0


LoopEvent = LoopStarted | PhaseStarted | PhaseEnded | LoopEnded


class Loop(Struct, frozen=True, kw_only=True):
    """What a journal says of a loop."""

    started: LoopStarted | None = None
    running: str = ""
    """The phase that was begun and has no end."""
    done: tuple[str, ...] = ()
    commit: str = ""
    branch: str = ""
    ended: LoopEnded | None = None

    @property
    def cut_off(self) -> bool:
        """Whether it was begun and has no end."""
        return self.started is not None and self.ended is None


def fold_loop(events: Iterable[Any]) -> Loop:
    """Return what a journal's events say of the loop in it."""
    loop = Loop()
    for event in events:
        match event:
            case LoopStarted(resumed=False):
                loop = Loop(started=event)
            case LoopStarted():
                loop = replace(loop, started=event, running="")
            case PhaseStarted():
                loop = replace(loop, running=event.phase)
            case PhaseEnded() if event.state == "failed":
                loop = replace(loop, running="")
            case PhaseEnded():
                done = (*loop.done, event.phase)
                loop = replace(loop, running="", done=done, commit=event.commit or loop.commit)
            case LoopEnded():
                loop = replace(loop, ended=event)
            case _:
                pass
    return loop

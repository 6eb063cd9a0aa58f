"""What every face is: something that is shown events, and decides nothing.

The stream and the clock come in by the constructor; logs of failed steps are read back through a
callable, so that no face keeps output in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, Protocol, TypeAlias

from grind.core.events import Entry

LogReader: TypeAlias = Callable[[str], Iterable[bytes]]
"""Given `StepEnded.log`, yields the log's bytes in pieces; raises OSError when it is not there."""


class Outlook(NamedTuple):
    """What earlier runs tell of the one to come; see `grind.core.estimate`."""

    known: Mapping[str, float] = {}
    """How long each job took when it was green, in seconds."""
    parallel: int = 1
    """How many jobs run side by side."""


class Face(Protocol):
    """Draws a run as it happens."""

    def show(self, entry: Entry) -> None:
        """Take one event. Called in order, from one thread."""

    def close(self) -> None:
        """Leave the screen in order; called once, also after an error."""


class Stream(Protocol):
    """The part of a text stream that faces need."""

    def write(self, text: str, /) -> int:
        """Write text."""

    def flush(self) -> None:
        """Let it out."""

"""Where the logs of a run are kept."""

from __future__ import annotations

from typing import Protocol


class LogWriter(Protocol):
    """The masked log of one step, being written."""

    @property
    def path(self) -> str:
        """Where it is, relative to the folder of the release."""

    def write(self, data: bytes) -> None:
        """Append. Raises GrindError when the disk is full; what was written stays."""

    def close(self) -> None:
        """Close; twice does no harm."""


class LogStore(Protocol):
    """Where the masked logs of a run are kept."""

    def writer(self, job: str, step: int, kind: str = "log") -> LogWriter:
        """Start the log of a step, in place of what an earlier attempt left. `kind` `summary` is
        what the step wrote to its summary."""

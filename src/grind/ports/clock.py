"""The time."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """The time, as an argument."""

    def now(self) -> float:
        """Seconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

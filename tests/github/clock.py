"""Time that passes only when somebody waits, so that twenty minutes take no time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

START = 1_790_000_000.0
_NAPS_AT_MOST = 5000


class DrivenClock:
    """`grind.ports.Clock` for tests; the stand-in of GitHub looks at the same time."""

    def __init__(self) -> None:
        self._now = START
        self.naps: list[float] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        assert len(self.naps) < _NAPS_AT_MOST, "it waits for ever"
        self.naps.append(seconds)
        self._now += seconds
        await asyncio.sleep(0)

    @property
    def passed(self) -> float:
        """Seconds since the start."""
        return self._now - START


def iso(at: float) -> str:
    """A time as GitHub writes it."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

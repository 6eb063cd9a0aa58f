"""The machine's own clock, as a port."""

from __future__ import annotations

import time


class SystemClock:
    """Real time (`grind.ports.Clock`)."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Wait, while other tasks go on."""
        import asyncio

        await asyncio.sleep(seconds)

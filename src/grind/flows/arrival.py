"""The private repository on its way to a host, while lanes are opened there for what it brings."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping

from grind.ports import Host


class Arrival:
    """A repository that is sent, or has come."""

    def __init__(self, place: str, task: asyncio.Task[str]) -> None:
        self.place = place
        """Its path on the host, for `LaneSpec.repository`."""
        self._task = task

    async def there(self) -> None:
        """Return when it has come. Raises what kept it, to everybody who waits."""
        # Whoever stops waiting does not stop it for the others.
        await asyncio.shield(self._task)


@contextlib.asynccontextmanager
async def sending(
    host: Host,
    repository: str,
    modules: Callable[[], Mapping[str, str]],
    prepare: Callable[[], object] | None = None,
) -> AsyncIterator[Arrival]:
    """Send a private repository (see `Host.receive`) while the block goes on; with its end, no more is
    sent. `prepare` makes it ready, aside. Raises UnreachableError when the host is not there."""

    async def send() -> str:
        if prepare is not None:
            await asyncio.to_thread(prepare)
        return await host.receive(repository, modules)

    place = await host.place(repository)
    task = asyncio.create_task(send())
    try:
        yield Arrival(place, task)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

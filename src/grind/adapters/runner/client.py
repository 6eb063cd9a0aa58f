"""The client's end of a lane, wherever its files are (implements `grind.ports.Lane`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from grind.adapters.hashing import question_name
from grind.adapters.runner import wire
from grind.adapters.runner.follow import Follower, LaneSource
from grind.core.errors import GrindError
from grind.ports import LaneEvent, LanePaths, StepTask

COMMAND_FILE_LIMIT = 64 * 1024 * 1024
"""More than any command file: GitHub takes 1 MiB."""


class LaneGround(Protocol):
    """Where the folder of a lane is, and what can be done there. Paths are the host's."""

    @property
    def folder(self) -> str:
        """The folder of the lane."""

    async def begun(self) -> bool:
        """Whether somebody has set the environment of the job."""

    async def post(self, path: str, data: bytes) -> None:
        """Write a file, unless it is there; a failure may be told by the next `put` only."""

    async def put(self, path: str, data: bytes) -> None:
        """Write a file, unless it is there, and wake the runner. It is there, and so is everything
        that was posted, when this returns."""

    async def take(self, path: str, limit: int, *, own: bool = False) -> bytes | None:
        """Return the beginning of a regular file; with `own`, no link is followed. None for what is
        none, or cannot be read."""

    async def recorded(self, index: int) -> bytes:
        """Return the record file, at least as far as the end of this step."""

    def source(self) -> AbstractAsyncContextManager[LaneSource]:
        """Return what the events are read from, for one pass."""

    async def hash(self, workspace: str, arguments: Sequence[str]) -> str:
        """Return what `hashFiles(…)` says of a folder now."""

    async def cancel(self) -> None:
        """Ask the runner to cancel, until it has taken note."""

    async def end(self) -> None:
        """End every process of the lane."""


class RunnerLane:
    """One job on a host, worked through by the bash runner."""

    def __init__(self, ground: LaneGround, paths: LanePaths, *, resumed: bool) -> None:
        self._ground = ground
        self._paths = paths
        self._resumed = resumed
        self._sets: dict[int, str] = {}
        """Step → its set of command files, as far as the events have told."""

    @property
    def paths(self) -> LanePaths:
        """Where the job lives on the host."""
        return self._paths

    @property
    def resumed(self) -> bool:
        """Whether this lane existed already."""
        return self._resumed

    async def begin(self, env: Sequence[tuple[str, str]], files: Mapping[str, bytes]) -> None:
        """Set the whole environment of the job and write `files`."""
        fields = wire.env_fields(env)
        if await self._ground.begun():
            return
        for name, data in files.items():
            if "/" in name or "\0" in name or name in ("", ".", ".."):
                raise GrindError(f"not a name for a file of the job: {name!r}")
            await self._ground.post(f"{self._paths.events}/{name}", data)
        await self._ground.post(f"{self._ground.folder}/env", fields)

    async def submit(self, tasks: Sequence[StepTask], *, final: bool = False) -> None:
        """Queue steps, in one atomic batch."""
        if not tasks and not final:
            return
        data = wire.batch_fields(tasks, final=final)
        name = wire.batch_name(tasks)
        await self._ground.put(f"{self._ground.folder}/queue/{name}", data)

    async def events(self) -> AsyncIterator[LaneEvent]:
        """Deliver every event of the lane once, in order, from the first."""
        async with self._ground.source() as source:
            follower = Follower(source)
            self._sets = follower.sets
            async for event in follower.events():
                yield event

    async def read(self, index: int, name: str) -> bytes:
        """Return a command file of an ended step."""
        if name not in wire.COMMAND_FILES:
            raise GrindError(f"not a command file: {name!r}")
        files = self._sets.get(index) or wire.files_of(await self._ground.recorded(index), index)
        if files is None or files == "-":
            return b""
        path = f"{self._ground.folder}/f/{files}.{name}"
        return await self._ground.take(path, COMMAND_FILE_LIMIT, own=True) or b""

    async def file(self, path: str, limit: int) -> bytes | None:
        """Return the beginning of a file of the job."""
        if "\0" in path:
            return None
        whole = path if path.startswith("/") else f"{self._paths.workspace}/{path}"
        return await self._ground.take(whole, limit)

    async def hash_files(self, step: int, arguments: Sequence[str]) -> str:
        """Return what `hashFiles(…)` says of the workspace now."""
        # A client that takes the job up again must come to the same conclusions.
        kept = f"{self._ground.folder}/{question_name(step, arguments)}"
        known = await self._ground.take(kept, 4096)
        if known is None:
            found = await self._ground.hash(self._paths.workspace, arguments)
            await self._ground.put(kept, found.encode())
            known = await self._ground.take(kept, 4096) or b""
        return known.decode()

    async def cancel(self) -> None:
        """Cancel as GitHub does; returns when the runner has taken note."""
        await self._ground.cancel()

    async def kill(self) -> None:
        """End everything now. Returns when it is gone."""
        await self._ground.end()

"""The files of a lane on this machine, and what can be done with them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import signal
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from grind.adapters.localfiles import boot_id, write_new
from grind.adapters.runner import wire
from grind.ports import Clock

_AT_ONCE = 0.01
"""Seconds that are waited for whatever there is to read: only the end of the runner is told at once."""
_GLANCE = 0.015
"""Seconds between two looks at how large the files are."""
WHOLE = 64 * 1024 * 1024
"""More than any file of records: a million steps."""


def start_time(pid: int) -> str:
    """Return when a process started, in ticks since boot; empty when it is gone or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    fields = stat[stat.rindex(b")") + 2 :].split()
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()


class LaneFiles:
    """The folder of a lane on this machine (implements `LaneSource`)."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._track = b""
        self._open: dict[str, int] = {}
        self._pid = -1
        self._end: asyncio.Event | None = None

    async def records(self, offset: int) -> bytes:
        """Return what the record file holds from `offset` on."""
        return self._read_on("records", offset, WHOLE)

    def recorded(self) -> bytes:
        """Return the whole record file."""
        return self._read(self.folder / "records")

    async def log(self, offset: int, limit: int, beside: int | None = None) -> bytes:
        """Return at most `limit` bytes of the log, or of that of a step in the background."""
        name = "log" if beside is None else f"log.{beside}"
        return self._read_on(name, offset, limit)

    def mark(self, index: int) -> bytes:
        """Return the bytes that stand behind the output of a step."""
        if not self._track:
            self._track = self._read(self.folder / "spec", 4096).split(b"\0")[1]
        return b"\0%s %d\0" % (self._track, index)

    async def detail(self, files: str) -> str:
        """Return what the runner had to say about a set of command files, or nothing."""
        data = self._read(self.folder / "f" / f"{files}.detail", 64 * 1024)
        return data.decode("utf-8", "replace").rstrip("\n")

    async def lost(self) -> str:
        """Return why the lane has no runner, or nothing when it has one."""
        claim = self.claim()
        if claim is None:
            return ""
        pid, started, boot = claim
        if boot != boot_id() and pid:
            return "the host was rebooted"
        if pid and start_time(pid) == started:
            return ""
        return self._reason() or "the runner was killed"

    async def pause(self, seconds: float) -> None:
        """Wait so long, or until there is more to read, or the runner has ended: that is the end of
        the lane."""
        gone = self._gone()
        if gone is None or gone.is_set():
            await self._clock.sleep(min(seconds, _AT_ONCE) if gone is not None else seconds)
            return
        glance = _GLANCE if seconds > _AT_ONCE else seconds
        before = self._sizes()
        while seconds > 0 and not gone.is_set() and self._sizes() == before:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(gone.wait(), min(seconds, glance))
            seconds -= glance

    def _sizes(self) -> tuple[int, ...]:
        """Return how large the files are that have been read from."""
        return tuple(os.fstat(number).st_size for number in self._open.values())

    def _gone(self) -> asyncio.Event | None:
        """Return what is set when the runner is gone (pidfd_open(2)); None where that cannot be told."""
        if self._end is not None or (claim := self.claim()) is None:
            return self._end
        pid, started, _ = claim
        try:
            number = os.pidfd_open(pid)
        except (OSError, AttributeError, ValueError):
            return None
        # Of a later process with its number, otherwise.
        if start_time(pid) != started:
            os.close(number)
            return None
        self._pid = number
        self._end = asyncio.Event()
        asyncio.get_running_loop().add_reader(number, self._has_ended)
        return self._end

    def _has_ended(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pid)
        if self._end is not None:
            self._end.set()

    def claim(self) -> tuple[int, str, str] | None:
        """Return pid, start time and boot of the runner; None while none has started."""
        data = self._read(self.folder / "claim", 4096).decode("ascii", "replace")
        fields = data.split()
        if len(fields) != 4 or fields[3] != ";":
            return None
        return int(fields[0]), fields[1], fields[2]

    def facts(self) -> bytes:
        """Return the file in which the runner says where the job lives."""
        return self._read(self.folder / "lane")

    def _reason(self) -> str:
        reason = self._read(self.folder / "lost", 4096).decode("utf-8", "replace").strip()
        if not reason:
            space = os.statvfs(self.folder)
            reason = "the disk of the host is full" if not space.f_bavail else ""
        return reason

    def close(self) -> None:
        """Close what was kept open for reading on."""
        while self._open:
            os.close(self._open.popitem()[1])
        if self._end is not None:
            asyncio.get_running_loop().remove_reader(self._pid)
            os.close(self._pid)
            self._end = None

    def _read_on(self, name: str, offset: int, limit: int) -> bytes:
        """Read a file that is read again and again."""
        if name not in self._open:
            try:
                self._open[name] = os.open(self.folder / name, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                return b""
        return os.pread(self._open[name], limit, offset)

    @staticmethod
    def _read(path: Path, limit: int = WHOLE) -> bytes:
        try:
            with open(path, "rb", buffering=0) as file:
                return file.read(limit) or b""
        except FileNotFoundError:
            return b""


class LocalGround:
    """The folder of a lane on this machine (implements `LaneGround`)."""

    def __init__(
        self, files: LaneFiles, clock: Clock, end: Callable[[Sequence[Path]], Awaitable[None]]
    ) -> None:
        self._files = files
        self._clock = clock
        self._end = end

    @property
    def folder(self) -> str:
        """The folder of the lane."""
        return os.fspath(self._files.folder)

    async def begun(self) -> bool:
        """Whether somebody has set the environment of the job."""
        return (self._files.folder / "env").exists()

    async def post(self, path: str, data: bytes) -> None:
        """Write a file, unless it is there."""
        write_new(Path(path), data)
        self._wake()

    async def put(self, path: str, data: bytes) -> None:
        """Write a file, unless it is there, and wake the runner."""
        await self.post(path, data)

    async def take(self, path: str, limit: int, *, own: bool = False) -> bytes | None:
        """Return the beginning of a regular file."""
        try:
            with open(path, "rb", opener=_no_link if own else _no_wait) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return None
                return file.read(limit)
        except (OSError, ValueError):
            return None

    async def recorded(self, index: int) -> bytes:
        """Return the whole record file."""
        del index
        return self._files.recorded()

    @contextlib.asynccontextmanager
    async def source(self) -> AsyncIterator[LaneFiles]:
        """Return what the events are read from."""
        files = LaneFiles(self._files.folder, self._clock)
        try:
            yield files
        finally:
            files.close()

    async def hash(self, workspace: str, arguments: Sequence[str]) -> str:
        """Return what `hashFiles(…)` says of a folder now."""
        from grind.adapters.hashing import hash_workspace

        return await asyncio.to_thread(hash_workspace, workspace, arguments)

    async def cancel(self) -> None:
        """Ask the runner to cancel, until it has taken note."""
        folder = self._files.folder
        write_new(folder / "cancel", b"")
        while not await self._noted():
            claim = self._files.claim()
            if claim is not None and claim[0] > 0 and (folder / "lane").exists():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(claim[0], signal.SIGTERM)
                self._wake()
            await self._clock.sleep(0.1)

    async def _noted(self) -> bool:
        records, _ = wire.split_records(self._files.recorded())
        if any(record.kind in ("cancel", "done") for record in records):
            return True
        return bool(await self._files.lost())

    async def end(self) -> None:
        """End every process of the lane."""
        await self._end([self._files.folder])

    def _wake(self) -> None:
        try:
            wake = os.open(self._files.folder / "wake", os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ENXIO, errno.ENOENT):
                return  # no runner: `events` says so
            raise
        try:
            # It is awake already, or has ended since: `events` says so.
            with contextlib.suppress(BlockingIOError, BrokenPipeError):
                os.write(wake, b"\n")
        finally:
            os.close(wake)


def _no_wait(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _no_link(path: str, flags: int) -> int:
    # A step may have put a link or a named pipe there; neither is followed, nor waited for.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)

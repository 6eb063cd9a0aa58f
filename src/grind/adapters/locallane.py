"""A lane on this machine: its files, and the client's end of it."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import signal
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from grind.adapters.runner import wire
from grind.adapters.runner.follow import Follower
from grind.core.errors import GrindError
from grind.ports import Clock, LaneEvent, LanePaths, StepTask

WHOLE = 64 * 1024 * 1024
"""More than any file of records: a million steps."""


def write_new(path: Path, data: bytes) -> bool:
    """Write a private file aside and link it in; False when it was there already.

    Whoever sees the name sees all of the content, and of two writers exactly one succeeds.
    """
    aside = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    try:
        with open(aside, "xb", opener=_private) as file:
            file.write(data)
        os.link(aside, path)
    except FileExistsError:
        return False
    finally:
        aside.unlink(missing_ok=True)
    return True


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def boot_id() -> str:
    """Return the identifier of this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


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

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._track = b""
        self._open: dict[str, int] = {}

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


class LocalLane:
    """One job on this machine (implements `grind.ports.Lane`)."""

    def __init__(
        self,
        files: LaneFiles,
        paths: LanePaths,
        *,
        resumed: bool,
        clock: Clock,
        end: Callable[[Sequence[Path]], Awaitable[None]],
    ) -> None:
        self._files = files
        self._paths = paths
        self._resumed = resumed
        self._clock = clock
        self._end = end
        self._sets: dict[int, str] = {}

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
        target = self._files.folder / "env"
        if target.exists():
            return
        for name, data in files.items():
            if "/" in name or name in ("", ".", ".."):
                raise GrindError(f"not a name for a file of the job: {name!r}")
            write_new(Path(self._paths.events) / name, data)
        write_new(target, fields)
        self._wake()

    async def submit(self, tasks: Sequence[StepTask], *, final: bool = False) -> None:
        """Queue steps, in one atomic batch."""
        if not tasks and not final:
            return
        data = wire.batch_fields(tasks, final=final)
        write_new(self._files.folder / "queue" / wire.batch_name(tasks), data)
        self._wake()

    async def events(self) -> AsyncIterator[LaneEvent]:
        """Deliver every event of the lane once, in order, from the first."""
        files = LaneFiles(self._files.folder)
        follower = Follower(files, self._clock)
        self._sets = follower.sets
        try:
            async for event in follower.events():
                yield event
        finally:
            files.close()

    async def read(self, index: int, name: str) -> bytes:
        """Return a command file of an ended step."""
        if name not in wire.COMMAND_FILES:
            raise GrindError(f"not a command file: {name!r}")
        files = self._sets.get(index) or wire.files_of(self._files.recorded(), index)
        if files is None or files == "-":
            return b""
        path = self._files.folder / "f" / f"{files}.{name}"
        try:
            with open(path, "rb", opener=_no_link) as file:
                return file.read()
        except FileNotFoundError:
            return b""
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
                return b""
            raise

    async def file(self, path: str, limit: int) -> bytes | None:
        """Return the beginning of a file of the job."""
        try:
            with open(Path(self._paths.workspace) / path, "rb", opener=_no_wait) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return None
                return file.read(limit)
        except (OSError, ValueError):
            return None

    async def hash_files(self, step: int, arguments: Sequence[str]) -> str:
        """Return what `hashFiles(…)` says of the workspace now."""
        from grind.adapters.hashing import hash_workspace, question_name

        # A client that takes the job up again must come to the same conclusions.
        kept = self._files.folder / question_name(step, arguments)
        if not kept.exists():
            found = await asyncio.to_thread(hash_workspace, self._paths.workspace, arguments)
            write_new(kept, found.encode())
        return kept.read_text()

    async def cancel(self) -> None:
        """Cancel as GitHub does; returns when the runner has taken note."""
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

    async def kill(self) -> None:
        """End everything now. Returns when it is gone."""
        await self._end([self._files.folder])

    def _wake(self) -> None:
        try:
            wake = os.open(self._files.folder / "wake", os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ENXIO, errno.ENOENT):
                return  # no runner: `events` says so
            raise
        try:
            with contextlib.suppress(BlockingIOError):
                os.write(wake, b"\n")
        finally:
            os.close(wake)


def _no_wait(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)


def _no_link(path: str, flags: int) -> int:
    # A step may have put a link or a named pipe there; neither is followed, nor waited for.
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)

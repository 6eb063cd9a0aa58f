"""One holder at a time, by `flock`: the system lets go when the holder dies, however it dies.

The file beside it says who holds it, for the others. A record whose lock nobody holds is stale and
means nothing, so nothing is ever stolen.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from types import TracebackType

import msgspec
from msgspec import Struct

from grind.adapters.files import private_folder, storing, write_all
from grind.core.errors import ExitCode, GrindError

_POLL = 0.1
"""Seconds between two attempts; flock has no waiting with a limit of its own."""
_DOUBTS = 10
"""How often to try again when the lock is taken but nobody has signed for it …"""
_DOUBT = 0.01
"""… and how many seconds apart."""


class Holder(Struct, frozen=True, kw_only=True):
    """Who holds a lock."""

    pid: int
    boot: str
    since: float
    """Seconds since the epoch."""
    command: str
    host: str

    def told(self) -> str:
        """Return it as a sentence's end: `grind check (pid 12 on box, since 13:05:02)`."""
        at = time.strftime("%H:%M:%S", time.localtime(self.since))
        return f"{self.command} (pid {self.pid} on {self.host}, since {at})"


def boot_id() -> str:
    """Return the identifier of this boot, or an empty string where the kernel tells none."""
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:
            return file.read().strip()
    except OSError:
        return ""


class HeldError(GrindError):
    """Somebody else holds the lock; `holder` is None when they have not yet said who they are."""

    code = ExitCode.REFUSED

    def __init__(self, path: str, holder: Holder | None) -> None:
        who = holder.told() if holder else "another process"
        super().__init__(
            f"busy: {who} holds {path}",
            remedy="wait for it (--wait), follow it with `grind status`, or end it",
        )
        self.holder = holder


class Lock:
    """The lock at `path`, for one `with` at a time.

    `command` is what the others are told. `wait` is how many seconds to wait: 0 not at all, None
    for ever. `waiting` is called once, with the holder, when there is a wait. `now` is the time
    since the epoch; `sleep` and `tick` (a clock that never goes back) are there for tests.
    """

    def __init__(
        self,
        path: str,
        command: str,
        *,
        wait: float | None = 0.0,
        waiting: Callable[[Holder | None], None] = lambda _: None,
        now: Callable[[], float] = time.time,
        tick: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path = path
        self._command = command
        self._wait = wait
        self._waiting = waiting
        self._now = now
        self._tick = tick
        self._sleep = sleep
        self._fd: int | None = None

    def __enter__(self) -> Lock:
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def acquire(self) -> None:
        """Take the lock. Raises HeldError when somebody else has it still after `wait` seconds."""
        folder = os.path.dirname(self.path) or "."
        if not os.path.isdir(folder):
            private_folder(folder)
        began = self._tick()
        told = False
        doubts = 0
        while not self._try():
            who = holder(self.path)
            if who is None and doubts < _DOUBTS:
                # Let go of meanwhile, or only looked at (`holder` locks for a moment): try again.
                doubts += 1
                self._sleep(_DOUBT)
                continue
            if self._wait is not None and self._tick() - began >= self._wait:
                raise HeldError(self.path, who)
            if not told:
                told = True
                self._waiting(who)
            self._sleep(_POLL)

    def release(self) -> None:
        """Let go. The record stays empty behind, so that nobody reads an old name."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            try:
                os.ftruncate(fd, 0)
            finally:
                os.close(fd)

    def _try(self) -> bool:
        if self._fd is not None:
            raise RuntimeError("this lock is held by this very object")
        with storing(self.path):
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                if not _flock(fd, fcntl.LOCK_EX) or not _is_still(self.path, fd):
                    os.close(fd)
                    return False
                self._sign(fd)
            except BaseException:
                os.close(fd)
                raise
        self._fd = fd
        return True

    def _sign(self, fd: int) -> None:
        record = Holder(
            pid=os.getpid(),
            boot=boot_id(),
            since=self._now(),
            command=self._command,
            host=os.uname().nodename,
        )
        os.ftruncate(fd, 0)
        write_all(fd, msgspec.json.encode(record) + b"\n")


def holder(path: str) -> Holder | None:
    """Return who holds the lock now, or None: nobody, or somebody who has not signed yet."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        if _flock(fd, fcntl.LOCK_SH):
            return None
        return msgspec.json.decode(os.read(fd, 65536), type=Holder)
    except msgspec.DecodeError:
        return None
    finally:
        os.close(fd)


def _is_still(path: str, fd: int) -> bool:
    """Look again: whether the file that was locked is the one that others will find."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(fd))
    except FileNotFoundError:
        return False


def _flock(fd: int, kind: int) -> bool:
    """Try to lock without waiting; False when somebody else has it."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EAGAIN):
            return False
        raise
    return True

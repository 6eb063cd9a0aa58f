"""Start a program and read what it says. For git, which small commands call half a dozen times:
importing `subprocess` costs as much as three of these.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from grind.core.errors import GrindError

_PIECE = 1 << 16
"""Bytes: what a pipe holds."""
_SIGKILL, _SIGPIPE, _SIGXFSZ = 9, 13, 25
"""Signals of Linux; Python ignores the last two, and a program it starts shall not."""


class Answer(NamedTuple):
    """What a program said."""

    code: int
    out: bytes
    err: bytes


class Running:
    """A program that was started, with pipes for its outputs, and for its input if that is wanted;
    `returncode` is None until it was waited for, and negative after a signal."""

    __slots__ = ("_err", "_in", "_out", "_pid", "args", "returncode")

    def __init__(
        self, program: str, args: tuple[str, ...], env: Mapping[str, str], *, stdin: bool
    ) -> None:
        """Raises OSError when it cannot be started."""
        self.args = args
        self.returncode: int | None = None
        pipes = [_pipe() for _ in range(3 if stdin else 2)]
        (out, its_out), (err, its_err) = pipes[:2]
        actions: list[tuple[object, ...]] = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)]
        if stdin:
            actions = [(os.POSIX_SPAWN_DUP2, pipes[2][0], 0)]
        actions += [(os.POSIX_SPAWN_DUP2, its_out, 1), (os.POSIX_SPAWN_DUP2, its_err, 2)]
        ours = [out, err, *((pipes[2][1],) if stdin else ())]
        try:
            self._pid = os.posix_spawn(
                program, args, env, file_actions=actions, setsigdef=(_SIGPIPE, _SIGXFSZ)
            )
        except BaseException:
            for end in ours:
                os.close(end)
            raise
        finally:
            for pair in pipes:
                os.close(pair[0] if len(ours) == 3 and pair is pipes[2] else pair[1])
        self._out, self._err = out, err
        self._in = pipes[2][1] if stdin else -1

    def send(self, request: bytes) -> None:
        """Write a request that a pipe can hold, and end the input; nothing where there is none."""
        if self._in >= 0:
            try:
                os.write(self._in, request)
            except BrokenPipeError:
                pass
            finally:
                self._end_input()

    def finish(self, data: bytes | None = None) -> Answer:
        """Feed it `data`, read all it says, and wait for its end. It is killed when that is
        interrupted."""
        pieces: dict[int, list[bytes]] = {self._out: [], self._err: []}
        try:
            self._talk(pieces, memoryview(data or b""))
        except BaseException:
            os.kill(self._pid, _SIGKILL)
            self._wait()
            raise
        finally:
            self._end_input()
            for end in pieces:
                os.close(end)
        return Answer(self._wait(), b"".join(pieces[self._out]), b"".join(pieces[self._err]))

    def _talk(self, pieces: dict[int, list[bytes]], left: memoryview) -> None:
        import select

        poll = select.poll()
        for end in pieces:
            poll.register(end, select.POLLIN)
        if left and self._in >= 0:
            os.set_blocking(self._in, False)
            poll.register(self._in, select.POLLOUT)
        else:
            self._end_input()
        open_ends = len(pieces)
        while open_ends:
            for end, _ in poll.poll():
                if end == self._in:
                    left = self._feed(left)
                    if not left:
                        poll.unregister(end)
                        self._end_input()
                elif piece := os.read(end, _PIECE):
                    pieces[end].append(piece)
                else:
                    poll.unregister(end)
                    open_ends -= 1

    def _feed(self, left: memoryview) -> memoryview:
        """Write what fits; return what is left, nothing for a program that reads no more."""
        try:
            return left[os.write(self._in, left) :]
        except BlockingIOError:
            return left
        except BrokenPipeError:
            return left[:0]

    def _end_input(self) -> None:
        if self._in >= 0:
            os.close(self._in)
            self._in = -1

    def _wait(self) -> int:
        if self.returncode is None:
            try:
                _, status = os.waitpid(self._pid, 0)
            except ChildProcessError:
                raise GrindError(
                    "how git ended cannot be known: SIGCHLD is ignored here",
                    remedy="start grind without that (`trap - CHLD`)",
                ) from None
            self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


def _pipe() -> tuple[int, int]:
    """Return a pipe whose ends are none of the standard streams', which the program gets."""
    ends = os.pipe()
    if min(ends) > 2:
        return ends
    import fcntl

    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 3) for end in ends)
    for end in ends:
        os.close(end)
    return moved[0], moved[1]

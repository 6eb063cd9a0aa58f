"""The kept session: requests and answers, many under way at once, over one ssh process."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import heapq
import os
import re
from collections.abc import Sequence
from typing import NamedTuple

from grind.adapters.ssh.channel import LIMIT, Channel, Hello, Pulse, Silence
from grind.adapters.ssh.taken import Taken
from grind.adapters.ssh.trouble import SshError

HANDED = 3000
"""Bytes of a command that is handed on there through a pipe: it must not have to wait for room in it."""
PIPE = 64 * 1024
"""Bytes that ssh may be ahead of us."""


class Answer(NamedTuple):
    """What the host answered: an exit code, and what was said on both outputs."""

    code: int
    out: bytes
    err: bytes


class _Pending:
    """A request that is under way."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[Answer] = loop.create_future()
        self.out: list[bytes] = []
        self.err: list[bytes] = []

    def expire(self) -> None:
        """Wait no longer."""
        if not self.future.done():
            self.future.set_exception(TimeoutError())


class Session:
    """A session with the program at the other end. When it breaks, all that was asked fails."""

    def __init__(self, channel: Channel, hello: Hello, pulse: Pulse) -> None:
        self.hello = hello
        self._channel = channel
        self._pulse = pulse
        self._pending: dict[int, _Pending] = {}
        self._free: list[int] = []
        self._next = 1
        self._handed: int | None = None
        """The command that the hands have: they take one at a time."""
        self._begun = b""
        """A line whose end has not come yet."""
        self._loop = asyncio.get_running_loop()
        self._silence = Silence(pulse)
        self._broken: SshError | None = None
        self._closing = False
        self._tasks = [asyncio.create_task(self._beat())]

    @classmethod
    async def begin(cls, channel: Channel, hello: Hello, pulse: Pulse) -> Session:
        """Take the program over from whoever has greeted it."""
        session = cls(channel, hello, pulse)
        await channel.take_output(session._come, PIPE)
        return session

    @property
    def alive(self) -> bool:
        """Whether requests can be made."""
        return self._broken is None and not self._closing

    @property
    def silent(self) -> bool:
        """Whether it broke because nothing was heard any more."""
        return self._broken is not None and self._broken.kind == "timeout"

    async def ask(
        self, kind: str, fields: Sequence[str] = (), data: bytes = b"", seconds: float | None = None
    ) -> Answer:
        """Make a request and return the answer.

        Requests reach the host in the order in which `ask` is called, whether or not their answers
        are waited for. Raises SshError when the connection breaks first, and TimeoutError after
        `seconds`, when what the request has started is gone.
        """
        number, pending = self._send(kind, fields, data)
        timer = self._loop.call_later(seconds, pending.expire) if seconds is not None else None
        try:
            return await pending.future
        except (TimeoutError, asyncio.CancelledError):
            # The number is not used again: an answer may still come. Whoever is interrupted now
            # wants it gone all the more.
            if kind == "run" and self.alive:
                await asyncio.shield(self._end(number))
            raise
        finally:
            if timer is not None:
                timer.cancel()
            if number not in self._pending:
                heapq.heappush(self._free, number)

    async def _end(self, number: int) -> None:
        with contextlib.suppress(SshError, TimeoutError):
            await self.ask("kill", (str(number),), seconds=self._pulse.silence)

    def _send(self, kind: str, fields: Sequence[str], data: bytes) -> tuple[int, _Pending]:
        if self._broken is not None:
            raise self._broken
        number = heapq.heappop(self._free) if self._free else self._next
        self._next = max(self._next, number + 1)
        pending = self._pending[number] = _Pending(self._loop)
        encoded = b"".join([os.fsencode(field) + b"\0" for field in fields])
        if kind == "run" and self._handed is None and len(encoded) <= HANDED:
            kind, self._handed = "hand", number
        head = f"{number} {kind} {len(fields)} {len(data)}\n".encode()
        self._channel.input.write(b"".join((head, encoded, data, b"\n")))
        return number, pending

    def _come(self, output: Taken, data: bytes) -> None:
        """Take what the program says; nothing is said when there is no more."""
        if not data:
            self._lose()
            return
        self._silence.heard()
        *lines, self._begun = (self._begun + data).split(b"\n")
        try:
            for line in lines:
                number, kind, size, said = line.split(b" ", 3)
                self._take(int(number), kind, said[: int(size)], said[int(size) :])
            if len(self._begun) > LIMIT:
                raise ValueError
        except ValueError:
            # This is not our program.
            output.pause()
            self._lose()

    def _take(self, number: int, kind: bytes, out: bytes, err: bytes) -> None:
        pending = self._pending.get(number)
        if pending is None:
            return
        if kind in (b"o", b"e"):
            (pending.out if kind == b"o" else pending.err).append(base64.b64decode(out))
            return
        del self._pending[number]
        if number == self._handed:
            self._handed = None
        if not pending.future.done():
            told = b"".join((*pending.out, _plain(out))), b"".join((*pending.err, _plain(err)))
            pending.future.set_result(Answer(int(kind), *told))

    def _lose(self) -> None:
        async def told() -> None:
            self._break(await self._channel.trouble())

        if not self._closing:
            self._tasks.append(asyncio.create_task(told()))

    async def _beat(self) -> None:
        while True:
            silent = await self._silence.too_long()
            if self._broken is not None:
                return
            if silent:
                self._break(
                    SshError(
                        f"the host has not been heard of for {self._pulse.silence:g} seconds",
                        remedy="is the network up?",
                        kind="timeout",
                    )
                )
                return
            # Its answer is listened for, not waited for.
            number, pending = self._send("beat", (), b"")
            pending.future.add_done_callback(lambda _, n=number: self._freed(n))  # type: ignore[misc]

    def _freed(self, number: int) -> None:
        heapq.heappush(self._free, number)

    def _break(self, error: SshError) -> None:
        if self._broken is not None:
            return
        self._broken = error
        pending, self._pending = self._pending, {}
        for one in pending.values():
            if not one.future.done():
                one.future.set_exception(error)
                one.future.exception()  # nobody may be waiting

    async def close(self) -> None:
        """End the session. What was asked and not answered fails."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._break(SshError("the session was closed", remedy="", kind="closed"))
        await self._channel.close()


def _plain(text: bytes) -> bytes:
    """Take the escapes out: an answer is one line."""
    if b"\\" not in text:
        return text
    return re.sub(rb"\\(.)", lambda found: b"\n" if found[1] == b"n" else found[1], text)

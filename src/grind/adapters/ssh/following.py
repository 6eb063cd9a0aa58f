"""The events of a lane, pushed by the host: a source that costs no round trips and survives drops."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

from grind.adapters.ssh.channel import Channel, Silence
from grind.adapters.ssh.link import Link
from grind.adapters.ssh.taken import Taken
from grind.adapters.ssh.trouble import SshError

PATIENCE = 0.2
"""Seconds for which the log may wait for room before the records are asked for."""
ASKED = 1024 * 1024
"""Bytes of records that are asked for at once."""
PIPE = 1024 * 1024
"""Bytes that ssh may be ahead of us: what any user may ask for on Linux (pipe(7), pipe-max-size). Each
wake-up takes more then, and a long log costs fewer of them."""
IN_VAIN = 10
"""So many channels in a row that were opened and told nothing are enough."""
AHEAD = 2 * 1024 * 1024
"""Bytes of a log that may wait here to be delivered; then the host is made to wait."""


class PushedSource:
    """What a lane's runner writes, as it comes (implements `LaneSource`)."""

    def __init__(self, link: Link, folder: str, track: str = "") -> None:
        self._link = link
        self._folder = folder
        self.track = track
        """Known, at the latest, when the first event is asked for."""
        self._records = bytearray()
        self._pushed = 0
        """How much of the records has been pushed through this channel, or was known before it."""
        self._log: deque[bytes] = deque()
        self._waiting = 0
        self._received = 0
        """How much of the log has come so far, delivered or not."""
        self._reason = ""
        self._error: BaseException | None = None
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._turn = asyncio.Event()
        """Something is to be done about the log: there is too much of it, or no more."""
        self._silence = Silence(link.pulse)
        self._told = False
        """Whether the channel that we have has told anything at all."""
        self._task = asyncio.create_task(self._keep_following())

    async def records(self, offset: int) -> bytes:
        """Return what the record file holds from `offset` on, as far as it has come."""
        self._check()
        return bytes(memoryview(self._records)[offset:])

    def recorded(self) -> bytes:
        """Return all records that have come."""
        return bytes(self._records)

    async def log(self, offset: int, limit: int, beside: int | None = None) -> bytes:
        """Return the next piece of the log; `offset` is where the last one ended.

        Only the log of the steps that run one after the other is pushed; that of a step in the
        background is asked for.
        """
        self._check()
        if beside is not None:
            path = f"{self._folder}/log.{beside}"
            answer = await self._link.ask("read", (path, str(offset), str(limit), "own"))
            return answer.out
        assert offset == self._received - self._waiting
        if not self._log:
            return b""
        piece = self._log.popleft()
        if len(piece) > limit:
            self._log.appendleft(piece[limit:])
            piece = piece[:limit]
        self._waiting -= len(piece)
        if self._waiting < AHEAD:
            self._room.set()
        return piece

    def mark(self, index: int) -> bytes:
        """Return the bytes that stand behind the output of a step."""
        return b"\0%s %d\0" % (self.track.encode(), index)

    async def detail(self, files: str) -> str:
        """Return what the runner had to say about a set of command files, or nothing."""
        path = f"{self._folder}/f/{files}.detail"
        answer = await self._link.ask("read", (path, "0", str(64 * 1024), "own"))
        return answer.out.decode("utf-8", "replace").rstrip("\n")

    async def lost(self) -> str:
        """Return why the lane has no runner, or nothing when it has one."""
        return self._reason

    async def pause(self, seconds: float) -> None:
        """Wait until something new has come, or a moment."""
        timer = asyncio.get_running_loop().call_later(max(seconds, 1.0), self._news.set)
        try:
            await self._news.wait()
        finally:
            timer.cancel()
        self._news.clear()

    async def close(self) -> None:
        """Follow no longer."""
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    async def _keep_following(self) -> None:
        vain = 0
        try:
            while True:
                self._pushed = len(self._records)
                channel = await self._link.following(self._folder, self._pushed, self._received)
                vain += 1
                try:
                    await self._follow(channel)
                except (SshError, ConnectionError) as error:
                    lost = error if isinstance(error, SshError) else self._link.dropped()
                    self._link.told_lost(lost)
                finally:
                    await channel.close()
                if self._told:
                    vain, self._told = 0, False
                if vain > IN_VAIN:
                    raise self._link.dropped()
                await asyncio.sleep(0.1 * vain)
        except Exception as error:
            self._error = error
            self._news.set()

    async def _follow(self, channel: Channel) -> None:
        """Take what is pushed from where we are, until the channel ends."""
        self._silence.heard()
        self._turn.clear()
        output = await channel.take_output(self._take, PIPE)
        tasks = [
            asyncio.create_task(self._take_log(output)),
            asyncio.create_task(self._take_records(channel)),
            asyncio.create_task(self._beat(channel)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _take_log(self, output: Taken) -> None:
        while not output.ended:
            await self._turn.wait()
            self._turn.clear()
            while self._waiting >= AHEAD:
                self._room.clear()
                try:
                    async with asyncio.timeout(PATIENCE):
                        await self._room.wait()
                except TimeoutError:
                    await self._ask_records()
            output.resume()
        raise self._link.dropped()

    def _take(self, output: Taken, data: bytes) -> None:
        """Take the next piece of the log; nothing is said when there is no more."""
        self._silence.heard()
        self._received += len(data)
        if data:
            self._told = True
            self._log.append(data)
            self._waiting += len(data)
            self._news.set()
        if self._waiting >= AHEAD:
            output.pause()
        if output.paused or output.ended:
            self._turn.set()

    async def _ask_records(self) -> None:
        """Ask for the records, while the log waits for room.

        Both come through one channel of ssh, so that a log which nobody takes (what a process left
        behind prints after the last step) would keep the word back that the lane is over.
        """
        path = f"{self._folder}/records"
        at = str(len(self._records))
        answer = await self._link.ask("read", (path, at, str(ASKED), "own"))
        whole = answer.out[: answer.out.rfind(b"\n") + 1]
        if whole and len(self._records) == int(at):
            self._records += whole
            self._news.set()

    async def _take_records(self, channel: Channel) -> None:
        """Lines are `r LENGTH RECORD`, `h` and `l LENGTH REASON`; ssh's own words are none of these."""
        while line := await channel.errors.readline():
            kind, _, rest = line.rstrip(b"\n").partition(b" ")
            size, _, text = rest.partition(b" ")
            self._silence.heard()
            self._told = True
            if kind == b"h" or not (line.endswith(b"\n") and size == b"%d" % len(text)):
                continue
            if kind == b"r":
                # What was asked for meanwhile comes once more.
                if self._pushed >= len(self._records):
                    self._records += text + b"\n"
                self._pushed += len(text) + 1
            elif kind == b"l":
                self._reason = text.decode("utf-8", "replace") or "the runner was killed"
            self._news.set()
        raise self._link.dropped()

    async def _beat(self, channel: Channel) -> None:
        while True:
            silent = await self._silence.too_long()
            channel.input.write(b"beat\n")
            if self._waiting >= AHEAD:
                # Kept from being heard by us.
                self._silence.heard()
            elif silent:
                raise self._link.silent()

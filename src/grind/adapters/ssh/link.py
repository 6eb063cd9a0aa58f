"""The connection to a host as others see it: it is there when it is needed, and comes back.

A broken connection is made again with growing pauses, for as long as there is hope; what can be asked
twice is asked again. Whoever listens is told that it broke, and that it is back.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import cached_property

from grind.adapters.runner.program import session_programs
from grind.adapters.ssh.channel import (
    BASH,
    Channel,
    Hello,
    Made,
    ProgramMissingError,
    Pulse,
)
from grind.adapters.ssh.door import Door, is_plain
from grind.adapters.ssh.session import Answer, Session
from grind.adapters.ssh.stateplace import StatePlace
from grind.adapters.ssh.trouble import SshError
from grind.core.holders import CAME
from grind.ports import Clock

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 15.0
"""Seconds between two attempts to connect again."""


class Link:
    """One host: its session, and channels beside it for what is pushed or streamed.

    `patience` is for how many seconds a lost connection is tried again; the first connection of all
    is tried once.
    """

    def __init__(
        self, door: Door, slug: str, name: str, clock: Clock, *, patience: float, pulse: Pulse
    ) -> None:
        self.door = door
        self.pulse = pulse
        self._slug = slug
        self._name = name
        self._clock = clock
        self._patience = patience
        self._session: Session | None = None
        self._lent: tuple[str, ...] = ()
        self._making = asyncio.Lock()
        self._hello: Hello | None = None
        self._listeners: list[Callable[[str], None]] = []
        self._lost_at: float | None = None
        self._place = StatePlace(os.path.dirname(door.socket), self.key("state"))

    def key(self, place: str) -> str:
        """Name what is remembered here of a place in the host's state folder."""
        text = "\0".join((self.door.alias, self.door.config or "", self._slug, place))
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:24]

    def listen(self, tell: Callable[[str], None]) -> None:
        """Tell `tell` what happens to the connection."""
        self._listeners.append(tell)

    async def lend(self, pairs: Sequence[str]) -> None:
        """Set the environment (`NAME=VALUE`) that commands of this and later sessions get. From where a
        session comes they see besides: a lock says it of its holder.

        It is on its way when this returns: what is asked next comes after it.
        """
        self._lent = tuple(pairs)
        task = asyncio.create_task(self.ask("env", self._given()))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        await asyncio.sleep(0)

    @property
    def hello(self) -> Hello | None:
        """What the host said of itself; None before the first connection."""
        return self._hello

    async def ask(
        self,
        kind: str,
        fields: Sequence[str] = (),
        data: bytes = b"",
        *,
        seconds: float | None = None,
        again: bool = True,
    ) -> Answer:
        """Make a request. With `again` it is one that can be made twice, and is made until it is
        answered. Raises SshError, and TimeoutError after `seconds`."""
        while True:
            session = self._session
            if session is None or not session.alive:
                session = await self.session()
            try:
                return await session.ask(kind, fields, data, seconds)
            except SshError as error:
                if not again or error.kind == "closed":
                    raise
                self.told_lost(error)

    async def session(self) -> Session:
        """Return the session, made (again) when there is none. Raises SshError."""
        async with self._making:
            if self._session is not None and not self._session.alive:
                silent, session = self._session.silent, self._session
                self._session = None
                await session.close()
                if silent:
                    # The master hangs as well: the next attempt has one of its own.
                    await self.door.shut()
            if self._session is None:
                self._session = await self.persist(self._connect)
        return self._session

    async def persist(self, make: Callable[[], Awaitable[Made]]) -> Made:
        """Make something of a connection, again and again where it has worked before.

        Raises:
            SshError: it was the first time, or trying again is of no use, or patience is at its end.
        """
        until, pause = self._clock.now() + self._patience, FIRST_PAUSE
        while True:
            try:
                made = await make()
            except SshError as error:
                if self._hello is None or error.lasting:
                    raise
                self.told_lost(error)
                if self._clock.now() > until:
                    raise SshError(
                        f"{error.message}; given up after {self._patience:g} seconds",
                        remedy="the host goes on with what it has; the same command follows it again",
                        kind=error.kind,
                    ) from error
            else:
                self._told_back()
                return made
            await self._clock.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def following(self, lane: str, records: int, log: int) -> Channel:
        """Return a session of its own that pushes what a lane writes, from these offsets on."""
        command = self._follower(lane, records, log)
        if command is not None:

            async def opened() -> Channel:
                channel = await Channel.open(self.door, command)
                await self._made(channel, channel.greeted(command[-1]))
                return channel

            with suppress(ProgramMissingError):
                return await self.persist(opened)
        channel = await self.role("follow")
        channel.stop_listening()
        fields = (lane, str(records), str(log))
        channel.input.write(b"follow\n" + b"".join(os.fsencode(field) + b"\0" for field in fields))
        return channel

    def _follower(self, lane: str, records: int, log: int) -> tuple[str, ...] | None:
        """Name the program that follows to ssh itself; None where a word of that is not plain.

        sshd takes input for a program only when it has told that the program runs: what is named to it
        saves a round trip.
        """
        hello = self._hello
        if hello is None:
            return None
        host, runner, _ = self._programs
        words = (
            *("exec", "env", "-i", f"PATH={hello.path}", *BASH, f"{hello.state}/bin/run/{host}"),
            *("follow", hello.state, hello.path, runner, f"{self.pulse.lifeline:g}"),
            *(lane, str(records), str(log), secrets.token_hex(16)),
        )
        return words if all(map(is_plain, words)) else None

    async def role(self, role: str) -> Channel:
        """Return a session of its own with the program of this role."""

        async def opened() -> Channel:
            channel, _ = await self._open(role)
            return channel

        return await self.persist(opened)

    async def close(self) -> None:
        """Let go of it all. The master connection stays a while, for the next command."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _connect(self) -> Session:
        channel, hello = await self._open("serve")
        self._hello = hello
        session = await Session.begin(channel, hello, self.pulse)
        if self._lent:
            await session.ask("env", self._given())
        return session

    def _given(self) -> tuple[str, ...]:
        """Return what is lent, and SSH_CONNECTION as it is now: after a move it is another one."""
        came = self._hello.environ.get(CAME) if self._hello is not None else None
        if came is None:
            return self._lent
        return (*(pair for pair in self._lent if not pair.startswith(f"{CAME}=")), f"{CAME}={came}")

    async def _open(self, role: str) -> tuple[Channel, Hello]:
        # Word, role, the programs, and the repository's folder at last: that may be empty.
        fields = (
            *(secrets.token_hex(16), role, *self._programs),
            *(f"{self.pulse.lifeline:g}", self._slug),
        )
        command = self._booter(fields)
        if command is not None:
            channel = await Channel.open(self.door, command)
            with suppress(ProgramMissingError):
                return channel, await self._made(channel, channel.hello(fields[0]))
        channel = await Channel.open(self.door)
        hello = await self._made(channel, channel.become(fields, self._programs))
        self._place.remember(hello.state)
        return channel, hello

    @cached_property
    def _programs(self) -> Mapping[str, bytes]:
        """What is kept on the host: read and named once."""
        return session_programs()

    def _booter(self, fields: Sequence[str]) -> tuple[str, ...] | None:
        """Name what a session begins with to ssh itself; None where that is not known, or not plain."""
        state = self._place.recall()
        if state is None:
            return None
        *_, boot = self._programs
        # No word of a command is empty; the last one may be missing.
        words = ("exec", *BASH, f"{state}/bin/run/{boot}", *filter(None, fields))
        return words if all(map(is_plain, words)) else None

    async def _made(self, channel: Channel, work: Awaitable[Made]) -> Made:
        try:
            return await work
        except BaseException as error:
            await channel.close()
            if isinstance(error, SshError) and not error.lasting and self._hello is not None:
                # It may be the master that hangs: the next attempt has one of its own.
                await self.door.shut()
            raise

    def dropped(self) -> SshError:
        """Return the error that a connection which ends in the middle is."""
        return SshError(
            f"the connection to {self._name} was closed", remedy="try again", kind="dropped"
        )

    def silent(self) -> SshError:
        """Return the error that a connection without a sign of life is."""
        message = f"{self._name} has not been heard of for {self.pulse.silence:g} seconds"
        return SshError(message, remedy="is the network up?", kind="timeout")

    def told_lost(self, error: SshError) -> None:
        """Tell, once, that the connection is lost."""
        if self._lost_at is None:
            self._lost_at = self._clock.now()
            self._tell(f"{error.message}; the host goes on meanwhile, trying again")

    def _told_back(self) -> None:
        if self._lost_at is not None:
            gone, self._lost_at = self._clock.now() - self._lost_at, None
            self._tell(
                f"the connection to {self._name} is back after {gone:.0f} s; nothing was lost"
            )

    def _tell(self, text: str) -> None:
        for tell in self._listeners:
            tell(text)

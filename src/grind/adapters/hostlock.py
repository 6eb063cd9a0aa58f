"""A lock on a host, held by a process there: one activation at a time, whoever asks for it.

The holder is always a process on the host, because a client may go away at any time. A lock whose
holder died is stale: it is shown, and taken over only by whoever names it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grind.adapters.hostscripts import LOCK, bash, script
from grind.core.errors import GrindError
from grind.core.holders import HostHeldError, HostHolder
from grind.core.texts import one_line
from grind.ports import Completed, Host


class HostLock:
    """The locks of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def script(self) -> str:
        """Return the path on the host of the lock's script, for programs there that take it
        themselves: `bash --noprofile --norc PATH take NAME PID WHO FROM WHAT [TOKEN]`."""
        return await self._host.keep(LOCK, script(LOCK))

    async def take(
        self, name: str, pid: int, *, who: str, what: str, origin: str = "", instead_of: str = ""
    ) -> str:
        """Hold the lock as long as process `pid` of the host lives; return the token.

        `instead_of` is the token of a stale holder that is to be followed.

        Raises:
            HostHeldError: somebody has it, or left it and was not named.
        """
        while True:
            words = await self._call("take", name, str(pid), who, origin, what, instead_of)
            if words[0] == "taken":
                return words[1]
            if words[0] != "free":  # free: whoever was faster is done already
                raise HostHeldError(self._host.name, name, _holder(words))

    async def hold(self, name: str, seconds: float, *, who: str, what: str) -> str:
        """Hold the lock by a process of its own on the host, until it is released, at most so many
        seconds; return the token. It outlives whoever asked: what they began may still go on there.

        Raises:
            HostHeldError: somebody has it, or left it.
        """
        while True:
            words = await self._call("hold", name, str(int(seconds)), who, "", what)
            if words[0] == "taken":
                return words[1]
            if words[0] != "free":
                raise HostHeldError(self._host.name, name, _holder(words))

    async def release(self, name: str, token: str) -> None:
        """Let go of what is held by a process of its own, and end that."""
        done = await self._run("release", name, token)
        if done.exit_code not in (0, 4):
            raise _failed(self._host.name, done)

    async def free(self, name: str, token: str) -> bool:
        """Let go; False when it is another's by now."""
        done = await self._run("free", name, token)
        if done.exit_code not in (0, 4):
            raise _failed(self._host.name, done)
        return done.exit_code == 0

    async def holder(self, name: str) -> HostHolder | None:
        """Return who holds the lock, or left it; None when nobody."""
        words = await self._call("show", name)
        return None if words == ["free"] else _holder(words)

    async def all(self) -> dict[str, HostHolder]:
        """Return every lock that somebody holds, or left: name → holder."""
        words = await self._call("list")
        return {
            words[at]: _holder(words[at + 1 : at + 8]) for at in range(0, len(words), _FIELDS + 1)
        }

    async def free_stale(self, token: str) -> HostHolder:
        """Let go of a lock whose holder is gone; return who that was.

        Raises:
            HostHeldError: the holder lives.
            GrindError: no lock has that token.
        """
        for name, holder in (await self.all()).items():
            if holder.token == token:
                if not holder.stale:
                    raise HostHeldError(self._host.name, name, holder)
                await self.free(name, token)
                return holder
        raise GrindError(f"no lock of {self._host.name} has that token", remedy="grind doctor")

    async def _call(self, *arguments: str) -> list[str]:
        done = await self._run(*arguments)
        words = done.out.decode("utf-8", "replace").split("\0")[:-1]
        if done.exit_code not in (0, 3) or (done.exit_code == 3 and not words):
            raise _failed(self._host.name, done)
        return words

    async def _run(self, *arguments: str) -> Completed:
        if len(arguments) > 1 and re.fullmatch(r"[a-z][a-z0-9-]*", arguments[1]) is None:
            raise ValueError(arguments[1])
        return await self._host.run((*bash(await self.script()), *arguments))


_FIELDS = 7
"""A word, and six facts of a holder."""


def _holder(words: Sequence[str]) -> HostHolder:
    word, token, pid, since, who, origin, what = words
    return HostHolder(token, int(pid), float(since), who, origin, what, stale=word == "stale")


def _failed(host: str, done: Completed) -> GrindError:
    said = done.err.decode("utf-8", "replace").strip() or f"status {done.exit_code}"
    return GrindError(
        f"the lock of {host} cannot be used: {one_line(said)}",
        remedy="grind doctor shows whether its state folder can be written",
    )

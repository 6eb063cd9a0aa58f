"""One ssh process, from its start to the moment at which the program at the other end is ready."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from grind.adapters.runner.program import boot
from grind.adapters.ssh.door import Door
from grind.adapters.ssh.taken import Taken
from grind.adapters.ssh.trouble import SshError, trouble
from grind.core.errors import GrindError

Made = TypeVar("Made")

BASH = ("bash", "--noprofile", "--norc")
LIMIT = 1 << 20
"""Bytes that may wait to be read before ssh is made to wait."""
NOISE = 1 << 20
"""Bytes that the rc files of a login may print before it is taken for something else than a login."""
SAID = 64


class Pulse(NamedTuple):
    """Signs of life, in seconds."""

    beat: float = 5.0
    """Between two of them, each way."""
    silence: float = 20.0
    """Without any, after which the client takes the connection for lost."""
    lifeline: float = 40.0
    """Without any, after which what serves the connection on the host goes."""


class Silence:
    """For how long nothing has been heard of the other side.

    Beats are counted, and not the time between them: while this process stood still (it was stopped, the
    machine slept, something else kept the loop) it listened to nobody.
    """

    def __init__(self, pulse: Pulse) -> None:
        self._pulse = pulse
        self._beats = 0

    def heard(self) -> None:
        """Something has come."""
        self._beats = 0

    async def too_long(self) -> bool:
        """Wait for the next beat, and say whether nothing has come for as long as is borne."""
        await asyncio.sleep(self._pulse.beat)
        self._beats += 1
        return self._beats * self._pulse.beat > self._pulse.silence


class Hello(NamedTuple):
    """What the other end says of itself when it is ready."""

    state: str
    boot: str
    bash: str
    path: str
    uid: int
    environ: Mapping[str, str]


class ProgramMissingError(Exception):
    """Grind was on the host before, and its program is not there any more."""


class Channel:
    """A program at the other end, its input and its output.

    What ssh itself says on the standard error is kept for `trouble`, unless it is the program's.
    """

    def __init__(self, door: Door, process: asyncio.subprocess.Process) -> None:
        self._door = door
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.input: asyncio.StreamWriter = process.stdin
        self.output: asyncio.StreamReader = process.stdout
        self.errors: asyncio.StreamReader = process.stderr
        self._said: deque[bytes] = deque(maxlen=SAID)
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, door: Door, command: Sequence[str] = ("exec", *BASH, "-s")) -> Channel:
        """Start ssh; `command` is plain words. Raises GrindError when there is no ssh here."""
        logging.getLogger("asyncio").addFilter(_is_news)
        try:
            process = await asyncio.create_subprocess_exec(
                *door.argv(*command),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                limit=LIMIT,
                # Ctrl-C is for grind, which ends what is to be ended in its own order.
                start_new_session=True,
            )
        except FileNotFoundError:
            raise GrindError(
                "there is no ssh on this machine", remedy="install OpenSSH's client"
            ) from None
        return cls(door, process)

    async def become(self, fields: Sequence[str], programs: Mapping[str, bytes]) -> Hello:
        """Feed the other end until it is a program of ours: `fields` are what `boot.sh` is given, the
        word that it greets with first; `programs` is what the host may lack.

        Raises:
            SshError: it was not reached, or is no place where grind can work.
        """
        self.input.write(boot() + b"".join(field.encode() + b"\0" for field in fields))
        self._listening = asyncio.create_task(self._listen())
        return await self._reached(self._greet(fields[0], programs))

    async def hello(self, word: str) -> Hello:
        """Wait for the other end, when `boot.sh` was named to ssh itself.

        Raises:
            SshError: it was not reached, or is no place where grind can work.
            ProgramMissingError: it was, and does not have the program any more.
        """
        self._listening = asyncio.create_task(self._listen())
        return await self._reached(self._greet(word, {}), named=True)

    async def greeted(self, word: str) -> None:
        """Wait for the word of a follower that was named to ssh itself. Raises as `hello` does."""
        await self._reached(self._word(word), named=True)

    async def _reached(self, work: Awaitable[Made], *, named: bool = False) -> Made:
        try:
            async with asyncio.timeout(2 * self._door.connect):
                return await work
        except TimeoutError:
            raise trouble(self._door.alias, b"Connection timed out") from None
        except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
            told = await self.trouble()
            if named and self._process.returncode in (126, 127):
                raise ProgramMissingError from error
            raise told from error

    async def _greet(self, word: str, programs: Mapping[str, bytes]) -> Hello:
        while True:
            head, *fields = await self._word(word)
            match head, fields:
                case "need", names if programs.keys() >= set(names):
                    texts = [programs[name] for name in names]
                    self.input.write(b"".join(b"%d\n%b" % (len(text), text) for text in texts))
                case "ready", [state, boot_id, bash, path, uid, *environ]:
                    pairs = (pair.partition("=") for pair in environ)
                    known = {name: value for name, sign, value in pairs if sign}
                    return Hello(state, boot_id, bash, path, int(uid), known)
                case _:
                    raise self._unfit(head, fields)

    async def _word(self, word: str) -> list[str]:
        """Read what follows our word; what the login's rc files print before it is passed over."""
        passed = 0
        while True:
            line = await self.output.readuntil(b"\n")
            found, _, size = line.rstrip(b"\n").partition(b" ")
            if found == word.encode() and size.isdigit():
                data = await self.output.readexactly(int(size))
                return [os.fsdecode(field) for field in data.split(b"\0")[:-1]]
            passed += len(line)
            if passed > NOISE:
                raise ValueError

    def _unfit(self, head: str, fields: list[str]) -> GrindError:
        alias, said = self._door.alias, "".join(fields)
        told = {
            "old": (f"bash on {alias} is {said}", "grind needs bash 4.4 or newer there", "no-bash"),
            "bare": (
                f"{alias} has no head, mkdir or mv on the PATH of a non-login shell",
                "install coreutils there",
                "no-bash",
            ),
            "state": (
                f"{said} on {alias} cannot be made, or is not yours",
                "make it a folder of your own, or set GRIND_STATE_DIR in the host's environment",
                "state",
            ),
            "full": (
                f"{said} on {alias} cannot be written (is the disk full?)",
                "free some space there, then try again",
                "state",
            ),
        }.get(head, (f"{alias} answers in an unknown way: {head}", "is grind up to date?", "state"))
        return SshError(told[0], remedy=told[1], kind=told[2])

    async def trouble(self) -> SshError:
        """Return what was wrong, when the channel has ended."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                await self._process.wait()
                await (self._listening or self._listen())
        return trouble(self._door.alias, b"".join(self._said), self._process.returncode)

    async def _listen(self) -> None:
        while data := await self.errors.read(4096):
            self._said.append(data)

    def stop_listening(self) -> None:
        """Leave the standard error to whoever has the channel."""
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None

    async def take_output(self, take: Callable[[Taken, bytes], None], pipe: int) -> Taken:
        """Hand what the program says to `take`, from now on, instead of to `output`."""
        # Neither has a public name.
        transport = getattr(self._process, "_transport").get_pipe_transport(1)  # noqa: B009
        transport.pause_reading()
        # What was read in this turn of the loop is handed to the reader in the next one.
        await asyncio.sleep(0)
        come = bytes(getattr(self.output, "_buffer"))  # noqa: B009
        return Taken(transport, take, pipe, come)

    @property
    def ended(self) -> bool:
        """Whether ssh is gone."""
        return self._process.returncode is not None

    async def close(self) -> None:
        """End the session: the other end sees the end of its input, and goes."""
        if self._listening is not None:
            self._listening.cancel()
        await end(self._process)


def _is_news(record: logging.LogRecord) -> bool:
    """Keep one warning of asyncio's from the user's terminal: that the end of a process which `end` closes
    was read by whoever closed it, and that its return code, which nobody wants any more, is not known."""
    text = str(record.msg)
    return not (text.startswith("Unknown child process pid") or "exit status already read" in text)


async def end(process: asyncio.subprocess.Process) -> None:
    """End a process that talks through pipes, whatever is left in them."""
    # `wait` alone would wait for pipes that nobody reads any more.
    transport = getattr(process, "_transport")  # noqa: B009 - it has no public name
    transport.close()
    with contextlib.suppress(ProcessLookupError):
        await process.wait()

"""How ssh is called: the user's own configuration, through a master connection of grind's own."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from grind.core.errors import GrindError

_PLAIN = re.compile(r"[A-Za-z0-9_./+@%=:,-]+\Z")
LONGEST = 104 - 18
"""A socket's path may have 104 bytes on some systems, and ssh makes the socket under its name and 17 more."""


def is_plain(word: str) -> bool:
    """Whether every login shell leaves the word as it is."""
    return _PLAIN.match(word) is not None


class Door(NamedTuple):
    """The way to one host."""

    alias: str
    config: str | None = None
    """A configuration file in place of the user's (`ssh -F`)."""
    socket: str = ""
    """Where the master connection listens."""
    persist: int = 300
    """Seconds that the master stays when nobody uses it: the next command is there at once."""
    connect: int = 15
    """Seconds for connecting."""

    def argv(self, *command: str) -> tuple[str, ...]:
        """Return the ssh command that runs `command` there.

        The command goes through the login shell of the other side, whatever that is: it must be
        plain words.
        """
        chosen = ("-F", self.config) if self.config is not None else ()
        options = (
            "BatchMode=yes",
            f"ConnectTimeout={self.connect}",
            "ControlMaster=auto",
            f"ControlPath={self.socket}",
            f"ControlPersist={self.persist}",
            "ServerAliveInterval=5",
            "ServerAliveCountMax=3",
            "ClearAllForwardings=yes",
            "PermitLocalCommand=no",
            "RemoteCommand=none",
            "ForwardX11=no",
            "LogLevel=ERROR",
        )
        pairs = tuple(part for option in options for part in ("-o", option))
        return ("ssh", *chosen, *pairs, "-T", "-e", "none", "--", self.alias, *command)

    def anew(self) -> Door:
        """Return a way to the same host that shares no connection with any other."""
        import secrets

        socket = os.path.join(os.path.dirname(self.socket), secrets.token_hex(8))
        return self._replace(socket=socket, persist=1)

    async def shut(self) -> None:
        """End the master connection, and every session through it. The host's lanes go on."""
        chosen = ("-F", self.config) if self.config is not None else ()
        argv = ("ssh", *chosen, "-o", f"ControlPath={self.socket}", "-O", "exit", "--", self.alias)
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        # A master that did not answer is left to its keep-alives; nobody finds it any more.
        with contextlib.suppress(OSError):
            os.unlink(self.socket)


def door(
    alias: str,
    environ: Mapping[str, str],
    *,
    config: str | None = None,
    persist: int = 300,
    connect: int = 15,
) -> Door:
    """Return the way to a host.

    Raises:
        GrindError: ssh would not take the alias for a host's name, or there is no private place
            for the socket.
    """
    if alias.startswith("-") or not alias or re.search(r"[\s\0-\x1f\x7f]", alias):
        raise GrindError(
            f"not an SSH alias: {alias!r}",
            remedy="name a host of your ~/.ssh/config, without blanks and without a leading `-`",
        )
    text = "\0".join(("1", alias, config or "")).encode("utf-8", "surrogateescape")
    name = hashlib.sha256(text).hexdigest()[:16]
    return Door(alias, config, os.path.join(_folder(environ), name), persist, connect)


def _folder(environ: Mapping[str, str]) -> str:
    """Return a private folder with a short, plain path."""
    base = environ.get("XDG_RUNTIME_DIR", "")
    place = f"{base}/grind"
    plain = os.path.isabs(base) and re.fullmatch(r"[/0-9A-Za-z._-]+", base) is not None
    if not plain or len(place) + 17 > LONGEST or not os.path.isdir(base):
        place = f"/tmp/grind-{os.geteuid()}"
    with contextlib.suppress(FileExistsError):
        Path(place).mkdir(mode=0o700)
    found = os.lstat(place)
    own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not own or stat.S_IMODE(found.st_mode) & 0o077:
        raise GrindError(
            f"{place} is not a private folder of your own",
            remedy=f"whoever made it could take over your connections; remove it: rm -rf {place}",
        )
    return place

"""The locks of a host, for the commands that change one."""

from __future__ import annotations

import asyncio
import contextlib
import os
from typing import TYPE_CHECKING

from grind.adapters.hostlock import HostLock
from grind.core.errors import UnreachableError
from grind.core.holders import ACTIVATION as ACTIVATION
from grind.core.holders import CAME
from grind.core.holders import HostHeldError as HostHeldError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from grind.ports import Host


def host_lock(host: Host) -> HostLock:
    """Return the locks of a host."""
    return HostLock(host)


@contextlib.asynccontextmanager
async def held(
    host: Host,
    seconds: float,
    *,
    here: bool,
    environ: Mapping[str, str],
    what: str,
    tell: Callable[[str], None],
) -> AsyncIterator[None]:
    """Hold the lock of everything that changes a host for everybody: by this process when the host is
    this machine (`here`), else by one there, for at most so many seconds. `environ` is the client's: the
    others are told who they are, and where they came from. When the client is cut off, the
    lock shows that it was left, on another host when the seconds are over: what was begun may be half done.

    A sync that is gone is followed, since it left nothing half done, and `tell` hears of it.

    Raises HostHeldError when somebody else changes the host, or was cut off while they did.
    """
    lock = HostLock(host)
    left = await lock.holder(ACTIVATION)
    if left is not None and left.stale and left.harmless:
        await lock.free(ACTIVATION, left.token)
        tell(f"the lock of {host.name} was left by {left.told()}, and is taken over")
    who = operator(environ)
    if here:
        came = came_from(environ)
        token = await lock.take(ACTIVATION, os.getpid(), who=who, what=what, origin=came)
    else:
        token = await lock.hold(ACTIVATION, seconds, who=who, what=what)
    let_go = lock.free if here else lock.release
    try:
        yield
    except UnreachableError:
        raise  # nobody knows what goes on there now
    except BaseException:
        await asyncio.shield(let_go(ACTIVATION, token))
        raise
    else:
        await let_go(ACTIVATION, token)


def operator(environ: Mapping[str, str]) -> str:
    """Say who types here, as others are shown it: `ada@laptop`."""
    import pwd

    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = environ.get("USER", "") or str(os.getuid())
    return f"{name}@{os.uname().nodename}"


def came_from(environ: Mapping[str, str]) -> str:
    """Say from which address whoever types here is logged in on this machine; nothing for somebody who
    sits at it. What changes another host is told of by that host: it sees where we come from.

    Source: sshd(8), SSH_CONNECTION: the client's address and port, the server's address and port.
    """
    import re

    address, _, _ = environ.get(CAME, "").partition(" ")
    return address if re.fullmatch(r"[0-9A-Fa-f.:]+(%[\w.-]+)?", address, re.ASCII) else ""

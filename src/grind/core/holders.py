"""Who holds a lock on a host, or left it: what the others are shown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from grind.core.errors import ExitCode, GrindError
from grind.core.texts import one_line

ACTIVATION = "activation"
"""The name of the lock that whatever changes a host for everybody takes: its system, its units, its
workspace."""
CAME = "SSH_CONNECTION"
"""The variable in which sshd says from where somebody is logged in: the client's address and port, and
the server's (sshd(8))."""
SYNC = "grind sync"
"""What a sync of the workspace says that it does (hostscripts/sync.sh)."""


class HostHolder(NamedTuple):
    """Who holds a lock on a host, or left it."""

    token: str
    """Names this one holding: what `free` and taking over want."""
    pid: int
    since: float
    """Seconds since the epoch, by the host's clock."""
    who: str
    origin: str
    """Where they are logged in from: an address, or empty for somebody who sits at the host."""
    what: str
    """What they do: the command, and for an activation its identifier."""
    stale: bool
    """Whether the holding process is gone."""

    @property
    def activation(self) -> str:
        """The activation that it is held for; empty when it is for something else."""
        command, _, name = self.what.rpartition(" ")
        return name if command in ("grind activate", "grind rollback host") else ""

    @property
    def harmless(self) -> bool:
        """Whether whoever is gone can have left nothing half done: every change that a sync makes is
        one of git's own."""
        return self.what == SYNC

    def told(self) -> str:
        """Return it as a sentence's end: `grind activate by ada@laptop from 10.0.0.7 (…)`."""
        at = f"{datetime.fromtimestamp(self.since, UTC):%Y-%m-%d %H:%M:%S} UTC"
        origin = f" from {self.origin}" if self.origin else ""
        return one_line(f"{self.what} by {self.who}{origin} (pid {self.pid} there, since {at})")


class HostHeldError(GrindError):
    """Somebody has the lock, or died with it (`holder.stale`)."""

    code = ExitCode.REFUSED

    def __init__(self, host: str, name: str, holder: HostHolder) -> None:
        if holder.stale:
            message = (
                f"the {name} lock of {host} was left by {holder.told()}, which is gone without "
                "having let go: what it was doing may be half done"
            )
            remedy = f"look at the host, then `grind doctor --free-lock {holder.token}`"
        else:
            message = f"busy: {holder.told()} holds the {name} lock of {host}"
            remedy = "wait for it, or talk to them"
        super().__init__(message, remedy=remedy)
        self.holder = holder

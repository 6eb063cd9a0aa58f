"""What an activation depends on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from grind.core import events as e
from grind.core.activateconfig import ActivateConfig
from grind.core.holders import HostHolder
from grind.ports import Clock, Host, LogStore


class Expected(NamedTuple):
    """What the probes shall find."""

    after: str
    """`before` a switch, after a `switch`, after going `back`, or after `nothing`."""
    commit: str | None
    """The commit that must answer; None when that is not known (a generation of somebody else's)."""
    tree: str | None
    since: float | None
    """When the switch began, by the host's clock."""
    without: tuple[str, ...] = ()
    """Probes that are not asked: they were red before the switch, so going back cannot mend them."""


class Looked(NamedTuple):
    """What the probes found."""

    healthy: bool
    red: tuple[str, ...]
    """Names of the probes that are red, each with what was wrong."""
    seconds: float
    names: tuple[str, ...] = ()
    """The names of those alone."""


class CutOff(NamedTuple):
    """An activation that was begun from here and cut off, as the journal tells."""

    activation: str
    ill: tuple[str, ...]
    """The probes that were red before it."""


def nothing_cut_off() -> CutOff | None:
    """Stand for journals in which everything has an end."""
    return None


def no_need() -> None:
    """Stand for things that are ready."""


async def nowhere() -> str:
    """Stand for the repository where nothing is built."""
    return ""


class ActivateInputs(NamedTuple):
    """What an activation or a rollback of a host depends on."""

    host: Host
    fresh: Callable[[], Awaitable[Host]]
    """Opens another connection to the same host, for the acknowledgement: a host that can only be
    reached through what was open before the switch is not well."""
    clock: Clock
    logs: LogStore
    record: Callable[[e.Event], None]
    """Journal first, then the face."""
    config: ActivateConfig
    program: bytes
    """The supervisor."""
    lock: bytes
    """The program of the host's locks."""
    holder: Callable[[], Awaitable[HostHolder | None]]
    """Asks who changes the host just now, or was cut off while they did."""
    probe: Callable[[Expected], Awaitable[Looked]]
    probes: int
    """How many probes there are for this host."""
    probes_within: float
    """Seconds that all of them may take."""
    activation: str
    """Identifier: [0-9a-z-]+, at least eight characters."""
    who: str
    origin: str = ""
    """Where they are logged in from, when the host is this machine; of another host that one says it."""
    commit: str = ""
    tree: str = ""
    prepared: Callable[[], Awaitable[str]] = nowhere
    """Makes the refs that a checkout of the snapshot needs, and returns the path here of the private
    repository that has it."""
    modules: Callable[[], Mapping[str, str]] = dict
    """The copies of submodules here: name → git folder."""
    name: str = "repository"
    branch: str = "main"
    dry_run: bool = False
    ready: Callable[[], object] = no_need
    """Gets ready what is needed when the build is over; called while it goes on."""
    unfinished: Callable[[], CutOff | None] = nothing_cut_off
    """Looks for an activation of this host that was begun from here and has no end."""

    @property
    def deadline(self) -> int:
        """Seconds that the host waits for the acknowledgement."""
        return int(self.config.acknowledge_within or self.probes_within + 30) or 1

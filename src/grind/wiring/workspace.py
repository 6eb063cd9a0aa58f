"""The workspace of a host, for the commands that look into it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from grind.adapters.workspace import Workspace
from grind.core.errors import GrindError
from grind.core.holders import CAME
from grind.wiring.hostlock import came_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grind.core.hosts import Chosen
    from grind.ports import Host
    from grind.wiring import Session

_OF_GIT = ("HOME", "XDG_CONFIG_HOME", "SSH_AUTH_SOCK")
"""What git needs on this machine, where nothing of the environment is inherited."""


class Place(NamedTuple):
    """Where a workspace is."""

    path: str
    env: Mapping[str, str]
    told: str
    """As people say it: "/opt/work on grind"."""

    def on(self, host: Host) -> Workspace:
        """Return the workspace, on an open host."""
        return Workspace(host, self.path, self.env)


def workspace_of(session: Session, chosen: Chosen) -> Place:
    """Return where the host's workspace is; on this machine that is the repository itself when
    grind.toml names none.

    Raises:
        GrindError: grind.toml names none for the host.
    """
    here = session.hosts.is_here(chosen)
    path = chosen.config.workspace or (session.repository.top if here else None)
    if path is None:
        raise GrindError(
            f"grind.toml names no workspace on {chosen.name}",
            remedy=f'workspace = "/path/of/the/clone" in [hosts.{chosen.name}]',
        )
    return Place(path, _env(session.environ) if here else {}, f"{path} on {chosen.name}")


def _env(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a program beside the workspace gets on this machine: what git needs, and where
    whoever types came from, for those who ask who holds the host's lock."""
    env = {
        name: value
        for name, value in environ.items()
        if name in _OF_GIT or name.startswith("GIT_CONFIG")
    }
    came = came_from(environ)
    return env | {CAME: came} if came else env

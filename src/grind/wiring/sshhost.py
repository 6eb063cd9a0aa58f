"""Builds the adapter of a host that is reached through SSH."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grind.adapters.ssh.host import SshHost


def host_of(
    alias: str,
    environ: Mapping[str, str],
    *,
    name: str,
    slug: str,
    env: tuple[str, ...] = (),
    fixed: Mapping[str, str] | None = None,
    path: tuple[str, ...] = (),
    memory: str = "",
    workspace: str = "",
    config: str | None = None,
    fresh: bool = False,
) -> SshHost:
    """Return the host behind an SSH alias. Nothing is connected yet.

    `name` is what the user calls it, `slug` the repository's folder in the host's state folder; `env`
    are names of the host's own variables that steps may see, `fixed` variables with their values,
    `path` folders put before their PATH (as in `[hosts.NAME]`), `memory` a MemoryMax for all jobs
    together where the host's systemd allows it (`12G`, `80%`), `workspace` a clone of the repository on the host, whose
    objects need not be sent. `config` is a configuration file for ssh in place of the user's;
    GRIND_SSH_CONFIG in the environment does the same.

    `fresh` takes no connection that stands already, and leaves none behind: what it reaches can be
    reached anew.

    `await host.open()` connects, and says by UnreachableError why it cannot; every method that needs
    the host connects by itself, but `host.environment` is known only after one of them. Call
    `host.listen(tell)` to hear when the connection is lost and back, and `await host.close()` at the
    end: what runs on the host goes on.

    Raises:
        GrindError: the alias is none that ssh could take (it begins with `-`), or there is no private
            place for the socket.
    """
    from grind.adapters.clock import SystemClock
    from grind.adapters.ssh.door import door
    from grind.adapters.ssh.host import Lending, Limits, SshHost

    way = door(alias, environ, config=config or environ.get("GRIND_SSH_CONFIG") or None)
    if fresh:
        way = way.anew()
    return SshHost(
        way,
        SystemClock(),
        name=name,
        slug=slug,
        environ=environ,
        workspace=workspace,
        lending=Lending(env, path, fixed or {}),
        limits=Limits(memory=memory),
        outer=environ.get("RUNNER_TRACKING_ID", ""),
    )

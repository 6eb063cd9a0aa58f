"""Which host a command runs on, from grind.toml and `--host`. Pure: nobody is asked anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from grind.core.config import Config, HostConfig
from grind.core.configrules import LOCAL
from grind.core.errors import GrindError, RefusedError
from grind.core.suggest import suggestion


class Chosen(NamedTuple):
    """A host by name, with what grind.toml says of it."""

    name: str
    config: HostConfig

    @property
    def local(self) -> bool:
        """Whether it is `local`, this machine by definition."""
        return self.config.ssh is None


def default_host(config: Config) -> str:
    """Name the host that is meant without `--host`."""
    if config.host is not None:
        return config.host
    there = [name for name, host in config.hosts.items() if host.ssh and host.role == "grind"]
    return there[0] if len(there) == 1 else LOCAL


def chosen_host(config: Config, asked: str | None) -> Chosen:
    """Return the host that `--host` names, or the default one.

    Raises:
        GrindError: there is no such host; the remedy names those there are.
    """
    name = asked if asked is not None else default_host(config)
    if name == LOCAL:
        return Chosen(name, config.local)
    found = config.hosts.get(name)
    if found is None:
        known = host_names(config)
        meant = suggestion(name, known)
        raise GrindError(
            f"grind.toml has no host {name!r}",
            remedy=f"did you mean `--host {meant}`?" if meant else f"there are: {', '.join(known)}",
        )
    return Chosen(name, found)


def host_names(config: Config) -> list[str]:
    """List the hosts by name, this machine first."""
    return [LOCAL, *(name for name in config.hosts if name != LOCAL)]


def require_role(host: Chosen, roles: Iterable[str], what: str) -> None:
    """Refuse to do `what` on a host whose role is none of `roles`.

    Raises:
        RefusedError: with the host's role.
    """
    if host.config.role not in roles:
        raise RefusedError(
            f"{what} on {host.name}: its role is {host.config.role}, and only what was proven "
            "elsewhere goes there",
            remedy="name a host of the role grind with --host, or `--host local`",
        )

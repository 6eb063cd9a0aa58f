"""Builds what probes are asked with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grind.adapters.probing.client import ClientProber
from grind.adapters.probing.onhost import HostProber
from grind.flows.probe import ProbeInputs

if TYPE_CHECKING:
    from collections.abc import Callable

    from grind.core import events as e
    from grind.core.config import Config
    from grind.ports import Host
    from grind.wiring import Session


class ProbeHosts:
    """The hosts of one probing: each is opened once, and all are closed together."""

    def __init__(self, session: Session, config: Config) -> None:
        self._session = session
        self._config = config
        self._open: dict[str, Host] = {}

    def main(self) -> Host:
        """Return the host that is probed: the one that was asked for, or the default one."""
        return self.named(self._session.chosen(self._config).name)

    def named(self, name: str) -> Host:
        """Return a host; one that was opened before is the same. Raises GrindError when there is
        none of that name."""
        from grind.core.hosts import chosen_host

        if name not in self._open:
            host = self._session.hosts.open(chosen_host(self._config, name))
            self._open[name] = host
        return self._open[name]

    async def close(self) -> None:
        """Let go of connections."""
        for host in self._open.values():
            await host.close()


def probe_inputs(
    session: Session, hosts: ProbeHosts, host: Host, record: Callable[[e.Event], None]
) -> ProbeInputs:
    """Return what the flow depends on."""
    return ProbeInputs(
        host=host,
        client=ClientProber(session.environ.get("SSL_CERT_FILE")),
        prober_on=HostProber,
        host_named=hosts.named,
        clock=session.clock,
        record=record,
    )

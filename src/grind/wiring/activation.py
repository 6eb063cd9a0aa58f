"""Builds what an activation or a rollback of a host needs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grind.adapters.store import ReleaseFolder
    from grind.core import events as e
    from grind.core.config import Config
    from grind.core.hostevents import ActivateIntent
    from grind.core.hosts import Chosen
    from grind.core.probe import Probe
    from grind.flows.activation.inputs import ActivateInputs, Expected, Looked
    from grind.flows.basis import Basis
    from grind.ports import Host
    from grind.wiring import Session


class Reached:
    """One host, and every connection that was opened for its sake. For one event loop."""

    def __init__(self, session: Session, config: Config) -> None:
        self._session = session
        self._config = config
        self._chosen = session.chosen(config)
        self._open: list[Host] = []
        self._others: dict[str, Host] = {}
        self.host = self._opened(self._chosen)
        self.role: str = self._chosen.config.role

    async def fresh(self) -> Host:
        """Return the same host, over a connection of its own."""
        return self._opened(self._chosen, fresh=True)

    def named(self, name: str) -> Host:
        """Return a host that a probe is asked from, by its name. Raises GrindError."""
        from grind.core.hosts import chosen_host

        if name == self.host.name:
            return self.host
        if name not in self._others:
            self._others[name] = self._opened(chosen_host(self._config, name))
        return self._others[name]

    async def close(self) -> None:
        """Let go of all of them; one that does not answer has let go already."""
        from grind.core.errors import GrindError

        for host in self._open:
            with contextlib.suppress(GrindError):
                await host.close()

    def _opened(self, chosen: Chosen, *, fresh: bool = False) -> Host:
        self._open.append(self._session.hosts.open(chosen, fresh=fresh))
        return self._open[-1]


def activation_inputs(
    session: Session,
    basis: Basis,
    there: Reached,
    folder: ReleaseFolder,
    record: Callable[[e.Event], None],
    *,
    dry_run: bool = False,
) -> ActivateInputs:
    """Return what the flows depend on. `basis.config.activate` must be there."""
    from grind.adapters.supervisor.program import program
    from grind.core.activateconfig import ActivateConfig
    from grind.flows.activation.inputs import ActivateInputs
    from grind.flows.basis import repository_name

    config = basis.config
    probes = tuple(probe for probe in config.probe if probe.is_for(there.role))
    top = session.repository.top or session.repository.common_dir
    cut_off = _unfinished(session, folder, there.host.name)
    return ActivateInputs(
        host=there.host,
        fresh=there.fresh,
        clock=session.clock,
        logs=folder,
        record=record,
        config=config.activate or ActivateConfig(),
        program=program(),
        probe=_looker(session, basis, there, probes, record),
        probes=len(probes),
        probes_within=max((probe.deadline for probe in probes), default=0.0),
        activation=folder.id,
        who=who(),
        commit=basis.snapshot.commit,
        tree=basis.snapshot.tree,
        repository=session.repository.prepare(
            basis.snapshot, basis.target.remote, basis.target.main
        ),
        modules=session.repository.submodule_repositories,
        name=repository_name(basis.target.url, top).rpartition("/")[2] or "repository",
        branch=basis.target.main,
        dry_run=dry_run,
        unfinished=cut_off.activation if cut_off is not None else "",
        ill_before=cut_off.ill if cut_off is not None else (),
    )


def built_from(session: Session, tree: str) -> str | None:
    """Return what a tree was last seen to build, by the journals of activations from here."""
    from grind.core.hostevents import ActivatePlanned, ActivateStarted

    for folder in session.store.activations()[:20]:
        same = False
        with session.journal(folder) as journal:
            for entry in journal.read():
                if isinstance(entry.event, ActivateStarted):
                    same = entry.event.tree == tree
                elif isinstance(entry.event, ActivatePlanned) and same:
                    return entry.event.new
    return None


def who() -> str:
    """Return who acts, as the host's record names them: user and machine."""
    import pwd

    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        user = str(os.getuid())
    return f"{user}@{os.uname().nodename}"


def _unfinished(session: Session, but: ReleaseFolder, host: str) -> ActivateIntent | None:
    """Return the newest activation of the host that was begun from here and has no end; whoever took
    it up has written the end into a journal of their own."""
    from grind.core.activation import unfinished
    from grind.core.hostevents import ActivateEnded

    over: set[str] = set()
    for folder in session.store.activations()[:20]:
        if folder.id == but.id:
            continue
        with session.journal(folder) as journal:
            events = [entry.event for entry in journal.read()]
        over |= {event.activation for event in events if isinstance(event, ActivateEnded)}
        intent = unfinished(events)
        if intent is not None and intent.host == host and intent.activation not in over:
            return intent
    return None


def _looker(
    session: Session,
    basis: Basis,
    there: Reached,
    probes: tuple[Probe, ...],
    record: Callable[[e.Event], None],
) -> Callable[[Expected], Awaitable[Looked]]:
    """Return what looks at the host with its probes."""
    from grind.adapters.probing.client import ClientProber
    from grind.adapters.probing.onhost import HostProber
    from grind.core.config import FILE
    from grind.core.health import ProbeContext
    from grind.flows.activation.inputs import Looked
    from grind.flows.activation.looking import fitted
    from grind.flows.probe import ProbeInputs, places_of, run_probes

    inputs = ProbeInputs(
        host=there.host,
        client=ClientProber(session.environ.get("SSL_CERT_FILE")),
        prober_on=HostProber,
        host_named=there.named,
        clock=session.clock,
        record=record,
    )

    async def look(expected: Expected) -> Looked:
        context = ProbeContext(
            commit=expected.commit,
            tree=expected.tree,
            since=expected.since,
            places=places_of(basis.config_blob, probes, FILE),
        )
        report = await run_probes(inputs, fitted(probes, expected), context, purpose="activate")
        red = tuple(f"{row.name}: {'; '.join(row.problems) or row.got}" for row in report.red)
        names = tuple(row.name for row in report.red)
        return Looked(report.healthy, red, report.seconds, names)

    return look

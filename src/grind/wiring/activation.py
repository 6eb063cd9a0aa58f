"""Builds what an activation or a rollback of a host needs."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grind.adapters.store import ReleaseFolder
    from grind.core import events as e
    from grind.core.config import Config
    from grind.core.hosts import Chosen
    from grind.core.probe import Probe
    from grind.flows.activation.inputs import ActivateInputs, CutOff, Expected, Looked
    from grind.flows.basis import Basis
    from grind.flows.probe import ProbeInputs
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
    prepared: Callable[[], Awaitable[str]],
    *,
    dry_run: bool = False,
) -> ActivateInputs:
    """Return what the flows depend on; `prepared` as `preparing` returns it, where something is to be
    built. `basis.config.activate` must be there."""
    from grind.adapters.hostscripts import LOCK, script
    from grind.adapters.supervisor.program import program
    from grind.core.activateconfig import ActivateConfig
    from grind.flows.activation.inputs import ActivateInputs
    from grind.flows.basis import repository_name
    from grind.wiring.hostlock import ACTIVATION, came_from, host_lock, operator

    config = basis.config
    probes = tuple(probe for probe in config.probe if probe.is_for(there.role))
    looker = _Looker(session, basis, there, probes, record)
    top = session.repository.top or session.repository.common_dir
    return ActivateInputs(
        host=there.host,
        fresh=there.fresh,
        clock=session.clock,
        logs=folder,
        record=record,
        config=config.activate or ActivateConfig(),
        program=program(),
        lock=script(LOCK),
        holder=lambda: host_lock(there.host).holder(ACTIVATION),
        probe=looker.look,
        probes=len(probes),
        probes_within=max((probe.deadline for probe in probes), default=0.0),
        activation=folder.id,
        who=operator(session.environ),
        origin=came_from(session.environ) if session.is_here(config) else "",
        commit=basis.snapshot.commit,
        tree=basis.snapshot.tree,
        prepared=prepared,
        modules=session.repository.submodule_repositories,
        name=repository_name(basis.target.url, top).rpartition("/")[2] or "repository",
        branch=basis.target.main,
        dry_run=dry_run,
        ready=looker.ready,
        unfinished=lambda: _unfinished(session, folder, there.host.name),
    )


def preparing(session: Session, basis: Basis) -> Callable[[], Awaitable[str]]:
    """Begin to make the private repository ready for a checkout, in a thread, and return what waits for
    that: git needs no more than a little of it, and everything else can be done meanwhile."""
    import asyncio

    target = basis.target
    begun = asyncio.get_running_loop().run_in_executor(
        None, session.repository.prepare, basis.snapshot, target.remote, target.main
    )

    async def prepared() -> str:
        return await begun

    return prepared


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


def _unfinished(session: Session, but: ReleaseFolder, host: str) -> CutOff | None:
    """Return the newest activation of the host that was begun from here and has no end; whoever took
    it up has written the end into a journal of their own."""
    from grind.core.activation import unfinished
    from grind.core.hostevents import ActivateEnded
    from grind.flows.activation.inputs import CutOff

    over: set[str] = set()
    for folder in session.store.activations()[:20]:
        if folder.id == but.id:
            continue
        with session.journal(folder) as journal:
            events = [entry.event for entry in journal.read()]
        over |= {event.activation for event in events if isinstance(event, ActivateEnded)}
        intent = unfinished(events)
        if intent is not None and intent.host == host and intent.activation not in over:
            return CutOff(intent.activation, intent.ill)
    return None


class _Looker:
    """Looks at the host with its probes."""

    def __init__(
        self,
        session: Session,
        basis: Basis,
        there: Reached,
        probes: tuple[Probe, ...],
        record: Callable[[e.Event], None],
    ) -> None:
        self._session = session
        self._basis = basis
        self._there = there
        self._probes = probes
        self._record = record
        self._inputs: ProbeInputs | None = None

    def ready(self) -> ProbeInputs:
        """Make what the probes are asked with; its imports are made while something else is waited
        for."""
        if self._inputs is None:
            from grind.adapters.probing.client import ClientProber
            from grind.adapters.probing.onhost import HostProber
            from grind.flows.probe import ProbeInputs

            self._inputs = ProbeInputs(
                host=self._there.host,
                client=ClientProber(self._session.environ.get("SSL_CERT_FILE")),
                prober_on=HostProber,
                host_named=self._there.named,
                clock=self._session.clock,
                record=self._record,
            )
        return self._inputs

    async def look(self, expected: Expected) -> Looked:
        """Ask the probes what can be expected of them now."""
        inputs = self.ready()
        from grind.core.config import FILE
        from grind.core.health import ProbeContext
        from grind.flows.activation.inputs import Looked
        from grind.flows.activation.looking import fitted
        from grind.flows.probe import places_of, run_probes

        context = ProbeContext(
            commit=expected.commit,
            tree=expected.tree,
            since=expected.since,
            places=places_of(self._basis.config_blob, self._probes, FILE),
        )
        report = await run_probes(
            inputs, fitted(self._probes, expected), context, purpose="activate"
        )
        red = tuple(f"{row.name}: {'; '.join(row.problems) or row.got}" for row in report.red)
        names = tuple(row.name for row in report.red)
        return Looked(report.healthy, red, report.seconds, names)

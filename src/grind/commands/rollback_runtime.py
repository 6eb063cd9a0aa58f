"""`grind rollback runtime`: restart the units of a host, in order, then probe it."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.hosting import add_host
from grind.commands.options import add_json
from grind.core import events as e
from grind.core.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from grind.core.health import ProbeReport
    from grind.core.probe import Probe
    from grind.core.undoevents import RollbackEnded
    from grind.flows.basis import Basis
    from grind.ports import Host
    from grind.wiring import Session
    from grind.wiring.probing import ProbeHosts

SLACK = 60.0
"""Seconds for what is neither restarting nor probing."""


def add_runtime_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `grind rollback runtime`."""
    parser.add_argument(
        "units", nargs="*", metavar="UNIT", help="default: [rollback] units in grind.toml"
    )
    add_host(parser)
    parser.add_argument("--plan", action="store_true", help="say what would be done, do nothing")
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; kept in the journal")
    add_json(parser, "write the rollback as NDJSON events (schema grind.events/1)")


def run_runtime(args: argparse.Namespace) -> int:
    """Restart; return 0 when all units are up and the probes are green."""
    from grind.commands.hosting import reach
    from grind.commands.probe import no_labels, require_probing
    from grind.commands.trusting import require_trust
    from grind.flows.basis import Options, find_basis
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ, args.host)
    basis = find_basis(session.repository, Options(), no_labels)
    host = reach(session, basis.config, "restart units")
    if not args.units and basis.config.rollback.units:
        require_trust(session, basis.config, f"restart units on {host.name}")
    require_probing(session, basis.config, _probes(session, basis))
    if args.plan:
        return asyncio.run(_run(session, basis, args))
    with session.lock("grind rollback runtime"):
        try:
            return asyncio.run(_run(session, basis, args))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def _run(session: Session, basis: Basis, args: argparse.Namespace) -> int:
    from grind.commands.signals import stop_on_signals
    from grind.flows.undo.runtime import (
        RESTART_SECONDS,
        RuntimeInputs,
        plan_runtime,
        planned,
        restart,
    )
    from grind.ui.undo_text import undo_face_for
    from grind.wiring.hostlock import held
    from grind.wiring.probing import ProbeHosts

    stop_on_signals()
    face = undo_face_for(sys.stdout, session.environ, json=args.json)
    hosts = ProbeHosts(session, basis.config)
    try:
        host = hosts.main()
        states = await plan_runtime(host, args.units or basis.config.rollback.units)
        probes = _probes(session, basis)
        plan = planned(host.name, states, len(probes))
        if args.plan:
            face.show(e.Entry(e.EVENTS_SCHEMA, 0, session.clock.now(), plan))
            return int(ExitCode.DONE)
        within = RESTART_SECONDS * len(states) + max((one.deadline for one in probes), default=0.0)
        async with held(
            host,
            within + SLACK,
            here=session.is_here(basis.config),
            environ=session.environ,
            what="grind rollback runtime",
            tell=_note,
        ):
            folder = session.store.new_release(session.clock.now())
            with session.journal(folder) as journal:

                def record(event: e.Event) -> None:
                    for entry in journal.append(event):
                        face.show(entry)

                record(plan)
                probe = _prober(session, hosts, host, basis, probes, record)
                ended: RollbackEnded = await restart(
                    RuntimeInputs(host, session.clock, record, probe if probes else None),
                    states,
                    args.reason,
                )
                return ended.exit_code
    finally:
        face.close()
        await hosts.close()


def _note(text: str) -> None:
    sys.stderr.write(f"grind: {text}\n")


def _probes(session: Session, basis: Basis) -> tuple[Probe, ...]:
    """The probes for the host, but for what a restart does not change: it brings back whatever was
    deployed, and leaves alone what it was not about."""
    import msgspec

    role = session.chosen(basis.config).config.role
    chosen = (probe for probe in basis.config.probe if probe.is_for(role))
    return tuple(msgspec.structs.replace(probe, revision=None, fresh=False) for probe in chosen)


def _prober(
    session: Session,
    hosts: ProbeHosts,
    host: Host,
    basis: Basis,
    probes: tuple[Probe, ...],
    record: Callable[[e.Event], None],
) -> Callable[[], Awaitable[ProbeReport]]:
    from grind.core.config import FILE
    from grind.core.health import ProbeContext
    from grind.flows.probe import places_of, run_probes
    from grind.wiring.probing import probe_inputs

    async def probe() -> ProbeReport:
        places = places_of(basis.config_blob, basis.config.probe, FILE)
        context = ProbeContext(places=places)
        inputs = probe_inputs(session, hosts, host, record)
        return await run_probes(inputs, probes, context, purpose="rollback")

    return probe

"""Verify live: the probes of the deployed role, until the landed revision answers."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, NamedTuple

from grind.core import events as e
from grind.core.errors import ExitCode, GrindError

if TYPE_CHECKING:
    from collections.abc import Callable

    from grind.core.health import ProbeReport
    from grind.core.hosts import Chosen
    from grind.core.probe import Probe
    from grind.flows.basis import Basis
    from grind.wiring import Session


class Verified(NamedTuple):
    """What became of it."""

    code: ExitCode
    healthy: bool
    reason: str = ""


def live_probes(session: Session, basis: Basis) -> tuple[Probe, ...]:
    """Return the probes of the role that is deployed to; empty when they could not tell the new
    revision from the old one."""
    from grind.flows.verify import can_verify

    role = basis.config.verify.role or _host(session, basis).config.role
    probes = tuple(probe for probe in basis.config.probe if probe.is_for(role))
    return probes if can_verify(probes) else ()


def require_live_probes(session: Session, basis: Basis) -> None:
    """Raise GrindError when nothing could be verified, or nobody said yes to what the probes need:
    before anything is waited for."""
    from grind.commands.probe import require_probing
    from grind.flows.verify import NO_REVISION

    probes = live_probes(session, basis)
    if not probes:
        raise GrindError(
            NO_REVISION,
            remedy='revision = "commit" in a [[probe]] of grind.toml; docs/probes.md',
        )
    require_probing(session, basis.config, probes)


def _host(session: Session, basis: Basis) -> Chosen:
    """The host that is deployed to."""
    from grind.core.hosts import chosen_host

    named = basis.config.verify.host
    return chosen_host(basis.config, named) if named else session.chosen(basis.config)


def verify_commit(
    session: Session, basis: Basis, commit: str, record: Callable[[e.Event], None]
) -> Verified:
    """Wait until the commit answers live; `basis` has the configuration that holds."""
    require_live_probes(session, basis)
    try:
        report = asyncio.run(_verify(session, basis, commit, record))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    if report.healthy:
        return Verified(ExitCode.DONE, True)
    red = "; ".join(f"{row.name}: {', '.join(row.problems) or row.got}" for row in report.red)
    code = ExitCode.UNREACHABLE if report.unreachable else ExitCode.STEP_FAILED
    return Verified(code, False, f"{commit[:12]} does not answer live: {red}")


async def _verify(
    session: Session, basis: Basis, commit: str, record: Callable[[e.Event], None]
) -> ProbeReport:
    from grind.commands.probe import commits_of
    from grind.commands.signals import stop_on_signals
    from grind.core.config import FILE
    from grind.core.health import ProbeContext
    from grind.flows.probe import places_of
    from grind.flows.verify import verify
    from grind.wiring.probing import ProbeHosts, probe_inputs

    stop_on_signals()
    hosts = ProbeHosts(session, basis.config)
    try:
        host = hosts.named(_host(session, basis).name)
        tree = session.repository.snapshot(commit).tree
        context = ProbeContext(
            commit=commit,
            tree=tree,
            same=commits_of(session, tree),
            places=places_of(basis.config_blob, basis.config.probe, FILE),
        )
        inputs = probe_inputs(session, hosts, host, record)
        return await verify(
            inputs, live_probes(session, basis), context, basis.config.verify.deadline
        )
    finally:
        await hosts.close()


def shower(session: Session, *, json: bool) -> Callable[[e.Entry], None]:
    """Return what shows the looks of a verification, and the table at its end."""
    from grind.core.health import ProbeReport
    from grind.ui.choose import colour_wanted, size_of
    from grind.ui.ndjson import NdjsonFace
    from grind.ui.probe_text import look_line, table
    from grind.ui.words import Paint, signs_for

    if json:
        return NdjsonFace(sys.stdout.buffer).show
    paint = Paint(colour_wanted(sys.stdout, session.environ))
    signs = signs_for(sys.stdout.encoding)

    def show(entry: e.Entry) -> None:
        event = entry.event
        lines = []
        if isinstance(event, e.ProbeLooked):
            lines = [look_line(event, paint, signs)]
        elif isinstance(event, e.ProbesEnded):
            report = ProbeReport(host=event.host, rows=event.rows, seconds=event.seconds)
            lines = list(table(report, paint, signs, max(size_of(sys.stdout)[0], 80)))
        sys.stdout.write("".join(line + "\n" for line in lines))
        sys.stdout.flush()

    return show

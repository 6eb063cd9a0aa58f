"""`grind status --host`: what a host runs, what it has run, and how that drifts."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from grind.core.errors import ExitCode

if TYPE_CHECKING:
    from grind.flows.activation.history import HostStatus
    from grind.flows.basis import Basis
    from grind.wiring import Session


def run_host_status(session: Session, args: argparse.Namespace) -> int:
    """Print the host's history; exit 4 when it drifts."""
    from grind.commands.activate import require_activate
    from grind.flows.basis import Options, find_basis
    from grind.ui.choose import colour_wanted
    from grind.ui.host_text import document, render_host

    basis = find_basis(session.repository, Options(), session.labels)
    require_activate(basis)
    status = asyncio.run(_status(session, basis, args.host or None))
    if args.json:
        sys.stdout.write(document(status) + "\n")
    else:
        colour = colour_wanted(sys.stdout, session.environ)
        sys.stdout.write(render_host(status, session.clock.now(), colour, sys.stdout.encoding))
    return int(ExitCode.DRIFT if status.drift else ExitCode.DONE)


async def _status(session: Session, basis: Basis, name: str | None) -> HostStatus:
    from grind.adapters.supervisor.program import program
    from grind.core.activateconfig import ActivateConfig
    from grind.flows.activation.history import host_status
    from grind.wiring.activation import built_from, reach

    reached = reach(session, basis.config, name)
    try:
        return await host_status(
            reached.host,
            basis.config.activate or ActivateConfig(),
            program(),
            basis.snapshot.tree,
            built_from(session, basis.snapshot.tree),
        )
    finally:
        await reached.host.close()

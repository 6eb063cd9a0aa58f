"""`grind status --host`: what a host runs, what it has run, and how that drifts."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from grind.core.errors import ExitCode

if TYPE_CHECKING:
    from grind.core.hosthistory import HostStatus
    from grind.flows.basis import Basis
    from grind.wiring import Session


def run_host_status(session: Session, args: argparse.Namespace) -> int:
    """Print the host's history; exit 4 when it drifts."""
    from grind.commands.activate import labels_of, require_activate
    from grind.flows.basis import Options, find_basis
    from grind.ui.choose import colour_wanted
    from grind.ui.host_text import document, render_host

    basis = find_basis(session.repository, Options(), labels_of)
    require_activate(session, basis, "ask how it stands")
    status = asyncio.run(_status(session, basis))
    if args.json:
        sys.stdout.write(document(status) + "\n")
    else:
        colour = colour_wanted(sys.stdout, session.environ)
        sys.stdout.write(render_host(status, session.clock.now(), colour, sys.stdout.encoding))
    return int(ExitCode.DRIFT if status.drift else ExitCode.DONE)


def is_activated(session: Session) -> bool:
    """Whether grind.toml says how a host is activated."""
    from grind.flows.basis import config_of

    config, _ = config_of(session.repository, session.repository.snapshot())
    return config.activate is not None


async def _status(session: Session, basis: Basis) -> HostStatus:
    from grind.adapters.supervisor.program import program
    from grind.core.activateconfig import ActivateConfig
    from grind.flows.activation.history import host_status
    from grind.wiring.activation import Reached, built_from

    there = Reached(session, basis.config)
    try:
        return await host_status(
            there.host,
            basis.config.activate or ActivateConfig(),
            program(),
            basis.snapshot.tree,
            built_from(session, basis.snapshot.tree),
        )
    finally:
        await there.close()

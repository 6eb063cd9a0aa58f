"""`grind rollback host`: the part of `grind rollback` that is about a host's activations."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from grind.commands.hosting import add_host
from grind.commands.options import add_json

if TYPE_CHECKING:
    from grind.core.hostevents import ActivateEnded
    from grind.flows.activation.inputs import ActivateInputs


def add_host_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `grind rollback host`."""
    add_host(parser)
    parser.add_argument(
        "--to", metavar="N", help="the generation to go to (default: the recorded good one)"
    )
    parser.add_argument(
        "--plan",
        action="store_true",
        dest="dry_run",
        help="say what would be done, and do nothing",
    )
    add_json(parser, "write the rollback as NDJSON events (schema grind.events/1)")


def run_host(args: argparse.Namespace) -> int:
    """Roll the host back; return 0 when it is back, acknowledged and healthy."""
    from grind.commands.activate import labels_of, require_activate, run_on_host
    from grind.flows.basis import Options, find_basis
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ, args.host)
    basis = find_basis(session.repository, Options(), labels_of)
    require_activate(session, basis, "roll it back")

    async def flow(inputs: ActivateInputs) -> ActivateEnded:
        from grind.flows.activation.rollback import roll_back

        return await roll_back(inputs, args.to)

    with session.lock("grind rollback host"):
        return run_on_host(session, basis, args, flow).exit_code

"""`grind activate`: bring a host to what the snapshot says, keep it when it is well, else go back."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.hosting import add_host
from grind.commands.options import add_json
from grind.core.errors import GrindError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from grind.core import events as e
    from grind.core.config import Config
    from grind.core.hostevents import ActivateEnded
    from grind.flows.activation.inputs import ActivateInputs
    from grind.flows.basis import Basis
    from grind.wiring import Session

    Flow = Callable[[ActivateInputs], Awaitable[ActivateEnded]]

KEEP_ACTIVATIONS = 50

HELP = "build the host's system, switch to it, probe it, and keep it when it is well; else go back"
EXAMPLES = """\
  grind activate --dry-run        build, and show what switching would change; nothing is touched
  grind activate                  on this machine
  grind activate --host grind     on the host of that name in grind.toml
  grind activate --json | jq -r 'select(.event.type == "activate.ended").event.state'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_host(parser)
    parser.add_argument(
        "--dry-run", action="store_true", help="show everything up to the switch, and do not switch"
    )
    add_json(parser, "write the activation as NDJSON events (schema grind.events/1)")


def run(args: argparse.Namespace) -> int:
    """Activate; return 0 only when the host was acknowledged and is healthy."""
    from grind.flows.basis import Options, find_basis
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ, args.host)
    basis = find_basis(session.repository, Options(), labels_of)
    require_activate(session, basis, "activate it")
    with session.lock("grind activate"):
        ended = activate_on_host(session, basis, args)
    return ended.exit_code


ROLES = ("grind", "staging")
"""Roles of the hosts that a change may be activated on before anything is pushed."""


def labels_of(_: Config) -> frozenset[str]:
    """Return no labels: what is activated does not hang on them, and no host is asked for them."""
    return frozenset()


def require_activate(session: Session, basis: Basis, what: str) -> None:
    """Return when grind.toml says what to activate, and this user has said yes to it: whatever it
    says is run on the host, this machine among them.

    Raises:
        GrindError: there is nothing to activate.
        RefusedError: nobody said yes, or the host is of another role.
    """
    from grind.commands.hosting import reach
    from grind.commands.trusting import require_trust

    if basis.config.activate is None:
        raise GrindError(
            "grind.toml has no [activate], so there is nothing to activate",
            remedy='[activate] with flake = ".#nixosConfigurations.NAME", or with build, switch, '
            "back and current: docs/activation.md",
        )
    host = reach(session, basis.config, what, ROLES)
    require_trust(session, basis.config, f"{what} on {host.name}")


def activate_on_host(session: Session, basis: Basis, args: argparse.Namespace) -> ActivateEnded:
    """Activate, as a part of something that holds the lock."""
    return run_on_host(session, basis, args, _activate, builds=True)


async def _activate(inputs: ActivateInputs) -> ActivateEnded:
    from grind.flows.activation.activate import activate

    return await activate(inputs)


def run_on_host(
    session: Session, basis: Basis, args: argparse.Namespace, flow: Flow, *, builds: bool = False
) -> ActivateEnded:
    """Run a flow that changes a host, with its journal and its face; `builds` when it needs a checkout."""
    try:
        return asyncio.run(_run(session, basis, args, flow, builds=builds))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _run(
    session: Session, basis: Basis, args: argparse.Namespace, flow: Flow, *, builds: bool
) -> ActivateEnded:
    from grind.commands.signals import stop_on_signals
    from grind.flows.activation.inputs import nowhere
    from grind.wiring.activation import Reached, activation_inputs, preparing

    stop_on_signals()
    prepared = preparing(session, basis) if builds else nowhere
    from grind.ui.activate_face import activate_face_for

    there = Reached(session, basis.config)
    folder = session.store.new_activation(session.clock.now())
    face = activate_face_for(sys.stdout, session.environ, json=args.json)
    with session.journal(folder) as journal:

        def record(event: e.Event) -> None:
            for entry in journal.append(event):
                face.show(entry)

        try:
            inputs = activation_inputs(
                session,
                basis,
                there,
                folder,
                record,
                prepared,
                dry_run=getattr(args, "dry_run", False),
            )
            ended = await flow(inputs)
        finally:
            face.close()
            await there.close()
    session.store.prune_activations(KEEP_ACTIVATIONS)
    return ended

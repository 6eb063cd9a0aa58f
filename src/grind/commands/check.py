"""`grind check`: the repository's own checks, then CI's steps, on the snapshot."""

from __future__ import annotations

import argparse
import os
import sys

from grind.commands.hosting import add_from_host, add_host, labels_for, snapshot_from_host
from grind.commands.options import add_json, add_plan_options, is_plain, plan_options

TYPE_CHECKING = False  # `typing` is half of what a receipt hit would import
if TYPE_CHECKING:
    from grind.core.repository import Snapshot
    from grind.wiring import Session

HELP = "run the repository's checks, then CI's own steps, on what would be pushed"
EXAMPLES = """\
  grind check                 prove the working copy; at once when it is proven already
  grind check --fast          only the [[check]]s of grind.toml
  grind check test lint       only these jobs or checks, with what they need
  grind check --failed        only what was red in the last run
  grind check --again         although it is proven already
  grind check --host grind    on that host of grind.toml; `local` is this machine
  grind check --merged        the tree that merging the remote's main branch would give
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="a check, a job or a workflow")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--fast", action="store_true", help="the [[check]]s of grind.toml alone")
    part.add_argument("--failed", action="store_true", help="only what was red in the last run")
    parser.add_argument("--again", action="store_true", help="run although it is proven already")
    add_run_options(parser)


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of commands that run steps."""
    parser.add_argument(
        "--merged",
        action="store_true",
        help="prove what merging with the remote's main branch gives",
    )
    parser.add_argument(
        "--wait", action="store_true", help="wait for another run in this repository to end"
    )
    parser.add_argument("--follow", action="store_true", help="write all output as it comes")
    parser.add_argument(
        "--bell", action="store_true", help="ring the terminal's bell when the run is over"
    )
    add_host(parser)
    add_from_host(parser)
    add_plan_options(parser)
    add_json(parser, "write the run as NDJSON events (schema grind.events/1)")


def run(args: argparse.Namespace) -> int:
    """Run, or answer from the receipt."""
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ, args.host)
    whole = not (args.names or args.fast or args.failed or args.workflow)
    snapshot = snapshot_from_host(session) if args.from_host else None
    if snapshot is None and whole and not args.again and is_plain(args) and not args.merged:
        snapshot = session.repository.snapshot()
        hit = session.quick_hit(snapshot)
        if hit is not None:
            from grind.ui.proven_text import told_hit

            path = session.store.receipt_path(snapshot.tree)
            sys.stdout.write(told_hit(hit, now=session.clock.now(), json=args.json, path=path))
            return 0
    return _long_way(session, args, snapshot, whole=whole)


def _long_way(
    session: Session, args: argparse.Namespace, snapshot: Snapshot | None, *, whole: bool
) -> int:
    from grind.flows.basis import find_basis
    from grind.flows.proven import find_proof

    cached = whole and not args.again
    plain = cached and is_plain(args) and not args.from_host
    system = session.repository.system_configuration() if plain else None
    before = session.ground(system)
    labels = labels_for(session, "run steps")
    basis = find_basis(session.repository, plan_options(args), labels, snapshot)
    if cached:
        proof = find_proof(
            basis,
            session.store.receipt(basis.snapshot.tree),
            now=session.clock.now(),
            tools_print=lambda receipt: session.still_print(basis.config, receipt),
            host=session.host_id(basis.config),
        )
        if proof.decision.ok and proof.receipt is not None:
            from grind.ui.proven_text import told_proven

            told = told_proven(
                proof.receipt,
                now=session.clock.now(),
                json=args.json,
                path=session.store.receipt_path(basis.snapshot.tree),
            )
            sys.stdout.write(told)
            if system is not None and not args.merged and session.ground(system) == before:
                session.remember(
                    basis.snapshot.tree, basis.snapshot.head, proof.receipt, basis.config, system
                )
            return 0
    from grind.commands.running import run_checks

    return run_checks(session, basis, args, whole=whole)

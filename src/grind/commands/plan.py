"""`grind plan`: what CI would run for a push, with a verdict on every step."""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.hosting import add_from_host, add_host, labels_for, snapshot_from_host
from grind.commands.options import add_json, add_plan_options, plan_options
from grind.core.errors import ExitCode

if TYPE_CHECKING:
    from grind.flows.prepare import Prepared
    from grind.wiring import Session

HELP = "show what CI would run for a push to the main branch, with a verdict on every step"
EXAMPLES = """\
  grind plan                         the plan of the working copy
  grind plan --workflow ci.yml       one workflow
  grind plan --event pull_request    as for a pull request
  grind plan --drift                 what CI runs and nothing here does, and the reverse
  grind plan --json | jq '.jobs[].steps[].verdict'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_host(parser)
    add_from_host(parser)
    add_plan_options(parser)
    parser.add_argument(
        "--drift",
        action="store_true",
        help="compare CI's commands with the plan, [[check]]s and the repository's own recipes "
        "and scripts; exit 4 when they differ (schema grind.drift/1)",
    )
    add_json(parser, "print the plan as one JSON document (schema grind.plan/1)")


def run(args: argparse.Namespace) -> int:
    """Print the plan; exit 0 whatever the verdicts. With `--drift`, print what differs."""
    from grind.commands.hosting import prepare_on_host
    from grind.flows.basis import find_basis
    from grind.ui.choose import colour_wanted, size_of
    from grind.wiring import Session

    # A plan is thousands of small values that live to the end: nothing is won by looking through
    # them for garbage again and again.
    gc.disable()
    session = Session(os.getcwd(), os.environ, args.host)
    options = plan_options(args)
    snapshot = snapshot_from_host(session) if args.from_host else None
    labels = labels_for(session, "ask for its tools")
    basis = find_basis(session.repository, options, labels, snapshot)
    prepared = asyncio.run(prepare_on_host(session, options, basis))
    if args.drift:
        return _drift(args, session, prepared)
    if args.json:
        import msgspec

        from grind.core.plandoc import document

        sys.stdout.write(msgspec.json.encode(document(prepared.whole)).decode() + "\n")
        return ExitCode.DONE
    from grind.ui.plan_text import render_plan

    width, _ = size_of(sys.stdout)
    sys.stdout.write(render_plan(prepared.whole, width, colour_wanted(sys.stdout, session.environ)))
    return ExitCode.DONE


def _drift(args: argparse.Namespace, session: Session, prepared: Prepared) -> int:
    """Print the drift; exit 4 when there is some that grind.toml does not declare."""
    from grind.flows.drift import find_drift
    from grind.rules.entrypoints import tasks_of

    drift = find_drift(session.repository, prepared, tasks_of)
    if args.json:
        import msgspec

        from grind.core.drift import document

        sys.stdout.write(msgspec.json.encode(document(drift)).decode() + "\n")
    else:
        from grind.ui.choose import colour_wanted, size_of
        from grind.ui.drift_text import render_drift

        width, _ = size_of(sys.stdout)
        sys.stdout.write(render_drift(drift, width, colour_wanted(sys.stdout, session.environ)))
    return ExitCode.DRIFT if drift.drifted else ExitCode.DONE

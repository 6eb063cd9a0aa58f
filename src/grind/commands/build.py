"""`grind build`: CI's build steps, on the snapshot."""

from __future__ import annotations

import argparse
import os

from grind.commands.check import add_run_options
from grind.commands.hosting import labels_for, snapshot_from_host
from grind.commands.options import plan_options

HELP = "run the jobs of CI that build something, on what would be pushed"
EXAMPLES = """\
  grind build                      every job with a build step
  grind build --workflow ci.yml    those of one workflow
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_run_options(parser)


def run(args: argparse.Namespace) -> int:
    """Run the jobs that build."""
    from grind.commands.running import run_checks
    from grind.core.plan import StepClass
    from grind.flows.basis import find_basis
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ, args.host)
    snapshot = snapshot_from_host(session) if args.from_host else None
    labels = labels_for(session, "run steps")
    basis = find_basis(session.repository, plan_options(args), labels, snapshot)
    return run_checks(session, basis, args, whole=False, klass=StepClass.BUILD)

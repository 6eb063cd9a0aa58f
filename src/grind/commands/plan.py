"""`grind plan`: what CI would run for a push, with a verdict on every step."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys

from grind.commands.options import add_json, add_plan_options, plan_options
from grind.core.errors import ExitCode

HELP = "show what CI would run for a push to the main branch, with a verdict on every step"
EXAMPLES = """\
  grind plan                         the plan of the working copy
  grind plan --workflow ci.yml       one workflow
  grind plan --event pull_request    as for a pull request
  grind plan --json | jq '.jobs[].steps[].verdict'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_plan_options(parser)
    add_json(parser, "print the plan as one JSON document (schema grind.plan/1)")


def run(args: argparse.Namespace) -> int:
    """Print the plan; exit 0 whatever the verdicts."""
    from grind.flows.prepare import prepare
    from grind.ui.choose import colour_wanted, size_of
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ)
    prepared = asyncio.run(
        prepare(session.repository, session.host, plan_options(args), session.labels)
    )
    if args.json:
        import msgspec

        from grind.core.plan import document

        sys.stdout.write(msgspec.json.encode(document(prepared.whole)).decode() + "\n")
        return ExitCode.DONE
    from grind.ui.plan_text import render_plan

    width, _ = size_of(sys.stdout)
    sys.stdout.write(render_plan(prepared.whole, width, colour_wanted(sys.stdout, session.environ)))
    return ExitCode.DONE

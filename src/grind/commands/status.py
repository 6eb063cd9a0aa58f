"""`grind status`: where am I, what is next, in five lines."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # nothing is imported that the remembered answer can do without
if TYPE_CHECKING:
    import argparse

    from grind.core.standing import Status

HELP = "say where the work stands and what is next, in five lines"
EXAMPLES = """\
  grind status
  grind status --json
  grind status --host         the host: its generations, which are good, and drift
"""


def run_line(argv: list[str]) -> int | None:
    """Answer from what is remembered; None when something must be read that takes longer, and then
    the command goes the usual way.

    Needs the standard library alone, so it can be asked before `site` is there (`grind.lean`).
    """
    if argv not in ([], ["--json"]) or sys.stdout is None:
        return None
    from time import time

    from grind.core.errors import GrindError
    from grind.wiring import find_ahead

    try:
        cwd = os.getcwd()
        begun = find_ahead(cwd, os.environ)  # git looks while the rest is imported
        from grind.wiring.standing import standing_remembered

        status = standing_remembered(cwd, os.environ, time, begun)
        text = _text(status, json=bool(argv))
    except (GrindError, OSError, ImportError):  # the long way says it better, whatever it is
        return None
    sys.stdout.write(text)
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from grind.commands.options import add_json

    parser.add_argument(
        "--host",
        nargs="?",
        const="",
        metavar="NAME",
        help="say what a host runs, what it ran, and how it drifts (schema grind.host/1)",
    )
    add_json(parser, "print one JSON document (schema grind.status/1)")


def run(args: argparse.Namespace) -> int:
    """Print the status, from its sources."""
    from grind.wiring import Session
    from grind.wiring.standing import standing_read

    session = Session(os.getcwd(), os.environ, args.host or None)
    if args.host is not None:
        from grind.commands.hoststatus import is_activated, run_host_status

        if is_activated(session):
            return run_host_status(session, args)
    sys.stdout.write(_text(standing_read(session, args.host or None), json=args.json))
    return 0


def _text(status: Status, *, json: bool) -> str:
    from grind.ui.choose import colour_wanted, size_of
    from grind.ui.status_text import render_status, status_document

    if json:
        return status_document(status)
    width, _ = size_of(sys.stdout)
    return render_status(status, width, colour_wanted(sys.stdout, os.environ))

"""`grind log`: what happened, from the journal."""

from __future__ import annotations

import argparse
import os
import sys

from grind.commands.options import add_json
from grind.core.errors import ExitCode, GrindError

HELP = "show what happened in the last release, from its journal"
EXAMPLES = """\
  grind log                    the last release
  grind log --list             all releases that are kept
  grind log 20261123-101500-ab12cd
  grind log --json             the journal's own lines
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("release", nargs="?", help="a release's identifier (default: the last)")
    parser.add_argument("--list", action="store_true", help="list the releases that are kept")
    add_json(parser, "print the entries as NDJSON (schema grind.events/1)")


def run(args: argparse.Namespace) -> int:
    """Print the journal."""
    from grind.core.release import fold
    from grind.core.texts import one_line
    from grind.ui.choose import colour_wanted
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ)
    if args.list:
        for folder in session.store.releases():
            with session.journal(folder) as journal:
                release = fold(journal.read())
            started = release.started
            tree = started.tree[:12] if started is not None else "-"
            where = f"  on {one_line(started.host)}" if started is not None else ""
            sys.stdout.write(f"{folder.id}  {release.state:<10} tree {tree}{where}\n")
        return int(ExitCode.DONE)
    found = session.store.release(args.release) if args.release else session.store.latest()
    if found is None:
        what = f"no release {args.release!r} is kept" if args.release else "nothing happened yet"
        raise GrindError(what, remedy="grind log --list" if args.release else "grind check")
    with session.journal(found) as journal:
        if args.json:
            from grind.core.events import encode

            for entry in journal.read():
                sys.stdout.write(encode(entry).decode())
        else:
            from grind.ui.log_text import render_log

            colour = colour_wanted(sys.stdout, session.environ)
            for line in render_log(journal.read(), colour, read_log=found.read_log):
                sys.stdout.write(line + "\n")
    return int(ExitCode.DONE)

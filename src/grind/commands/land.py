"""`grind land`: commit and push exactly what was proven, once."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.hosting import add_from_host, add_host
from grind.commands.options import add_json
from grind.core.errors import ExitCode

if TYPE_CHECKING:
    from grind.ui.land_text import Outcome
    from grind.wiring import Session

HELP = "commit the proven tree and push it, once; refused without a proof of exactly that tree"
EXAMPLES = """\
  grind land -m "Count from one"     commit what was proven, and push it
  grind land                         push HEAD, which is proven and committed already
  grind land --squash -m "…"         several local commits as one
  grind land --rebase -m "…"         the remote has moved on: one commit on top of it, proven first
  grind land --merge -m "…"          the same as a merge commit of what is committed here
  grind land --branch topic -m "…"   to a branch; with a token its pull request is opened and watched
  grind land -m "…" --dry-run        say what would be pushed
"""
_TRIES = 3
"""How often a landing that lost a race is proven again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("-m", "--message", metavar="TEXT", help="the commit's message")
    add_host(parser)
    add_from_host(parser)
    parser.add_argument(
        "--squash", action="store_true", help="make one commit of all that is not pushed yet"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--merged", action="store_true", help="land what `grind check --merged` has proven"
    )
    how.add_argument(
        "--rebase",
        action="store_true",
        help="when the remote has moved on: prove one commit on top of it, then push that",
    )
    how.add_argument(
        "--merge",
        action="store_true",
        help="when the remote has moved on: prove the merge with it, then push that",
    )
    parser.add_argument(
        "--branch", metavar="NAME", help="push to this branch instead of the main one"
    )
    parser.add_argument(
        "--no-watch",
        action="store_true",
        help="with --branch: do not watch the pull request's runs",
    )
    parser.add_argument(
        "--accept-weakened",
        metavar="REASON",
        help="say yes, in writing, to a change that weakens the rules it is judged by",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be pushed, and push nothing"
    )
    add_json(parser, "print the outcome as one JSON document (schema grind.land/1)")


def run(args: argparse.Namespace) -> int:
    """Land, or refuse and say what is missing."""
    from grind.commands.landing import Attempt, attempt, finish_last, prove_merged
    from grind.flows.landing import MovedError, NothingToLandError
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ, args.host)
    merged = args.merged
    for left in reversed(range(_TRIES)):
        try:
            outcome = attempt(session, args, Attempt(merged, args.merge and merged))
        except NothingToLandError as nothing:
            return finish_last(session, args, nothing.message)
        except MovedError:
            if not (args.rebase or args.merge) or not left or args.dry_run:
                raise
            merged = True
            code = prove_merged(session, args)
            if code:
                return code
        else:
            return _told(session, args, outcome)
    raise AssertionError("the last try returns or raises")


def _told(session: Session, args: argparse.Namespace, outcome: Outcome) -> int:
    from grind.core.texts import one_line
    from grind.ui import land_text

    for warning in outcome.warnings:
        sys.stderr.write(f"grind: {one_line(warning)}\n")
    sys.stdout.write(land_text.document(outcome) if args.json else land_text.text(outcome))
    sys.stdout.flush()
    oid = outcome.oid
    if oid is None or args.branch is None or args.no_watch or not outcome.pull:
        return int(ExitCode.DONE)
    from grind.commands.landing import watch_pull

    return watch_pull(session, args, oid)

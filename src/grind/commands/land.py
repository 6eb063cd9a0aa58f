"""`grind land`: commit and push exactly what was proven, once."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.options import add_json
from grind.core import events as e
from grind.core.errors import ExitCode, GrindError
from grind.core.release import Release, State, fold

if TYPE_CHECKING:
    from grind.adapters.store import ReleaseFolder
    from grind.flows.basis import Basis, Options
    from grind.flows.gate import Asked
    from grind.flows.land import Landed, Landing
    from grind.wiring import Session

HELP = "commit the proven tree and push it, once; refused without a proof of exactly that tree"
EXAMPLES = """\
  grind land -m "Count from one"     commit what was proven, and push it
  grind land                         push HEAD, which is proven and committed already
  grind land --squash -m "…"         several local commits as one
  grind land --merged -m "…"         what `grind check --merged` has proven
  grind land -m "…" --dry-run        say what would be pushed
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("-m", "--message", metavar="TEXT", help="the commit's message")
    parser.add_argument(
        "--squash", action="store_true", help="make one commit of all that is not pushed yet"
    )
    parser.add_argument(
        "--merged", action="store_true", help="land what `grind check --merged` has proven"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be pushed, and push nothing"
    )
    add_json(parser, "print the outcome as one JSON document (schema grind.land/1)")


def run(args: argparse.Namespace) -> int:
    """Land, or refuse and say what is missing."""
    from grind.flows import land as flow
    from grind.flows.basis import Options, find_basis
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ)
    options = Options(merged=args.merged)
    basis = find_basis(session.repository, options, session.labels)
    release, last = _last(session, basis)
    squash = args.squash or args.merged
    try:
        landing = flow.plan_landing(session.repository, basis, squash=squash, last=last)
    except flow.NothingToLandError as nothing:
        _tell_nothing(args, basis, nothing.message)
        return int(ExitCode.DONE)
    if not landing.arrived:
        _require_proof(session, basis, options, landing.expected)
        _check_message(args, landing, conventional=basis.config.land.conventional)
    if args.dry_run:
        _tell(args, landing, None)
        return int(ExitCode.DONE)
    with session.lock("grind land"), session.journal(release) as journal:

        def record(event: e.Event) -> None:
            journal.append(event)

        landed = flow.land(session.repository, landing, args.message, record, last)
    _tell(args, landing, landed)
    return int(ExitCode.DONE)


_OPEN = (State.IDLE, State.GREEN, State.LANDING, State.COMMITTED, State.LANDED)


def _last(session: Session, basis: Basis) -> tuple[ReleaseFolder, Release]:
    """Return the release to land in: the last one, when it is about this tree and can still land."""
    latest = session.store.latest()
    if latest is not None:
        with session.journal(latest) as journal:
            last = fold(journal.read())
        about = last.started or last.intent
        if about is not None and about.tree == basis.snapshot.tree and last.state in _OPEN:
            return latest, last
    return session.store.new_release(session.clock.now()), Release()


def _require_proof(session: Session, basis: Basis, options: Options, upstream: str | None) -> Asked:
    """Ask the gate, by the rules of the remote's main branch as it is now."""
    from grind.flows.land import require_proof
    from grind.wiring import proofs

    asked = proofs.ask(session, options, basis, upstream)
    require_proof(asked.decision)
    return asked


def _check_message(args: argparse.Namespace, landing: Landing, *, conventional: bool) -> None:
    from grind.core.message import problems_of

    if not landing.needs_commit:
        if args.message is not None:
            raise GrindError(
                "nothing is uncommitted, so HEAD is pushed as it is, with its own message",
                remedy="grind land (without -m), or --squash",
            )
        return
    if args.message is None:
        if landing.made is not None:
            return  # the commit has its message
        raise GrindError(
            "a message is needed for the commit of the proven tree", remedy='grind land -m "…"'
        )
    problems = problems_of(args.message, conventional=conventional)
    if problems:
        raise GrindError("; ".join(problems), remedy='grind land -m "…"')


def _tell_nothing(args: argparse.Namespace, basis: Basis, why: str) -> None:
    if not args.json:
        sys.stdout.write(f"{why}\n")
        return
    import json

    document = {
        "schema": "grind.land/1",
        "tree": basis.snapshot.tree,
        "remote": basis.target.remote,
        "branch": basis.target.main,
        "expected": basis.snapshot.head,
        "commit": None,
        "pushed": False,
        "dry_run": args.dry_run,
        "unproven_commits": [],
        "note": why,
    }
    sys.stdout.write(json.dumps(document) + "\n")


def _tell(args: argparse.Namespace, landing: Landing, landed: Landed | None) -> None:
    from grind.core.texts import one_line
    from grind.flows.land import told_follow

    if args.json:
        import json

        document = {
            "schema": "grind.land/1",
            "tree": landing.snapshot.tree,
            "remote": landing.remote,
            "branch": landing.branch,
            "expected": landing.expected,
            "commit": landed.oid if landed else None,
            "pushed": landed.pushed if landed else False,
            "dry_run": landed is None,
            "unproven_commits": [commit.oid for commit in landing.unproven],
            "note": told_follow(landed) if landed else "",
        }
        sys.stdout.write(json.dumps(document) + "\n")
        return
    where = f"{landing.remote}/{landing.branch}"
    for commit in landing.unproven:
        sys.stdout.write(
            f"goes along, not proven itself: {commit.oid[:12]} {one_line(commit.subject)}\n"
        )
    if landing.unproven:
        sys.stdout.write("  (`grind land --squash -m …` makes one proven commit of all)\n")
    if landed is None:
        what = (
            f"a new commit of tree {landing.snapshot.tree[:12]}"
            if landing.needs_commit
            else landing.snapshot.commit[:12]
        )
        expected = landing.expected[:12] if landing.expected else "not there yet"
        sys.stdout.write(f"would push {what} to {where} (now at {expected})\n")
        return
    did = "landed" if landed.pushed else "was there already"
    sys.stdout.write(f"{did}: {landed.oid[:12]} on {where}, tree {landing.snapshot.tree[:12]}\n")
    note = told_follow(landed)
    if note:
        sys.stdout.write(note + "\n")

"""`grind status`: where am I, what is next, in five lines."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.options import add_json
from grind.core.errors import ExitCode

if TYPE_CHECKING:
    from grind.core.gate import Decision
    from grind.core.release import Release
    from grind.ui.status_text import Status
    from grind.wiring import Session

HELP = "say where the work stands and what is next, in five lines"
EXAMPLES = """\
  grind status
  grind status --json
  grind status --host         the host: its generations, which are good, and drift
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--host",
        nargs="?",
        const="",
        metavar="NAME",
        help="say what a host runs, what it ran, and how it drifts (schema grind.host/1)",
    )
    add_json(parser, "print one JSON document (schema grind.status/1)")


def run(args: argparse.Namespace) -> int:
    """Print the status."""
    from grind.ui.status_text import STATUS_SCHEMA, render_status
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ, args.host or None)
    if args.host is not None:
        from grind.commands.hoststatus import is_activated, run_host_status

        if is_activated(session):
            return run_host_status(session, args)
    status = _status(session)
    if args.json:
        import msgspec

        document = {"schema": STATUS_SCHEMA} | msgspec.to_builtins(status)
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
        return int(ExitCode.DONE)
    from grind.ui.choose import colour_wanted, size_of

    width, _ = size_of(sys.stdout)
    sys.stdout.write(render_status(status, width, colour_wanted(sys.stdout, session.environ)))
    return int(ExitCode.DONE)


def _status(session: Session) -> Status:
    from grind.adapters.lock import holder
    from grind.core.gate import Answer
    from grind.core.release import fold
    from grind.flows.basis import Options, find_basis
    from grind.flows.proven import find_proof
    from grind.ui.status_text import Status

    now = session.clock.now()
    basis = find_basis(session.repository, Options(), session.labels_remembered)
    stored = session.store.receipt(basis.snapshot.tree)
    proof = find_proof(
        basis,
        stored,
        now=now,
        tools_print=(
            (lambda receipt: session.still_print(basis.config, receipt))
            if session.is_here(basis.config)
            else None
        ),
        host=session.host_id(basis.config),
    )
    words = {
        Answer.OK: "full",
        Answer.PARTIAL: "partial",
        Answer.STALE: "expired",
    }
    held = holder(session.store.lock_path)
    release = None
    latest = session.store.latest()
    if latest is not None:
        with session.journal(latest) as journal:
            release = fold(journal.read())
    going = held.told() if held is not None else ""
    landed = _landed(basis)
    step, why = _next(proof.decision, release, basis.target.remote, landed=landed, going=going)
    return Status(
        tree=basis.snapshot.tree,
        branch=session.repository.head_branch() or "",
        changed=basis.snapshot.modified + basis.snapshot.deleted,
        new_files=tuple(name.encode("utf-8", "replace").decode() for name in basis.snapshot.new),
        proof=words.get(proof.decision.answer, "none"),
        proof_reason=proof.decision.reason,
        receipt=session.store.receipt_path(basis.snapshot.tree) if stored else "",
        host=session.chosen(basis.config).name,
        proven_ago=now - proof.receipt.created if proof.receipt is not None else None,
        running=going,
        last=str(release.state) if release is not None else "",
        last_told=_told(release),
        last_ago=now - release.at if release is not None and release.at else None,
        next=step,
        why=why,
    )


def _landed(basis: object) -> bool:
    snapshot = basis.snapshot  # type: ignore[attr-defined]
    target = basis.target  # type: ignore[attr-defined]
    return bool(snapshot.committed and snapshot.head == target.upstream)


def _next(
    decision: Decision, release: Release | None, remote: str | None, *, landed: bool, going: str
) -> tuple[str, str]:
    from grind.core.release import State

    if release is not None and release.state is State.CHECKING and not decision.ok:
        host = release.started.host if release.started is not None else "its host"
        if going:
            return "grind attach", f"it runs on {host}, and can be followed"
        return "grind attach", f"the last run was cut off, and goes on by itself on {host}"
    if release is not None and release.state in (State.LANDING, State.COMMITTED):
        return "grind land", "the last landing was cut off: the same command takes it up again"
    if landed:
        return "nothing", f"{remote} has it"
    if decision.ok:
        return 'grind land -m "…"', "the tree is proven"
    return decision.remedy, decision.reason


def _told(release: Release | None) -> str:
    if release is None:
        return ""
    if release.landed is not None:
        return f"{release.landed.oid[:12]} on {release.landed.remote}/{release.landed.branch}"
    if release.failed:
        return f"{release.failed[-1].job}: {release.failed[-1].name}"
    if release.ended is not None:
        from grind.ui.words import count

        return f"{count(release.ended.executed, 'step')} in {release.ended.duration:.1f} s"
    return ""

"""`grind rollback code`: undo a landed change by a revert commit, proven as any change."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.hosting import add_host
from grind.commands.options import add_json
from grind.core import events as e
from grind.core.errors import ExitCode, GrindError
from grind.core.undoevents import RollbackEnded, RollbackIntent

if TYPE_CHECKING:
    from grind.flows.basis import Basis
    from grind.flows.undo.code import Change, CodePlan
    from grind.ui.face import Face
    from grind.wiring import Session

_RELEASES_LOOKED_AT = 50


def add_code_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of `grind rollback code`."""
    parser.add_argument(
        "commit", nargs="?", metavar="COMMIT", help="default: what grind landed last from here"
    )
    parser.add_argument(
        "--branch", metavar="NAME", help="the branch it landed on (default: what the journal says)"
    )
    add_host(parser)
    parser.add_argument("--plan", action="store_true", help="say what would be done, do nothing")
    parser.add_argument(
        "--now", action="store_true", help="push at once, without the checks; needs --reason"
    )
    add_accept_weakened(parser)
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; goes into the commit")
    add_json(parser, "write the rollback as NDJSON events (schema grind.events/1)")


def add_accept_weakened(parser: argparse.ArgumentParser) -> None:
    """Declare `--accept-weakened`, as `grind land` has it."""
    parser.add_argument(
        "--accept-weakened",
        metavar="REASON",
        help="say yes, in writing, to a change that weakens the rules it is judged by",
    )


def run_code(args: argparse.Namespace) -> int:
    """Undo; return 0 when the revert commit is on the branch, or nothing was to undo."""
    from grind.commands.probe import no_labels
    from grind.flows.basis import Options, find_basis
    from grind.wiring import Session

    if args.now and not args.reason.strip():
        raise GrindError(
            "--now leaves the checks out, so it must be said why", remedy='--reason "…"'
        )
    session = Session(os.getcwd(), os.environ, args.host)
    basis = find_basis(session.repository, Options(), no_labels)
    plan = plan_of(session, basis, args.commit, args.branch)
    return carry_out(session, basis, plan, args)


def plan_of(
    session: Session, basis: Basis, commit: str | None = None, branch: str | None = None
) -> CodePlan:
    """Return what would be undone. Raises GrindError, RefusedError, UnreachableError."""
    from grind.flows.undo.code import plan_code

    changes = changes_of(session)
    if branch is not None:
        changes = [change for change in changes if change.branch == branch]
    return plan_code(
        session.repository,
        changes,
        session.repository.resolve(commit) if commit else None,
        remote=basis.target.remote,
        branch=branch or basis.target.main,
    )


def changes_of(session: Session) -> list[Change]:
    """Return what grind landed from here, the newest first."""
    from grind.flows.undo.code import landed_changes

    found: list[Change] = []
    for folder in session.store.releases()[:_RELEASES_LOOKED_AT]:
        with session.journal(folder) as journal:
            found += reversed(landed_changes(journal.read()))
    return found


def carry_out(session: Session, basis: Basis, plan: CodePlan, args: argparse.Namespace) -> int:
    """Show the plan; then, unless only the plan was asked for, prove and land it."""
    from grind.flows.undo.code import planned
    from grind.ui.undo_text import undo_face_for

    face = undo_face_for(sys.stdout, session.environ, json=args.json)

    def show(event: e.Event) -> None:
        face.show(e.Entry(e.EVENTS_SCHEMA, 0, session.clock.now(), event))

    show(planned(plan, at_once=args.now))
    if plan.nothing and not args.plan:
        _finish_cut_off(session, plan)
        show(RollbackEnded(kind="code", state="nothing", exit_code=0, tree=plan.proposal.tree))
    if plan.nothing or args.plan:
        return int(ExitCode.DONE)
    message = plan.message(args.reason, conventional=basis.config.land.conventional)
    proposed = _basis_of(session, basis, plan, at_once=args.now)
    if not args.now:
        upstream = basis.target.upstream if proposed.ref != basis.ref else plan.tip
        code = _prove(session, proposed, upstream, args)
        if code:
            show(
                RollbackEnded(
                    kind="code",
                    state="failed",
                    exit_code=code,
                    reason="what reverting gives is not proven; nothing was pushed",
                    tree=plan.proposal.tree,
                )
            )
            return code
    return _land(session, proposed, plan, message, args, face)


def _basis_of(session: Session, basis: Basis, plan: CodePlan, *, at_once: bool) -> Basis:
    """Return the basis of the tree that reverting gives, for a push to the branch it goes to."""
    from grind.commands.hosting import labels_for
    from grind.commands.probe import no_labels
    from grind.flows.basis import Options, find_basis

    branch = plan.change.branch
    ref = branch if branch != basis.target.main else None
    labels = no_labels if at_once else labels_for(session, "run steps")
    found = find_basis(session.repository, Options(ref=ref), labels, plan.proposal)
    target = found.target._replace(main=branch, remote=plan.remote, upstream=plan.tip)
    return found._replace(target=target)


def _prove(session: Session, basis: Basis, upstream: str | None, args: argparse.Namespace) -> int:
    """Have the gate open, by the rules of the main branch (`upstream`): by a receipt that there is,
    or by running the checks. Raises RefusedError for what no check would change."""
    from grind.commands import check
    from grind.commands.landready import require_proof
    from grind.commands.options import plan_options
    from grind.commands.running import run_checks
    from grind.core.gate import Answer
    from grind.wiring import proofs

    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    ref = basis.ref.removeprefix("refs/heads/")
    checking = parser.parse_args(["--ref", ref, "--wait", *(["--json"] if args.json else [])])
    options = plan_options(checking)
    answer = proofs.ask(session, options, basis, upstream).decision.answer
    code = 0
    if answer not in (Answer.OK, Answer.WEAKENED):
        code = run_checks(session, basis, checking, whole=True)
    if code == 0:
        require_proof(session, basis, options, upstream, accepted=args.accept_weakened)
    return code


def _land(
    session: Session,
    basis: Basis,
    plan: CodePlan,
    message: str,
    args: argparse.Namespace,
    face: Face,
) -> int:
    from grind.commands.landing import Around, land_with_effects
    from grind.commands.landready import release_for
    from grind.core.release import Release, State
    from grind.flows.landing import plan_landing

    release, last = release_for(session, basis)
    if last.state is State.LANDED:  # the same tree landed before: that was another landing
        release, last = session.store.new_release(session.clock.now()), Release()
    landing = plan_landing(session.repository, basis, squash=False, last=last)
    begun = session.clock.now()
    with session.lock("grind rollback code"), session.journal(release) as journal:

        def record(event: e.Event) -> None:
            for entry in journal.append(event):
                face.show(entry)

        record(
            RollbackIntent(
                kind="code",
                what=plan.change.commit,
                where=f"{plan.remote}/{plan.change.branch}",
                reason=args.reason,
                proven=not args.now,
            )
        )
        try:
            around = Around(None, list(journal.read()), last)
            landed = land_with_effects(session, basis, landing, message, around, record)
        except GrindError as error:
            record(_ended(plan, session.clock.now() - begun, "failed", error.code, error.message))
            raise
        record(e.Note("info", _next(plan)))
        ended = _ended(
            plan, session.clock.now() - begun, "undone", ExitCode.DONE, "", landed.oid or ""
        )
        record(ended)
    return ended.exit_code


def _ended(
    plan: CodePlan,
    duration: float,
    state: str,
    code: ExitCode,
    reason: str,
    oid: str = "",
) -> RollbackEnded:
    return RollbackEnded(
        kind="code",
        state=state,
        exit_code=int(code),
        reason=reason,
        commit=oid,
        tree=plan.proposal.tree,
        duration=duration,
    )


def _next(plan: CodePlan) -> str:
    """Say what is left: the local branch was not touched, and CI has yet to deploy it."""
    pull = f"git pull {plan.remote} {plan.change.branch}"
    return f"`{pull}` brings it here; `grind watch --verify` follows CI until it answers live"


def _finish_cut_off(session: Session, plan: CodePlan) -> None:
    """The revert was pushed by a rollback that was cut off before it could write that down."""
    from grind.core.release import State, fold

    latest = session.store.latest()
    if latest is None:
        return
    with session.journal(latest) as journal:
        entries = list(journal.read())
        last = fold(entries)
        undoing = any(isinstance(entry.event, RollbackIntent) for entry in entries)
        if last.state is State.COMMITTED and undoing and last.commit == plan.tip:
            tree = plan.proposal.tree
            journal.append(e.LandPushed(tree, plan.tip, plan.remote, plan.change.branch))
            journal.append(
                RollbackEnded(kind="code", state="undone", exit_code=0, commit=plan.tip, tree=tree)
            )

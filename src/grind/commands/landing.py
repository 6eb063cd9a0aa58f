"""One attempt to land: the gate, the message, the commit, the push, and what belongs to it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from grind.core import events as e
from grind.core.errors import ExitCode, GrindError, RefusedError
from grind.core.gate import Answer
from grind.core.release import Release, State, fold
from grind.flows import land as flow
from grind.flows.afterland import carry_out, carry_out_all, done_for
from grind.flows.landing import plan_landing
from grind.ui.land_text import Outcome
from grind.wiring.landing import Effects
from grind.wiring.standing import leave_briefs

if TYPE_CHECKING:
    from grind.adapters.store import ReleaseFolder
    from grind.core.receipt import Receipt
    from grind.core.repository import PushResult
    from grind.flows.basis import Basis, Options
    from grind.flows.gate import Asked
    from grind.flows.landing import Landing
    from grind.wiring import Session

_PROVEN = (Answer.OK, Answer.WEAKENED, Answer.BAD_SIGNATURE)
"""What a run of the checks would not change."""
_OPEN = (State.IDLE, State.GREEN, State.LANDING, State.COMMITTED, State.LANDED)


class Attempt(NamedTuple):
    """What is tried this time."""

    merged: bool
    """Whether the tree is the one that merging with the remote's main branch gives."""
    merge: bool
    """Whether it becomes a merge commit."""


def attempt(session: Session, args: argparse.Namespace, this: Attempt) -> Outcome:
    """Try it. Raises NothingToLandError, MovedError, RefusedError, UnreachableError."""
    from grind.commands.hosting import bring_workspace_along, labels_for, snapshot_from_host
    from grind.flows.basis import Options, find_basis

    options = Options(merged=this.merged)
    snapshot = snapshot_from_host(session) if args.from_host else None
    labels = labels_for(session, "ask for its tools")
    basis = find_basis(session.repository, options, labels, snapshot)
    push = push_from(session, basis)
    release, last = release_for(session, basis)
    landing = plan_landing(
        session.repository,
        basis,
        squash=args.squash or this.merged,
        last=last,
        branch=args.branch,
        merges=_merges(session) if this.merge else None,
    )
    asked, warnings = None, list[str]()
    if not landing.arrived:
        accepted = None if args.dry_run else args.accept_weakened
        try:
            asked = require_proof(session, basis, options, landing.main, accepted=accepted)
        except RefusedError:
            session.store.refuse(session.clock.now())
            raise
        check_message(args.message, landing, conventional=basis.config.land.conventional)
        warnings = _atomic(session, args, basis, landing)
    if args.dry_run:
        return _outcome(landing)._replace(warnings=tuple(warnings))
    with session.lock("grind land"), session.journal(release) as journal:
        entries = list(journal.read())

        def record(event: e.Event) -> None:
            journal.append(event)

        if args.accept_weakened:
            _record_acceptance(session, landing, record)
        outcome = land_with_effects(
            session,
            basis,
            landing,
            args.message,
            Around(asked, entries, last, args.branch, push),
            record,
        )
    leave_briefs(session, basis, release)
    bring_workspace_along(session, basis, landing.snapshot.tree)
    return outcome._replace(warnings=(*warnings, *outcome.warnings))


class Around(NamedTuple):
    """What a landing stands in."""

    asked: Asked | None
    """The gate's answer; None for what has arrived already, or lands without a proof."""
    entries: list[e.Entry]
    """The journal of its release."""
    last: Release
    branch: str | None = None
    """Set when it goes to a branch with a pull request."""
    push: Callable[[str, str, str, str | None], PushResult] | None = None
    """How to push from somewhere else."""


def land_with_effects(
    session: Session,
    basis: Basis,
    landing: Landing,
    message: str | None,
    around: Around,
    record: Callable[[e.Event], None],
) -> Outcome:
    """Commit and push, with what belongs before and after it. Raises as `flows.land.land`."""
    asked = around.asked
    effects = Effects(
        session,
        basis,
        status=(asked.rules.config if asked is not None else basis.config).land.status,
        remote=landing.remote,
        receipt=asked.receipt if asked is not None else None,
    )

    def before(oid: str) -> None:
        carry_out(oid, effects.before(oid), done_for(around.entries, oid), record)

    landed = flow.land(
        session.repository, landing, message, record, around.last, before, around.push
    )
    after = effects.after(landed.oid, landing.snapshot.tree, around.branch)
    told, wrong = carry_out_all(landed.oid, after, done_for(around.entries, landed.oid), record)
    return _outcome(landing)._replace(
        oid=landed.oid,
        pushed=landed.pushed,
        note=flow.told_follow(landed),
        told=tuple(told),
        warnings=tuple(f"{error.message} (→ {error.remedy or 'grind land'})" for error in wrong),
        pull=effects.pull.number if effects.pull is not None else None,
    )


def _outcome(landing: Landing) -> Outcome:
    return Outcome(
        snapshot=landing.snapshot,
        remote=landing.remote,
        branch=landing.branch,
        expected=landing.expected,
        unproven=landing.unproven,
        needs_commit=landing.needs_commit,
    )


def finish_last(session: Session, args: argparse.Namespace, why: str) -> int:
    """There is nothing to push: do what a landing that was cut off has left to do, and say so."""
    from grind.commands.probe import no_labels
    from grind.flows.basis import Options, find_basis
    from grind.ui import land_text

    basis = find_basis(session.repository, Options(), no_labels)
    told: list[str] = []
    latest = session.store.latest()
    if latest is not None and not args.dry_run:
        with session.lock("grind land"), session.journal(latest) as journal:
            entries = list(journal.read())
            last = fold(entries)
            landed = last.landed
            if last.state is State.LANDED and landed is not None:
                effects = Effects(
                    session,
                    basis,
                    status=basis.config.land.status,
                    remote=landed.remote,
                    receipt=_receipt(session, landed.tree),
                )
                other = landed.branch if landed.branch != basis.target.main else None
                after = effects.after(landed.oid, landed.tree, other)
                done = done_for(entries, landed.oid)

                def record(event: e.Event) -> None:
                    journal.append(event)

                told, wrong = carry_out_all(landed.oid, after, done, record)
                for error in wrong:
                    sys.stderr.write(f"grind: {error.message}\n")
    target, snapshot = basis.target, basis.snapshot
    if args.json:
        branch = args.branch or target.main
        sys.stdout.write(
            land_text.nothing(snapshot.tree, target.remote, branch, snapshot.head, why)
        )
    else:
        sys.stdout.write("".join(f"{line}\n" for line in (why, *told)))
    return int(ExitCode.DONE)


def prove_merged(session: Session, args: argparse.Namespace) -> int:
    """Prove what merging with the remote's main branch gives, unless it is proven; return the exit
    code of the check."""
    from grind.commands import check
    from grind.commands.hosting import labels_for
    from grind.commands.running import run_checks
    from grind.flows.basis import Options, find_basis
    from grind.wiring import proofs

    sys.stderr.write("grind: the remote has moved on; proving what merging with it gives\n")
    sys.stderr.flush()
    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    asked = parser.parse_args(["--merged", *(["--json"] if args.json else [])])
    options = Options(merged=True)
    basis = find_basis(session.repository, options, labels_for(session, "run steps"))
    if proofs.ask(session, options, basis, basis.target.upstream).decision.answer in _PROVEN:
        return 0
    return run_checks(session, basis, asked, whole=True)


def watch_pull(session: Session, args: argparse.Namespace, oid: str) -> int:
    """Watch the runs of the pull request that the commit is the head of."""
    import asyncio

    from grind.commands import watch

    parser = argparse.ArgumentParser()
    watch.add_arguments(parser)
    words = [oid, "--ref", args.branch, "--event", "pull_request"]
    asked = parser.parse_args([*words, *(["--json"] if args.json else [])])
    folder = session.store.watch(oid)
    with session.watch_lock(folder):
        return asyncio.run(watch.watch_commit(session, asked, oid, folder))


# --- before the push -----------------------------------------------------------------------------


def push_from(
    session: Session, basis: Basis
) -> Callable[[str, str, str, str | None], PushResult] | None:
    """Return how to push from the grind host, when `land.from` says so; None for from here."""
    if basis.config.land.from_ != "host" or session.is_here(basis.config):
        return None
    from grind.commands.hosting import reach_workspace
    from grind.wiring.hostpush import pusher

    place, chosen = reach_workspace(session, basis.config, "push from it")
    return pusher(session, place, chosen)


def _merges(session: Session) -> str:
    """Return the local commit that is merged; what is not committed would not be in it."""
    snapshot = session.repository.snapshot()
    if not snapshot.committed:
        raise GrindError(
            "a merge is of commits, and something is not committed",
            remedy="grind land --rebase, or git commit first",
        )
    return snapshot.commit


def release_for(session: Session, basis: Basis) -> tuple[ReleaseFolder, Release]:
    """Return the release to land in: the last one, when it is about this tree and can still land."""
    latest = session.store.latest()
    if latest is not None:
        with session.journal(latest) as journal:
            last = fold(journal.read())
        about = last.started or last.intent
        if about is not None and about.tree == basis.snapshot.tree and last.state in _OPEN:
            return latest, last
    return session.store.new_release(session.clock.now()), Release()


def require_proof(
    session: Session,
    basis: Basis,
    options: Options,
    upstream: str | None,
    *,
    accepted: str | None = None,
) -> Asked:
    """Ask the gate, by the rules of the remote's main branch, which is at `upstream`; `accepted` is
    why weaker rules are meant. Raises RefusedError when it does not open."""
    from grind.wiring import proofs

    asked = proofs.ask(session, options, basis, upstream)
    if asked.decision.answer is Answer.WEAKENED and accepted:
        proofs.accept(session, asked, accepted)
        asked = proofs.ask(session, options, basis, upstream)
    flow.require_proof(asked.decision)
    return asked


def _record_acceptance(
    session: Session, landing: Landing, record: Callable[[e.Event], None]
) -> None:
    receipt = _receipt(session, landing.snapshot.tree)
    if receipt is not None and receipt.accepted:
        last = receipt.accepted[-1]
        record(e.Accepted(tree=receipt.tree, reason=last.reason, by=last.by, lines=last.lines))


def _receipt(session: Session, tree: str) -> Receipt | None:
    from grind.core.receipt import read_receipt

    stored = session.store.receipt(tree)
    return read_receipt(stored) if stored is not None else None


def check_message(message: str | None, landing: Landing, *, conventional: bool) -> None:
    """Raise GrindError when there is no message, or one too many, or one that is not acceptable."""
    from grind.core.message import problems_of

    if not landing.needs_commit:
        if message is not None:
            raise GrindError(
                "nothing is uncommitted, so HEAD is pushed as it is, with its own message",
                remedy="grind land (without -m), or --squash",
            )
        return
    if message is None:
        if landing.made is not None:
            return  # the commit has its message
        raise GrindError(
            "a message is needed for the commit of the proven tree", remedy='grind land -m "…"'
        )
    problems = problems_of(message, conventional=conventional)
    if problems:
        raise GrindError("; ".join(problems), remedy='grind land -m "…"')


def _atomic(
    session: Session, args: argparse.Namespace, basis: Basis, landing: Landing
) -> list[str]:
    """Return a warning about code without tests, or refuse it where that is configured."""
    from grind.core.atomic import is_code, untested

    said = basis.config.land
    if said.atomic == "off" or landing.main is None:
        return []
    against = landing.snapshot._replace(parent=landing.main, of_rev=True)
    paths = session.repository.changed_paths(against, None) or ()
    code = {path for path in paths if is_code(path, said.exempt)}
    blobs = [b for b in session.repository.blobs(landing.snapshot.tree, paths) if b.path in code]
    message = args.message or session.repository.message(landing.snapshot.commit)
    contents = session.repository.read([blob.oid for blob in blobs]).values() if blobs else ()
    found = untested(paths, contents, message, tests=said.tests, exempt=said.exempt)
    if not found:
        return []
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    told = f"code changes without a test: {', '.join(found[:3])}{more}"
    if said.atomic == "error":
        raise RefusedError(
            f"not landed: {told}", remedy="add the test, or name the path in land.exempt"
        )
    return [f"{told} (land.exempt in grind.toml names what needs none)"]

"""One attempt to land: the gate, the message, the commit, the push, and what belongs to it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from grind.commands.landready import (
    check_message,
    merges,
    push_from,
    release_for,
    require_proof,
    untested_code,
)
from grind.core import events as e
from grind.core.errors import ExitCode, RefusedError
from grind.core.gate import Answer
from grind.core.release import Release, State, fold
from grind.flows import land as flow
from grind.flows.afterland import carry_out, carry_out_all, done_for
from grind.flows.landing import plan_landing
from grind.ui.land_text import Outcome
from grind.wiring.landing import Effects
from grind.wiring.standing import leave_briefs

if TYPE_CHECKING:
    from grind.core.receipt import Receipt
    from grind.core.repository import PushResult
    from grind.flows.basis import Basis
    from grind.flows.gate import Asked
    from grind.flows.landing import Landing
    from grind.wiring import Session

_PROVEN = (Answer.OK, Answer.WEAKENED, Answer.BAD_SIGNATURE)
"""What a run of the checks would not change."""


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
        merges=merges(session) if this.merge else None,
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
        warnings = untested_code(session, args, basis, landing)
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

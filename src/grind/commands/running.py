"""Run a part of the plan: lock, journal, face, and the flow that does the work."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from grind.commands.options import plan_options
from grind.commands.outlook import outlook_of
from grind.commands.past import Past, Taken, past_of, taken_over
from grind.commands.signals import stop_on_signals
from grind.core import events as e
from grind.core.errors import ExitCode, GrindError
from grind.core.plan import StepClass
from grind.core.release import State
from grind.core.room import kib_of
from grind.core.texts import one_line
from grind.flows import check as flow
from grind.flows.basis import Basis
from grind.flows.collect import Keeping, collect
from grind.flows.doctor import record_facts
from grind.flows.hints import Hints
from grind.flows.prepare import Prepared, prepare
from grind.flows.proven import find_proof
from grind.ui.choose import face_for, ring
from grind.wiring import proofs
from grind.wiring.standing import leave_briefs

if TYPE_CHECKING:
    from grind.adapters.lock import Holder
    from grind.adapters.store import ReleaseFolder
    from grind.ports import Host
    from grind.ui.face import Face
    from grind.wiring import Session

KEEP_RELEASES = 50
KEEP_RUNS = 10
"""Runs whose lanes and raw logs stay on the host; the masked logs are kept with the release."""
KEEP_DAYS = 14.0
"""Days that snapshots and checkouts which nobody used stay."""
TIDY_EVERY = 3600.0
"""Seconds between two tidyings: looking for what is old takes longer than a small run."""


def run_checks(
    session: Session,
    basis: Basis,
    args: argparse.Namespace,
    *,
    whole: bool,
    klass: StepClass | None = None,
    taken: Taken | None = None,
) -> int:
    """Run what `args` select, or go on with a run that was cut off; return the exit code."""
    command = "grind build" if klass is not None else "grind check"
    wait = None if args.wait else 0.0
    with session.lock(command, wait=wait, waiting=_tell_waiting):
        try:
            return asyncio.run(_run(session, basis, args, whole=whole, klass=klass, taken=taken))
        except asyncio.CancelledError:  # a signal, see `_run`
            raise KeyboardInterrupt from None


def _tell_waiting(held: Holder | None) -> None:
    who = held.told() if held is not None else "another process"
    sys.stderr.write(f"grind: waiting for {one_line(who)}\n")
    sys.stderr.flush()


async def _run(
    session: Session,
    basis: Basis,
    args: argparse.Namespace,
    *,
    whole: bool,
    klass: StepClass | None,
    taken: Taken | None,
) -> int:
    stop_on_signals()
    session.hosts.check_place(session.chosen(basis.config))
    host = session.host(basis.config)
    try:
        return await _run_on(session, host, basis, args, whole=whole, klass=klass, taken=taken)
    finally:
        await host.close()


async def _run_on(
    session: Session,
    host: Host,
    basis: Basis,
    args: argparse.Namespace,
    *,
    whole: bool,
    klass: StepClass | None,
    taken: Taken | None,
) -> int:
    options = plan_options(args)
    prepared = await prepare(
        session.repository, lambda _: host, options, session.labels_remembered, basis
    )
    session.hosts.recognise(session.chosen(basis.config), prepared.identity)
    if taken is None and whole and not args.again and _still_proven(session, prepared, args):
        return int(ExitCode.DONE)
    past = past_of(session, whole=getattr(args, "failed", False))
    if taken is None:
        release, resumed = await _release(session, host, prepared, past)
    else:
        release, resumed = taken_over(taken, prepared, past, host.name), True
    selection = _selection(prepared, args, klass=klass, past=past, resumed=resumed)
    same = _is_same(past, prepared)
    again = getattr(args, "failed", False) and same and not args.workflow
    carried = (past.outcomes, past.records) if again else None
    with session.journal(release) as journal:
        face = face_for(
            sys.stdout,
            session.environ,
            json=args.json,
            read_log=release.read_log,
            now=session.clock.now,
            follow=args.follow,
            outlook=lambda: outlook_of(session, session.parallel(basis.config)),
            folder=release.path,
            soon=asyncio.get_running_loop().call_soon,
        )
        recorder = _Recorder(session, journal.append, face)
        ignored = session.repository.ignored_paths if args.rev is None else tuple
        record = Hints(recorder, release.read_log, ignored, session.repository.lacking)
        inputs = flow.CheckInputs(
            repository=session.repository,
            host=host,
            clock=session.clock,
            logs=release,
            record=record,
            run=release.id,
            command=taken.command if taken is not None else command_line(),
            resumed=resumed,
            parallel=session.parallel(basis.config),
            save_receipt=_keeper(session, recorder),
            drop_receipt=session.store.drop_receipt,
            tools_print=lambda tools: session.tools_print(basis.config, tools),
            debug=session.environ.get("RUNNER_DEBUG") == "1",
            carried=carried,
            facts=await record_facts(host, session.hosts.doctor_script()),
        )
        try:
            ended = await flow.check(inputs, prepared, selection)
        finally:
            face.close()
            if getattr(args, "bell", False):
                ring(sys.stderr)
    leave_briefs(session, basis, release)
    try:
        if session.store.tidying_is_due(session.clock.now(), TIDY_EVERY):
            session.store.prune(KEEP_RELEASES)
            proofs.collect(session, basis.config.receipt.max_age)
            session.repository.prune(KEEP_DAYS)
            name, sizes = session.hosts.sizes_script()
            room = session.chosen(basis.config).config.disk
            keeping = Keeping(KEEP_DAYS * 86400, KEEP_RUNS, kib_of(room) if room else None)
            await collect(host, keeping, session.clock, name=name, sizes=sizes)
    except GrindError as error:  # what was proven is proven, whatever cannot be tidied up
        sys.stderr.write(f"grind: {error.message}\n")
    return ended.exit_code


def _keeper(session: Session, record: Callable[[e.Event], None]) -> Callable[[str, bytes], str]:
    """Return how a receipt is kept: signed where it can be, and told where it cannot."""

    def keep(tree: str, data: bytes) -> str:
        kept = proofs.keep(session, tree, data)
        if kept.problem:
            record(e.Note("warning", f"{kept.problem} (→ {kept.remedy})"))
        return kept.path

    return keep


class _Recorder:
    """Journal first, then the face; output goes to the face alone."""

    def __init__(
        self,
        session: Session,
        append: Callable[[e.Event], tuple[e.Entry, ...]],
        face: Face,
    ) -> None:
        self._now = session.clock.now
        self._append = append
        self._face = face

    def __call__(self, event: e.Event) -> None:
        if isinstance(event, e.StepOutput):
            self._face.show(e.Entry(e.EVENTS_SCHEMA, 0, self._now(), event))
            return
        for entry in self._append(event):
            self._face.show(entry)


def _still_proven(session: Session, prepared: Prepared, args: argparse.Namespace) -> bool:
    """The key differs, but the plan itself may be the same: then its digest decides."""
    from grind.ui.proven_text import told_proven

    basis = prepared.basis
    proof = find_proof(
        basis,
        session.store.receipt(basis.snapshot.tree),
        now=session.clock.now(),
        tools_print=None,
        digest=prepared.whole.digest,
    )
    receipt = proof.receipt
    if not proof.decision.ok or receipt is None or receipt.digest != prepared.whole.digest:
        return False
    if receipt.tools != prepared.tools or not _same_host(receipt.host, prepared):
        return False
    import msgspec

    renewed = msgspec.structs.replace(
        receipt,
        key=basis.key,
        tools_print=session.tools_print(basis.config, prepared.tools),
    )
    path = proofs.keep_receipt(session, renewed).path
    sys.stdout.write(told_proven(receipt, now=session.clock.now(), json=args.json, path=path))
    return True


def _same_host(host: str, prepared: Prepared) -> bool:
    return host == f"{prepared.identity.id}/{prepared.identity.architecture}"


def _is_same(past: Past, prepared: Prepared) -> bool:
    whole = prepared.whole
    return past.is_of(whole.tree, whole.digest, prepared.ground)


async def _release(
    session: Session, host: Host, prepared: Prepared, past: Past
) -> tuple[ReleaseFolder, bool]:
    """Return the release to run in: the last one, when exactly this run of it was cut off.

    A run that was cut off in another plan may still be going on by itself: it is ended first.
    """
    if past.folder is not None and past.last is not None and past.last.state is State.CHECKING:
        there = past.last.started.host if past.last.started is not None else host.name
        if _is_same(past, prepared) and past.is_cut_off(command_line()) and there == host.name:
            return past.folder, True
        if there == host.name:
            await host.abandon(past.folder.id)
        else:
            sys.stderr.write(
                f"grind: the last run was cut off on {one_line(there)} and may go on there; "
                f"`grind cancel {past.folder.id}` ends it\n"
            )
    return session.store.new_release(session.clock.now()), False


def command_line() -> str:
    """Return what was typed after `grind`, as a journal records it."""
    import shlex

    return shlex.join(sys.argv[1:])


def _selection(
    prepared: Prepared,
    args: argparse.Namespace,
    *,
    klass: StepClass | None,
    past: Past,
    resumed: bool,
) -> flow.Selection:
    if klass is not None:
        return flow.select_class(prepared, klass)
    if args.fast:
        if not prepared.checks.jobs:
            raise GrindError(
                "there is no [[check]] in grind.toml, so `--fast` has nothing to run",
                remedy="grind check",
            )
        return flow.Selection(None, frozenset())
    if args.failed:
        if resumed and past.last is not None and past.last.started is not None:
            chosen = frozenset(job.key for job in past.last.started.jobs)
            return flow.Selection(chosen, chosen)
        selection = flow.select_failed(prepared, past.conclusions)
        if not (selection.checks or selection.jobs):
            raise GrindError("nothing was red in the last run", remedy="grind check")
        return selection
    if args.names:
        return flow.select_jobs(prepared, args.names)
    if args.workflow:  # a part, even when it is all there is: it proves nothing of the others
        return flow.Selection(frozenset(), frozenset(job.key for job in prepared.plan.jobs))
    return flow.Selection(None, None)

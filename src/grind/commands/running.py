"""Run a part of the plan: lock, journal, face, and the flow that does the work."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING, NamedTuple

from grind.commands.options import plan_options
from grind.commands.outlook import outlook_of
from grind.commands.past import Taken, past_of, taken_over
from grind.commands.recording import Recorder, keeper
from grind.commands.selecting import command_line, is_same, release_for, selection_of
from grind.commands.signals import stop_on_signals
from grind.commands.stillproven import still_proven
from grind.commands.tidying import tidy
from grind.core.errors import ExitCode
from grind.core.plan import StepClass
from grind.core.texts import one_line
from grind.flows import check as flow
from grind.flows.basis import Basis
from grind.flows.doctor import record_facts
from grind.flows.hints import Hints
from grind.flows.prepare import Prepared, prepare
from grind.ui.choose import face_for, ring
from grind.wiring.standing import leave_briefs

if TYPE_CHECKING:
    from grind.adapters.lock import Holder
    from grind.adapters.store import ReleaseFolder
    from grind.core.events import RunEnded
    from grind.core.outcome import JobOutcome
    from grind.core.receipt import StepRecord
    from grind.ports import Host
    from grind.wiring import Session


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


class _Work(NamedTuple):
    """What is run, and where it is recorded."""

    prepared: Prepared
    selection: flow.Selection
    release: ReleaseFolder
    resumed: bool
    command: str
    """The command line that began it."""
    carried: tuple[dict[str, JobOutcome], list[StepRecord]] | None
    """What `--failed` takes over from the runs before."""


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
    if taken is None and whole and not args.again and still_proven(session, prepared, args):
        return int(ExitCode.DONE)
    past = past_of(session, whole=getattr(args, "failed", False))
    if taken is None:
        release, resumed = await release_for(session, host, prepared, past)
    else:
        release, resumed = taken_over(taken, prepared, past, host.name), True
    selection = selection_of(prepared, args, klass=klass, past=past, resumed=resumed)
    again = getattr(args, "failed", False) and is_same(past, prepared) and not args.workflow
    carried = (past.outcomes, past.records) if again else None
    command = taken.command if taken is not None else command_line()
    work = _Work(prepared, selection, release, resumed, command, carried)
    ended = await _check(session, host, args, work)
    leave_briefs(session, basis, release)
    await tidy(session, host, basis.config)
    return ended.exit_code


async def _check(session: Session, host: Host, args: argparse.Namespace, work: _Work) -> RunEnded:
    """Run it, with everything it says in the journal and on the screen."""
    config, release = work.prepared.basis.config, work.release
    with session.journal(release) as journal:
        face = face_for(
            sys.stdout,
            session.environ,
            json=args.json,
            read_log=release.read_log,
            now=session.clock.now,
            follow=args.follow,
            outlook=lambda: outlook_of(session, session.parallel(config)),
            folder=release.path,
            soon=asyncio.get_running_loop().call_soon,
        )
        recorder = Recorder(session, journal.append, face)
        ignored = session.repository.ignored_paths if args.rev is None else tuple
        inputs = flow.CheckInputs(
            repository=session.repository,
            host=host,
            clock=session.clock,
            logs=release,
            record=Hints(recorder, release.read_log, ignored, session.repository.lacking),
            run=release.id,
            command=work.command,
            resumed=work.resumed,
            parallel=session.parallel(config),
            save_receipt=keeper(session, recorder),
            drop_receipt=session.store.drop_receipt,
            tools_print=lambda tools: session.tools_print(config, tools),
            debug=session.environ.get("RUNNER_DEBUG") == "1",
            carried=work.carried,
            facts=await record_facts(host, session.hosts.doctor_script()),
        )
        try:
            return await flow.check(inputs, work.prepared, work.selection)
        finally:
            face.close()
            if getattr(args, "bell", False):
                ring(sys.stderr)

"""`grind watch`: follow CI's runs of exactly one commit until one clean run, or say why not."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from grind.commands.after_red import add_red_arguments, after_red
from grind.commands.options import add_json
from grind.core.errors import ExitCode

if TYPE_CHECKING:
    from grind.adapters.store import ReleaseFolder
    from grind.core import events as e
    from grind.flows.basis import Basis
    from grind.flows.watch import WatchInputs
    from grind.flows.watchplan import WatchPlan
    from grind.ports import Forge
    from grind.wiring import Session

KEEP_WATCHES = 50

HELP = "follow CI's runs of exactly this commit until one clean run, or say why there is none"
EXAMPLES = """\
  grind watch                     the commit that HEAD is on
  grind watch HEAD~1 --timeout 30m
  grind watch --ref feature       as it was pushed to another branch
  grind watch --json | jq -r 'select(.event.type == "watch.ended").event.verdict'
  grind watch --verify            then wait until the commit answers where it is deployed
  grind watch --rollback-on-red   carry out the rollback that is otherwise only shown
  grind watch --api https://git.example.com/api/v3
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("commit", nargs="?", default="HEAD", metavar="COMMIT", help="default: HEAD")
    parser.add_argument(
        "--timeout",
        type=_duration,
        metavar="TIME",
        help="stop waiting after this long, such as 90s, 30m, 2h (default: 2h)",
    )
    parser.add_argument(
        "--ref", metavar="REF", help="the branch or tag it was pushed to (default: found out)"
    )
    parser.add_argument(
        "--event", default="push", help="the event whose runs count (default: %(default)s)"
    )
    parser.add_argument(
        "--changed", metavar="BASE", help="where the branch was before the push, for path filters"
    )
    parser.add_argument(
        "--repo", metavar="[HOST/]OWNER/NAME", help="the repository (default: the remote's)"
    )
    parser.add_argument("--api", metavar="URL", help="the API of a GitHub Enterprise Server")
    parser.add_argument(
        "--verify",
        action="store_true",
        help="when CI is clean, ask the probes until this very commit answers live",
    )
    add_red_arguments(parser)
    add_json(parser, "write the watch as NDJSON events (schema grind.events/1)")


def _duration(text: str) -> float:
    from grind.core.typed import seconds

    try:
        found = seconds(text)
    except ValueError:
        found = 0.0
    if found <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no length of time such as 90s, 30m, 2h")
    return found


def run(args: argparse.Namespace) -> int:
    """Watch; return the exit code of the verdict (docs/exit-codes.md)."""
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ, "local")
    commit = session.repository.resolve(args.commit)
    code = watch_and_verify(session, args, commit)
    if code == ExitCode.DONE:
        return code
    anywhere = Session(os.getcwd(), os.environ)  # a revert is proven where changes are
    return after_red(anywhere, args, _basis(session, commit), commit, code)


def watch_and_verify(session: Session, args: argparse.Namespace, commit: str) -> int:
    """Watch, then, with `--verify` and when CI is clean, wait until the commit answers live."""
    from grind.commands.verifying import require_live_probes
    from grind.wiring import Session

    folder = session.store.watch(commit)
    live = Session(os.getcwd(), session.environ)  # where it is deployed to, not where grind runs
    if args.verify:
        require_live_probes(live, _basis(session, commit))
    with session.watch_lock(folder):
        code = asyncio.run(watch_commit(session, args, commit, folder))
        if code == ExitCode.DONE and args.verify:
            return _verify(live, args, commit, folder)
    return code


def _basis(session: Session, commit: str) -> Basis:
    """The configuration that holds is the commit's own."""
    from grind.commands.probe import no_labels
    from grind.flows.basis import Options, find_basis

    return find_basis(session.repository, Options(rev=commit), no_labels)


def _verify(session: Session, args: argparse.Namespace, commit: str, folder: ReleaseFolder) -> int:
    from grind.commands.verifying import shower, verify_commit

    show = shower(session, json=args.json)
    with session.journal(folder) as journal:

        def record(event: e.Event) -> None:
            for entry in journal.append(event):
                show(entry)

        return int(verify_commit(session, _basis(session, commit), commit, record).code)


async def watch_commit(
    session: Session, args: argparse.Namespace, commit: str, folder: ReleaseFolder
) -> int:
    """Find out what to expect, then follow it."""
    from grind.flows.basis import Options, find_basis
    from grind.flows.watch import watch
    from grind.flows.watchplan import Asked, Knowledge, plan_watch
    from grind.ui.watch_face import watch_face_for

    task = asyncio.current_task()
    if task is not None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    asked = Asked(commit, args.event, args.ref, args.changed)
    options = Options(rev=commit, event=args.event, ref=args.ref)
    basis = find_basis(session.repository, options, session.labels)
    forge = await session.forge(repository_url(args.repo, basis.target.url), args.api)
    face = watch_face_for(
        sys.stdout,
        session.environ,
        json=args.json,
        read_log=folder.read_log,
        now=session.clock.now,
    )
    try:
        with session.journal(folder) as journal:
            known = Knowledge(
                receipt=session.store.receipt(basis.snapshot.tree),
                before=list(journal.read()),
                landed=session.landed(commit),
                now=session.clock.now(),
            )
            plan = await plan_watch(
                session.repository, forge, basis, asked, known, session.host, session.labels
            )

            def record(event: e.Event) -> None:
                for entry in journal.append(event):
                    face.show(entry)

            inputs = watch_inputs(session, args.timeout, basis, plan, forge, record, folder)
            ended = await watch(inputs._replace(resumed=bool(known.before)))
    finally:
        face.close()
        await forge.close()
    session.store.prune_watches(KEEP_WATCHES)
    return ended.exit_code


def watch_inputs(
    session: Session,
    timeout: float | None,
    basis: Basis,
    plan: WatchPlan,
    forge: Forge,
    record: Callable[[e.Event], None],
    folder: ReleaseFolder,
) -> WatchInputs:
    """Return what the flow of a watch depends on."""
    from grind.flows.watch import Patience, WatchInputs

    return WatchInputs(
        forge=forge,
        clock=session.clock,
        record=record,
        target=plan.target,
        rules=plan.rules,
        since=plan.since,
        explain=plan.explain,
        logs=folder,
        left_out=plan.left_out,
        notes=plan.notes,
        patience=Patience(total=timeout or basis.config.watch.timeout),
    )


def repository_url(named: str | None, remote: str) -> str:
    """Return the repository's address: `[HOST/]OWNER/NAME` when it was named, else the remote's."""
    if named is None:
        return remote
    return f"https://{named}" if named.count("/") == 2 else f"https://github.com/{named}"

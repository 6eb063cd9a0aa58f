"""`grind attach`: follow a run again, after the connection dropped or the client was killed."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.options import add_json
from grind.core.errors import ExitCode, GrindError, RefusedError

if TYPE_CHECKING:
    from grind.adapters.store import ReleaseFolder
    from grind.core.events import RunStarted
    from grind.core.release import Release
    from grind.core.repository import Snapshot
    from grind.wiring import Session

HELP = """follow a run again, from its first byte

A run whose client is gone goes on by itself on its host: attach takes it over, whatever the working
copy holds by now, and ends as the first client would have, with its receipt. A run that another
grind drives is followed read-only; one that is over is shown again."""
EXAMPLES = """\
  grind attach                   the last run
  grind attach --read-only       only look, also when its client is gone
  grind attach 20261123-101500-ab12cd
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("release", nargs="?", help="a release's identifier (default: the last)")
    parser.add_argument("--read-only", action="store_true", help="never take the run over")
    parser.add_argument("--follow", action="store_true", help="write all output as it comes")
    add_json(parser, "write the run as NDJSON events (schema grind.events/1)")


def run(args: argparse.Namespace) -> int:
    """Follow, or take over."""
    from grind.core.release import State
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ)
    folder, release = last_or_named(session, args.release)
    if release.started is None:
        raise GrindError(f"{folder.id} has run nothing", remedy="grind log --list")
    if release.state is not State.CHECKING or _is_driven(session, folder) or args.read_only:
        return _read(session, args, folder)
    return _take_over(args, folder, release.started)


def last_or_named(session: Session, name: str | None) -> tuple[ReleaseFolder, Release]:
    """Return a release and what its journal says of it. Raises GrindError when there is none."""
    from grind.core.release import fold

    found = session.store.release(name) if name else session.store.latest()
    if found is None:
        what = f"no release {name!r} is kept" if name else "nothing has been run yet"
        raise GrindError(what, remedy="grind log --list" if name else "grind check")
    with session.journal(found) as journal:
        return found, fold(journal.read())


def _is_driven(session: Session, folder: ReleaseFolder) -> bool:
    """Whether another grind drives the release now: it holds the lock, and runs the last one."""
    from grind.adapters.lock import holder

    latest = session.store.latest()
    return (
        latest is not None
        and latest.id == folder.id
        and holder(session.store.lock_path) is not None
    )


def _read(session: Session, args: argparse.Namespace, folder: ReleaseFolder) -> int:
    from grind.flows.following import Follow, follow
    from grind.ui.choose import face_for

    face = face_for(
        sys.stdout,
        session.environ,
        json=args.json,
        read_log=folder.read_log,
        now=session.clock.now,
        follow=args.follow,
    )
    with session.journal(folder) as journal:
        inputs = Follow(
            entries=journal.follow,
            logs=folder,
            show=face.show,
            alive=lambda: _is_driven(session, folder),
            clock=session.clock,
        )
        try:
            ended = asyncio.run(follow(inputs))
        finally:
            face.close()
    if ended is not None:
        return ended.exit_code
    sys.stderr.write(
        f"grind: nobody drives this run any more; `grind attach {folder.id}` takes it over\n"
    )
    return int(ExitCode.PAUSED)


def _take_over(args: argparse.Namespace, folder: ReleaseFolder, started: RunStarted) -> int:
    from grind.commands.hosting import labels_for
    from grind.commands.options import plan_options
    from grind.commands.past import Taken
    from grind.commands.running import run_checks
    from grind.core.plan import StepClass
    from grind.flows.basis import find_basis
    from grind.wiring import Session

    began = _arguments(started.command, args)
    on_host = Session(os.getcwd(), os.environ, started.host)
    snapshot = _snapshot(on_host, started, of_rev=began.rev is not None)
    labels = labels_for(on_host, "go on with a run")
    basis = find_basis(on_host.repository, plan_options(began), labels, snapshot)
    whole = not (began.names or began.fast or began.failed or began.workflow)
    return run_checks(
        on_host,
        basis,
        began,
        whole=whole and not began.builds,
        klass=StepClass.BUILD if began.builds else None,
        taken=Taken(folder.id, started.command),
    )


def _arguments(command: str, args: argparse.Namespace) -> argparse.Namespace:
    """Return the arguments of the command that began the run, to be told as this one asks."""
    from importlib import import_module

    from grind.commands.past import command_words
    from grind.ui.arguments import parser_for

    name, *words = command_words(command) or [""]
    if name not in ("check", "build"):
        raise RefusedError(
            f"that run was begun by `grind {command}`, which only that command can go on with",
            remedy=f"grind {command}",
        )
    module = import_module(f"grind.commands.{name}")
    parser = parser_for(name, module.HELP, "")
    module.add_arguments(parser)
    nothing = {"names": [], "fast": False, "failed": False, "again": False}
    began = argparse.Namespace(**nothing, builds=name == "build")
    parser.parse_args(words, began)
    began.json, began.follow, began.wait = args.json, args.follow, False
    return began


def _snapshot(session: Session, started: RunStarted, *, of_rev: bool) -> Snapshot:
    """Return the snapshot that the run was begun with, as it was found then."""
    snapshot = session.repository.snapshot(started.commit)
    if of_rev or snapshot.parent is None:
        return snapshot
    # A commit that grind made for the working copy stands on HEAD; one of the user's is HEAD.
    made = session.repository.proposal(started.tree, snapshot.parent)
    return made if made.commit == started.commit else snapshot

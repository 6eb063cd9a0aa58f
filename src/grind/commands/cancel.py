"""`grind cancel`: stop a run, with every process it started on its host."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from typing import TYPE_CHECKING

from grind.commands.options import add_json
from grind.core import events as e
from grind.core.errors import ExitCode, GrindError

if TYPE_CHECKING:
    from grind.adapters.lock import Holder
    from grind.adapters.store import ReleaseFolder
    from grind.core.release import Release
    from grind.wiring import Session

HELP = """stop a run and every process it started, on the host where it runs

A client that drives the run is asked to stop, as by Ctrl-C. When it is gone, or does not stop, the
run's processes are ended on the host, and its journal says so."""
EXAMPLES = """\
  grind cancel               the last run
  grind cancel 20261123-101500-ab12cd
"""
CANCEL_SCHEMA = "grind.cancel/1"
PATIENCE = 30.0
"""Seconds that a client gets to end what it drives, before it is done without it."""
_LOOK = 0.1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("release", nargs="?", help="a release's identifier (default: the last)")
    add_json(parser, "print one JSON document (schema grind.cancel/1)")


def run(args: argparse.Namespace) -> int:
    """Stop it; exit 0 when nothing of it runs any more."""
    from grind.commands.attach import last_or_named
    from grind.core.release import State
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ)
    folder, release = last_or_named(session, args.release)
    if release.state is not State.CHECKING or release.started is None:
        return _tell(args, folder, "over", f"{folder.id} is over already ({release.state})")
    host = release.started.host
    held = _driver(session, folder)
    if held is not None and _ask_to_stop(session, folder, held):
        return _tell(args, folder, "cancelled", f"{folder.id} was cancelled: {held.told()} stopped")
    _end_on_host(session, folder, release, host)
    return _tell(
        args, folder, "cancelled", f"{folder.id} was cancelled: nothing of it runs on {host}"
    )


def _driver(session: Session, folder: ReleaseFolder) -> Holder | None:
    from grind.adapters.lock import holder

    latest = session.store.latest()
    return holder(session.store.lock_path) if latest and latest.id == folder.id else None


def _ask_to_stop(session: Session, folder: ReleaseFolder, held: Holder) -> bool:
    """Ask the client to stop, and wait; False when it does not, or died without ending the run."""
    from grind.core.release import State, fold

    if held.host != os.uname().nodename:
        raise GrindError(
            f"it is driven by {held.told()}, on another machine that shares this repository",
            remedy="cancel it there",
            code=ExitCode.REFUSED,
        )
    try:
        os.kill(held.pid, signal.SIGTERM)
    except ProcessLookupError:
        return False
    except PermissionError:
        raise GrindError(
            f"it is driven by {held.told()}, as another user",
            remedy="ask them to stop it",
            code=ExitCode.REFUSED,
        ) from None
    until = time.monotonic() + PATIENCE
    while _driver(session, folder) == held and time.monotonic() < until:
        time.sleep(_LOOK)
    with session.journal(folder) as journal:
        return fold(journal.read()).state is not State.CHECKING


def _end_on_host(session: Session, folder: ReleaseFolder, release: Release, host: str) -> None:
    """End the processes, then say so in the journal, as the client would have."""
    from grind.commands.hosting import reach
    from grind.core.config import Config
    from grind.core.hosts import chosen_host
    from grind.flows.basis import config_of
    from grind.wiring import Session

    there = Session(os.getcwd(), os.environ, host)
    config: Config = config_of(there.repository, there.repository.snapshot())[0]
    try:
        chosen_host(config, host)
    except GrindError as error:
        raise GrindError(
            f"the run is on {host}, which grind.toml does not name any more",
            remedy=f"put [hosts.{host}] back, then `grind cancel {folder.id}`",
        ) from error
    reach(there, config, "end a run")

    async def end() -> None:
        machine = there.host(config)
        try:
            await machine.abandon(folder.id)
        finally:
            await machine.close()

    asyncio.run(end())
    started = release.started
    began = session.clock.now() - release.at if started is not None else 0.0
    with session.lock("grind cancel", wait=PATIENCE), session.journal(folder) as journal:
        journal.append(
            e.RunEnded(
                run=folder.id,
                state="cancelled",
                exit_code=int(ExitCode.INTERRUPTED),
                executed=0,
                failed=0,
                refused=0,
                duration=max(0.0, began),
            )
        )


def _tell(args: argparse.Namespace, folder: ReleaseFolder, state: str, text: str) -> int:
    if args.json:
        document = {"schema": CANCEL_SCHEMA, "release": folder.id, "state": state}
        sys.stdout.write(json.dumps(document) + "\n")
    else:
        from grind.core.texts import one_line

        sys.stdout.write(one_line(text) + "\n")
    return int(ExitCode.DONE)

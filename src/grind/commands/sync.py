"""`grind sync`: the host's own workspace, brought up to date or looked into."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.hosting import add_host, snapshot_from_host
from grind.commands.options import add_json
from grind.core.errors import ExitCode
from grind.core.workspace import Current, Forwarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grind.wiring import Session

HELP = """bring the host's own workspace to the remote's main branch, or take what is edited there

The workspace is the clone of this repository that [hosts.NAME] names as `workspace`, in which people
edit in place. It is fast-forwarded only when it holds nothing of its own; otherwise sync says what
is there and changes nothing."""
EXAMPLES = """\
  grind sync                     fast-forward it to the remote's main branch
  grind sync --from-host         take the snapshot of what is edited there
  grind check --from-host        prove that
  grind land --from-host -m "…"  and push it
"""
SYNC_SCHEMA = "grind.sync/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_host(parser)
    parser.add_argument(
        "--from-host", action="store_true", help="take the snapshot of what is edited there"
    )
    add_json(parser, "print one JSON document (schema grind.sync/1)")


def run(args: argparse.Namespace) -> int:
    """Fast-forward the workspace, or take its snapshot."""
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ, args.host)
    return _take(session, args) if args.from_host else _forward(session, args)


def _forward(session: Session, args: argparse.Namespace) -> int:
    from grind.commands.hosting import reach_workspace
    from grind.flows import sync as flow
    from grind.flows.basis import config_of, find_target
    from grind.wiring.hostlock import operator

    config, _ = config_of(session.repository, session.repository.snapshot())
    place, chosen = reach_workspace(session, config, "bring its workspace up to date")
    target = find_target(session.repository, config)

    async def forward() -> Forwarded | Current:
        host = session.hosts.open(chosen)
        try:
            workspace = place.on(host)
            answer = await flow.forward(workspace, target, operator(session.environ), place.told)
            _notes(workspace.notes)
            assert isinstance(answer, Forwarded | Current)  # what is in the way is an error
            return answer
        finally:
            await host.close()

    answer = asyncio.run(forward())
    document = {"host": chosen.name, "workspace": place.path, "from": None, "to": None}
    if isinstance(answer, Forwarded):
        document |= {"from": answer.old, "to": answer.new}
        text = f"{place.told}: {answer.old[:12]} → {answer.new[:12]}, {answer.commits} commits"
    else:
        document |= {"from": answer.oid, "to": answer.oid}
        text = f"{place.told} is up to date, at {answer.oid[:12]}"
    return _tell(args, document, text)


def _take(session: Session, args: argparse.Namespace) -> int:
    snapshot = snapshot_from_host(session)
    document = {"tree": snapshot.tree, "commit": snapshot.commit, "head": snapshot.head}
    what = "its HEAD, unchanged" if snapshot.committed else f"on {(snapshot.head or '')[:12]}"
    text = (
        f"tree {snapshot.tree[:12]}, {what}, is here now\n"
        "→ grind check --from-host proves what is there; grind land --from-host pushes it"
    )
    return _tell(args, document, text)


def _notes(notes: list[str]) -> None:
    for note in notes:
        sys.stderr.write(f"grind: {note}\n")


def _tell(args: argparse.Namespace, document: Mapping[str, object], text: str) -> int:
    if args.json:
        sys.stdout.write(json.dumps({"schema": SYNC_SCHEMA, **document}) + "\n")
    else:
        sys.stdout.write(text + "\n")
    return int(ExitCode.DONE)

"""`grind collect`: remove old runs and checkouts from a host."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.hosting import add_host
from grind.commands.options import add_json
from grind.core.errors import ExitCode, GrindError

if TYPE_CHECKING:
    from grind.core.hosts import Chosen
    from grind.flows.collect import Collected, Keeping
    from grind.wiring.hosts import Hosts

HELP = """remove old runs and checkouts from a host, by age and by size

Every run does this once an hour for its own repository. Called by itself, outside of any repository,
it does it for all repositories that this account has used on this machine. What runs is never
touched, and neither are proofs."""
EXAMPLES = """\
  grind collect                     what nothing has used for 14 days
  grind collect --days 2 --room 20G
  grind collect --host grind
"""
COLLECT_SCHEMA = "grind.collect/1"
KEEP_DAYS = 14.0
"""Days that runs, snapshots and checkouts which nobody used stay."""
KEEP_RUNS = 10
"""Runs whose lanes and raw logs stay on the host; the masked logs are kept with the release."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_host(parser)
    parser.add_argument(
        "--days", type=float, metavar="N", help=f"days that unused things stay ({KEEP_DAYS:g})"
    )
    parser.add_argument(
        "--room",
        metavar="SIZE",
        help="room for all of a repository's, such as 20G; default: `disk` of [hosts.NAME]",
    )
    add_json(parser, "print one JSON document (schema grind.collect/1)")


def run(args: argparse.Namespace) -> int:
    """Remove what is old."""
    from grind.wiring import Session

    if args.days is not None and not 0 <= args.days < float("inf"):
        raise GrindError(f"{args.days} is no number of days", remedy="--days 14")
    try:
        session = Session(os.getcwd(), os.environ, args.host)
    except GrindError:
        if args.host not in (None, "local"):
            raise
        return _everywhere(args)
    from grind.commands.hosting import reach
    from grind.flows.basis import config_of

    config, _ = config_of(session.repository, session.repository.snapshot())
    chosen = reach(session, config, "remove old runs")
    collected = asyncio.run(_collect(session.hosts, chosen, _keeping(args, chosen)))
    return _tell(args, [(chosen.name, collected)])


def _everywhere(args: argparse.Namespace) -> int:
    """On this machine, for every repository that has a folder there."""
    from grind.core.config import Config
    from grind.wiring.hosts import hosts_of_all_repositories

    done = []
    for name, hosts in hosts_of_all_repositories(os.environ):
        chosen = hosts.chosen(Config())
        done.append((name, asyncio.run(_collect(hosts, chosen, _keeping(args, chosen)))))
    return _tell(args, done)


def _keeping(args: argparse.Namespace, chosen: Chosen) -> Keeping:
    from grind.core.room import kib_of
    from grind.flows.collect import Keeping

    room = args.room or chosen.config.disk
    try:
        kib = kib_of(room) if room else None
    except ValueError:
        raise GrindError(f"{room!r} is no size", remedy="--room 20G") from None
    days = KEEP_DAYS if args.days is None else args.days
    return Keeping(days * 86400.0, KEEP_RUNS if args.days is None else 0, kib)


async def _collect(hosts: Hosts, chosen: Chosen, keeping: Keeping) -> Collected:
    from grind.flows.collect import collect

    host = hosts.open(chosen)
    try:
        name, text = hosts.sizes_script()
        return await collect(host, keeping, hosts.clock, name=name, sizes=text)
    finally:
        await host.close()


def _tell(args: argparse.Namespace, done: list[tuple[str, Collected]]) -> int:
    if args.json:
        rows = [{"name": name, "before": c.before, "after": c.after} for name, c in done]
        sys.stdout.write(json.dumps({"schema": COLLECT_SCHEMA, "collected": rows}) + "\n")
        return int(ExitCode.DONE)
    for name, collected in done:
        room = ""
        if collected.before is not None and collected.after is not None:
            room = f": {collected.before >> 10} MiB, now {collected.after >> 10} MiB"
        sys.stdout.write(f"{name}: what was old is gone{room}\n")
    return int(ExitCode.DONE)

"""`grind doctor`: what a host has and lacks, each finding with its remedy."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.hosting import add_host
from grind.commands.options import add_json
from grind.core.errors import ExitCode, GrindError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from grind.core.doctor import Diagnosis
    from grind.core.hosts import Chosen
    from grind.core.receipt import Tool
    from grind.ports import Host
    from grind.wiring import Session
    from grind.wiring.hosts import Hosts

HELP = """say what the host has and lacks, each finding with its remedy

Works on a host that has almost nothing, and outside of a repository for this machine. Exit 0 when
grind can work there, 3 when something is missing, 7 when it cannot be reached."""
EXAMPLES = """\
  grind doctor                 the host that `grind check` would use
  grind doctor --host grind
  grind doctor --host local --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_host(parser)
    parser.add_argument(
        "--free-lock",
        metavar="TOKEN",
        help="let go of a lock whose holder is gone; its remedy names the token",
    )
    add_json(parser, "print one JSON document (schema grind.doctor/1)")


def run(args: argparse.Namespace) -> int:
    """Examine the host, print the findings."""
    from grind.core.doctor import DOCTOR_SCHEMA

    if args.free_lock is not None:
        return _free_lock(args)
    diagnosis = _diagnosis(args)
    if args.json:
        import msgspec

        document = {"schema": DOCTOR_SCHEMA, "fit": diagnosis.fit} | msgspec.to_builtins(diagnosis)
        sys.stdout.write(msgspec.json.encode(document).decode() + "\n")
    else:
        from grind.ui.choose import colour_wanted, size_of
        from grind.ui.doctor_text import render_doctor
        from grind.ui.words import signs_for

        width, _ = size_of(sys.stdout)
        colour = colour_wanted(sys.stdout, os.environ)
        signs = signs_for(sys.stdout.encoding)
        sys.stdout.write(render_doctor(diagnosis, min(width, 100), colour, signs))
    if not diagnosis.reachable:
        return int(ExitCode.UNREACHABLE)
    return int(ExitCode.DONE if diagnosis.fit else ExitCode.REFUSED)


def _diagnosis(args: argparse.Namespace) -> Diagnosis:
    from grind.wiring import Session

    try:
        session = Session(os.getcwd(), os.environ, args.host)
    except GrindError:
        if args.host not in (None, "local"):
            raise
        return _outside()
    from grind.commands.hosting import reach
    from grind.flows.basis import config_of

    config, _ = config_of(session.repository, session.repository.snapshot())
    host = reach(session, config, "look around")

    return asyncio.run(_examine(session.hosts, host, lambda there: _plan_tools(session, there)))


def _free_lock(args: argparse.Namespace) -> int:
    from grind.commands.hosting import reach
    from grind.core.holders import HostHolder
    from grind.flows.basis import config_of
    from grind.wiring import Session
    from grind.wiring.hostlock import host_lock

    session = Session(os.getcwd(), os.environ, args.host)
    config, _ = config_of(session.repository, session.repository.snapshot())
    chosen = reach(session, config, "let go of a lock")

    async def free() -> HostHolder:
        host = session.hosts.open(chosen)
        try:
            return await host_lock(host).free_stale(args.free_lock)
        finally:
            await host.close()

    left = asyncio.run(free())
    if args.json:
        import json

        freed = {"schema": "grind.doctor.freed/1", "token": left.token, "was": left.told()}
        sys.stdout.write(json.dumps(freed) + "\n")
    else:
        sys.stdout.write(f"let go of what {left.told()} had left\n")
    return int(ExitCode.DONE)


def _outside() -> Diagnosis:
    """This machine, outside of any repository."""
    from grind.core.config import Config
    from grind.wiring.hosts import hosts_without_repository

    hosts = hosts_without_repository(os.environ)
    return asyncio.run(_examine(hosts, hosts.chosen(Config()), None))


async def _examine(
    hosts: Hosts, chosen: Chosen, tools: Callable[[Host], Awaitable[Sequence[Tool]]] | None
) -> Diagnosis:
    from grind.flows.doctor import Visit, examine

    host = hosts.open(chosen)
    here = hosts.is_here(chosen)
    visit = Visit(
        host=host,
        ssh="" if here else chosen.config.ssh or "",
        clock=hosts.clock,
        script=hosts.doctor_script(),
        state=await hosts.state_on(host),
        tools=(lambda: tools(host)) if tools is not None else None,
    )
    try:
        return await examine(visit)
    finally:
        await host.close()


async def _plan_tools(session: Session, host: Host) -> Sequence[Tool]:
    """Plan as `grind plan` would, and return what the plan asked the host."""
    from grind.flows.basis import Options, find_basis
    from grind.flows.prepare import prepare

    options = Options()
    basis = find_basis(session.repository, options, session.labels_remembered)
    prepared = await prepare(
        session.repository, lambda _: host, options, session.labels_remembered, basis
    )
    return prepared.tools

"""What commands that use a host have in common: `--host`, and the yes before one is reached."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False  # on the path of a receipt hit, nothing heavy is imported
if TYPE_CHECKING:
    from collections.abc import Callable

    from grind.core.config import Config
    from grind.core.hosts import Chosen
    from grind.core.repository import Snapshot
    from grind.flows.basis import Basis, Options
    from grind.flows.prepare import Prepared
    from grind.wiring import Session
    from grind.wiring.workspace import Place

RUNS_STEPS = ("grind",)
"""Roles of the hosts that steps run on."""


def add_host(parser: argparse.ArgumentParser) -> None:
    """Declare `--host`."""
    parser.add_argument(
        "--host",
        metavar="NAME",
        help="a [hosts.NAME] of grind.toml, or `local` for this machine",
    )


def reach(session: Session, config: Config, what: str, roles: tuple[str, ...] = ()) -> Chosen:
    """Return the chosen host when it may be reached: its role fits (any does when none is named),
    and the user has said yes to it. This machine may always be reached.

    `what` is what is about to be done there, with a verb: "run steps".

    Raises:
        RefusedError: its role does not fit, or nobody said yes.
    """
    from grind.core.hosts import require_role

    host = session.chosen(config)
    if roles:
        require_role(host, roles, f"grind does not {what}")
    if not session.hosts.is_here(host):
        from grind.commands.trusting import require_trust

        require_trust(session, config, f"{what} on {host.name} (ssh {host.config.ssh})")
    return host


def labels_for(session: Session, what: str) -> Callable[[Config], frozenset[str]]:
    """Return the host's labels as `find_basis` asks for them: that is where it is first reached."""

    def labels(config: Config) -> frozenset[str]:
        reach(session, config, what, RUNS_STEPS)
        return session.labels(config)

    return labels


async def prepare_on_host(session: Session, options: Options, basis: Basis) -> Prepared:
    """Return the plan, with the chosen host's own answers; let go of the host."""
    from grind.wiring import proofs

    return await proofs.prepare_on_host(session, options, basis, basis.config)


def reach_workspace(session: Session, config: Config, what: str) -> tuple[Place, Chosen]:
    """Return where the chosen host's workspace is, when it may be touched: one on this machine that
    is not this repository itself needs the user's yes as well.

    Raises:
        GrindError: grind.toml names none; RefusedError: nobody said yes.
    """
    from grind.wiring.workspace import workspace_of

    chosen = reach(session, config, what)
    place = workspace_of(session, chosen)
    if place.path != session.repository.top:
        from grind.commands.trusting import require_trust

        require_trust(session, config, f"{what} ({place.told})")
    return place, chosen


def add_from_host(parser: argparse.ArgumentParser) -> None:
    """Declare `--from-host`."""
    parser.add_argument(
        "--from-host",
        action="store_true",
        help="take what is edited in the host's own workspace in place of the working copy",
    )


def snapshot_from_host(session: Session) -> Snapshot:
    """Take the snapshot of what is edited in the workspace of the chosen host; its objects come
    into the private repository, and, where they are somebody's commits, into the user's.

    Raises:
        RefusedError: nobody said yes to the host, or its tree cannot be taken.
    """
    import asyncio

    from grind.flows.basis import config_of
    from grind.flows.sync import take

    config, _ = config_of(session.repository, session.repository.snapshot())
    place, chosen = reach_workspace(session, config, "take what is edited in its workspace")

    async def taking() -> Snapshot:
        host = session.hosts.open(chosen)
        try:
            repository = session.repository
            return await take(place.on(host), repository, repository, place.told)
        finally:
            await host.close()

    snapshot = asyncio.run(taking())
    if snapshot.head is not None:
        session.repository.take_into_users(snapshot.head)
    return snapshot


def bring_workspace_along(session: Session, basis: Basis, tree: str) -> None:
    """After a landing: bring the chosen host's workspace to what landed, when it has one and holds
    nothing else. What is in the way is said, and changes nothing: what landed has landed."""
    import asyncio
    import sys

    from grind.core.errors import GrindError
    from grind.core.workspace import Blocked, Forwarded, told
    from grind.flows.sync import after_landing
    from grind.wiring.hostlock import operator

    chosen = session.chosen(basis.config)
    if chosen.config.workspace is None:
        return
    here = session.hosts.is_here(chosen)
    if here and chosen.config.workspace == session.repository.top:
        return  # the local branch has followed already
    place, _ = reach_workspace(session, basis.config, "bring its workspace to what landed")

    async def settle() -> Forwarded | Blocked | object:
        host = session.hosts.open(chosen)
        try:
            who = operator(session.environ)
            return await after_landing(place.on(host), basis.target, who, tree)
        finally:
            await host.close()

    try:
        answer = asyncio.run(settle())
    except GrindError as error:
        sys.stderr.write(f"grind: {place.told} was not brought along: {error.message}\n")
        return
    if isinstance(answer, Blocked):
        sys.stderr.write(f"grind: {place.told} was left alone: {told(answer)}\n")
    elif isinstance(answer, Forwarded):
        sys.stderr.write(f"grind: {place.told} is at {answer.new[:12]} now\n")

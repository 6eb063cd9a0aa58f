"""What commands that use a host have in common: `--host`, and the yes before one is reached."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False  # on the path of a receipt hit, nothing heavy is imported
if TYPE_CHECKING:
    from collections.abc import Callable

    from grind.core.config import Config
    from grind.core.hosts import Chosen
    from grind.flows.basis import Basis, Options
    from grind.flows.prepare import Prepared
    from grind.wiring import Session

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
    from grind.flows.prepare import prepare

    host = session.host(basis.config)
    try:
        prepared = await prepare(
            session.repository, lambda _: host, options, session.labels_remembered, basis
        )
    finally:
        await host.close()
    session.hosts.recognise(session.chosen(basis.config), prepared.identity)
    return prepared

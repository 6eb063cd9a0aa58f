"""`grind probe`: ask the health probes of grind.toml, and say what answered."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.hosting import add_host
from grind.commands.options import add_json
from grind.core.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from grind.core import events as e
    from grind.core.config import Config
    from grind.core.health import ProbeContext, ProbeReport
    from grind.core.probe import Probe
    from grind.flows.basis import Basis
    from grind.wiring import Session

_LOOKED_AT = 20
"""Releases and activations whose journals are read."""

HELP = "ask the health probes of grind.toml: values, not just an answer"
EXAMPLES = """\
  grind probe                       the probes for this host's role
  grind probe api queue             these alone
  grind probe --host web-1          from there, those for its role
  grind probe --role prod           those of a role
  grind probe --revision v1.4.0     it must be this revision that answers (default: HEAD)
  grind probe --json | jq -r '.probes[] | select(.green | not).name'
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="only the probes of these names")
    add_host(parser)
    parser.add_argument(
        "--role", metavar="ROLE", help="the probes of this role (default: the host's)"
    )
    parser.add_argument(
        "--revision",
        metavar="REV",
        default="HEAD",
        help="the commit that must answer where a probe asks for one (default: %(default)s)",
    )
    add_json(parser, "print the outcome as one JSON document (schema grind.probe/1)")


def run(args: argparse.Namespace) -> int:
    """Ask; return 0 when all are green, 1 when one is red, 7 when a host does not answer."""
    from grind.core.config import FILE
    from grind.flows.basis import Options, find_basis
    from grind.flows.probe import choose, places_of
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ, args.host)
    basis = find_basis(session.repository, Options(), no_labels)
    role = args.role or session.chosen(basis.config).config.role
    probes = choose(basis.config.probe, role=role, names=args.names)
    require_probing(session, basis.config, probes)
    places = places_of(basis.config_blob, basis.config.probe, FILE)
    context = context_for(session, probes, args.revision)._replace(places=places)
    try:
        report = asyncio.run(_ask(session, basis, probes, context, quiet=args.json))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    code = exit_code(report)
    _tell(session, args, report, context, role if not args.names else None, code)
    return int(code)


def no_labels(_: Config) -> frozenset[str]:
    """Return no labels: no probe hangs on them, and no host is asked for them."""
    return frozenset()


def require_probing(session: Session, config: Config, probes: Sequence[Probe]) -> None:
    """Return when these probes may be asked: the user has said yes to whatever they run, and to
    every host that they are asked from. To connect from this machine needs no yes.

    Raises:
        GrindError: there is no such host; RefusedError: nobody said yes.
    """
    from grind.commands.hosting import reach
    from grind.commands.trusting import require_trust
    from grind.core.hosts import chosen_host

    if any(probe.place != "client" and probe.host is None for probe in probes):
        reach(session, config, "ask probes")
    for name in dict.fromkeys(probe.host for probe in probes if probe.host is not None):
        host = chosen_host(config, name)
        if not session.hosts.is_here(host):
            require_trust(session, config, f"ask probes on {name} (ssh {host.config.ssh})")
    running = [probe.name for probe in probes if probe.command or probe.place == "container"]
    if running:
        require_trust(session, config, f"run what the probes {', '.join(running)} say")


def context_for(session: Session, probes: Sequence[Probe], revision: str) -> ProbeContext:
    """Return what must answer. The revision is only looked up when a probe asks for it.

    Raises GrindError for a revision that does not exist.
    """
    from grind.core.health import ProbeContext

    if all(probe.revision is None for probe in probes):
        return ProbeContext()
    snapshot = session.repository.snapshot(session.repository.resolve(revision))
    return ProbeContext(
        commit=snapshot.commit, tree=snapshot.tree, same=commits_of(session, snapshot.tree)
    )


def commits_of(session: Session, tree: str) -> tuple[str, ...]:
    """Return the commits that grind made for snapshots of this tree here: what was activated before
    it was committed answers with one of them, and is the very same."""
    from grind.core.events import RunStarted
    from grind.core.hostevents import ActivateStarted

    store = session.store
    found: list[str] = []
    for folder in (*store.activations()[:_LOOKED_AT], *store.releases()[:_LOOKED_AT]):
        with session.journal(folder) as journal:
            for entry in journal.read():
                event = entry.event
                if isinstance(event, RunStarted | ActivateStarted) and event.tree == tree:
                    found.append(event.commit)
    return tuple(dict.fromkeys(commit for commit in found if commit))


def exit_code(report: ProbeReport) -> ExitCode:
    """Return what a report means for who called."""
    if report.healthy:
        return ExitCode.DONE
    only_unreached = all(not row.reached for row in report.red)
    return ExitCode.UNREACHABLE if report.rows and only_unreached else ExitCode.STEP_FAILED


async def _ask(
    session: Session,
    basis: Basis,
    probes: Sequence[Probe],
    context: ProbeContext,
    *,
    quiet: bool,
) -> ProbeReport:
    from grind.core import events as e
    from grind.flows.probe import run_probes
    from grind.ui.choose import colour_wanted
    from grind.ui.probe_text import about, look_line
    from grind.ui.words import Paint, signs_for
    from grind.wiring.probing import ProbeHosts, probe_inputs

    paint = Paint(colour_wanted(sys.stdout, session.environ))
    signs = signs_for(sys.stdout.encoding)
    hosts = ProbeHosts(session, basis.config)

    def show(event: e.Event) -> None:
        if not quiet and isinstance(event, e.ProbeLooked):
            sys.stdout.write(look_line(event, paint, signs) + "\n")
            sys.stdout.flush()

    if not quiet and context.commit and context.tree:
        sys.stdout.write(paint.faint(about(context.commit, context.tree)) + "\n")
    try:
        host = hosts.main()
        return await run_probes(probe_inputs(session, hosts, host, show), probes, context)
    finally:
        await hosts.close()


def _tell(
    session: Session,
    args: argparse.Namespace,
    report: ProbeReport,
    context: ProbeContext,
    role: str | None,
    code: ExitCode,
) -> None:
    from grind.ui.probe_text import PROBE_SCHEMA, ProbeDocument, table

    if args.json:
        import msgspec

        document = ProbeDocument(
            host=report.host,
            role=role or "",
            commit=context.commit or "",
            tree=context.tree or "",
            healthy=report.healthy,
            exit_code=int(code),
            seconds=report.seconds,
            probes=report.rows,
        )
        told = {"schema": PROBE_SCHEMA, **msgspec.to_builtins(document)}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
        return
    from grind.ui.choose import colour_wanted, size_of
    from grind.ui.words import Paint, signs_for

    paint = Paint(colour_wanted(sys.stdout, session.environ))
    sys.stdout.write("\n")
    for line in table(
        report, paint, signs_for(sys.stdout.encoding), max(size_of(sys.stdout)[0], 80)
    ):
        sys.stdout.write(line + "\n")

"""`grind run`: the whole loop, from the snapshot to verified live, as one release."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from grind.commands.after_red import add_red_arguments
from grind.commands.hosting import add_host
from grind.commands.options import add_json
from grind.commands.rollback_code import add_accept_weakened
from grind.core.errors import ExitCode, GrindError
from grind.core.loop import LoopEnded, LoopStarted, Phase, PhaseEnded, PhaseStarted, phases

if TYPE_CHECKING:
    from grind.adapters.store import ReleaseFolder
    from grind.commands.looping import Turn
    from grind.core.loop import Loop
    from grind.wiring import Session

HELP = "the whole loop: check, activate, land, watch, verify live; one release, taken up again"
EXAMPLES = """\
  grind run -m "Count from one"    from what is here to verified live
  grind run                        go on with what was cut off
  grind run -m "…" --until land    push it, and leave CI to itself
  grind run --from watch           follow what landed last to its end
  grind run -m "…" --json | jq -r 'select(.event.type == "phase.ended").event'
"""

_LOOKED_AT = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    names = tuple(str(phase) for phase in Phase)
    parser.add_argument("-m", "--message", metavar="TEXT", help="the commit's message")
    parser.add_argument(
        "--from",
        dest="first",
        choices=names,
        metavar="PHASE",
        help=f"begin with this phase: {', '.join(names)}",
    )
    parser.add_argument(
        "--until", dest="last", choices=names, default="verify", metavar="PHASE", help="end with it"
    )
    add_host(parser)
    parser.add_argument("--timeout", metavar="TIME", help="how long to wait for CI (default: 2h)")
    parser.add_argument("--api", metavar="URL", help="the API of a GitHub Enterprise Server")
    parser.add_argument("--repo", metavar="[HOST/]OWNER/NAME", help="the repository at the forge")
    add_accept_weakened(parser)
    add_red_arguments(parser)
    add_json(parser, "write the loop as one stream of NDJSON events (schema grind.events/1)")


def run(args: argparse.Namespace) -> int:
    """Run the phases in order; return the exit code of the one that stops it, or 0."""
    from grind.wiring import Session
    from grind.wiring.looping import LoopSession

    first, last = Phase(args.first or "check"), Phase(args.last)
    chosen = phases(first, last)
    if not chosen:
        raise GrindError(f"--from {first} comes after --until {last}", remedy="grind run --help")
    plain = Session(os.getcwd(), os.environ, args.host)
    with LoopSession.lock_of(plain):
        return _run(plain, args, chosen)


def _run(plain: Session, args: argparse.Namespace, chosen: tuple[Phase, ...]) -> int:
    from grind.commands.looping import Turn
    from grind.wiring.looping import LoopSession

    tree = plain.repository.snapshot().tree
    folder, before = _where(plain, tree)
    turn = Turn(LoopSession(plain, folder), args, before)
    turn.refuse_early(chosen)
    begun = plain.clock.now()
    turn.record(
        LoopStarted(
            release=folder.id,
            tree=tree,
            phases=tuple(map(str, chosen)),
            message=(args.message or "").partition("\n")[0],
            resumed=before.cut_off,
        )
    )
    try:
        return _loop(turn, chosen, begun)
    finally:
        turn.close()


def _where(session: Session, tree: str) -> tuple[ReleaseFolder, Loop]:
    """Return the release to work in, and what is done of it: one of this tree that was cut off, else
    a new one."""
    from grind.commands.past import past_of
    from grind.commands.selecting import command_line
    from grind.core.loop import Loop, fold_loop
    from grind.core.release import State

    for folder in session.store.releases()[:_LOOKED_AT]:
        with session.journal(folder) as journal:
            loop = fold_loop(entry.event for entry in journal.read())
        if loop.started is None:
            continue
        if not loop.cut_off or loop.started.tree != tree:
            break
        past = past_of(session, whole=False)
        checking = past.last is not None and past.last.state is State.CHECKING
        mine = past.folder is not None and past.folder.id == folder.id
        if checking and not (mine and past.is_cut_off(command_line())):
            break
        return folder, loop
    return session.store.new_release(session.clock.now()), Loop()


def _loop(turn: Turn, chosen: tuple[Phase, ...], begun: float) -> int:
    """Go through the phases; the first that does not end well ends the loop."""
    verified = False
    for phase in chosen:
        turn.record(PhaseStarted(phase))
        at = turn.now()
        try:
            outcome = turn.take(phase)
        except GrindError as error:
            _ended(turn, phase, int(error.code), error.message, at)
            _over(turn, begun, int(error.code), phase, error.message)
            raise
        verified = verified or (phase is Phase.VERIFY and outcome.state == "done")
        turn.record(
            PhaseEnded(
                phase=phase,
                state=outcome.state,
                exit_code=outcome.code,
                reason=outcome.reason,
                commit=turn.commit,
                duration=turn.now() - at,
            )
        )
        if outcome.code:
            code = turn.after_red(phase, outcome.code)
            return _over(turn, begun, code, phase, outcome.reason)
    return _over(turn, begun, int(ExitCode.DONE), None, "", verified=verified)


def _ended(turn: Turn, phase: Phase, code: int, reason: str, at: float) -> None:
    turn.record(
        PhaseEnded(
            phase=phase,
            state="failed",
            exit_code=code,
            reason=reason,
            commit=turn.commit,
            duration=turn.now() - at,
        )
    )


def _over(
    turn: Turn,
    begun: float,
    code: int,
    phase: Phase | None,
    reason: str,
    *,
    verified: bool = False,
) -> int:
    turn.record(
        LoopEnded(
            exit_code=code,
            stopped=phase or "",
            reason=reason,
            commit=turn.commit,
            verified=verified,
            duration=turn.now() - begun,
        )
    )
    return code

"""What of a plan a run carries out, and in which release: a new one, or one that was cut off."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from grind.commands.past import Past
from grind.core.errors import GrindError
from grind.core.plan import StepClass
from grind.core.release import State
from grind.core.texts import one_line
from grind.flows import check as flow
from grind.flows.prepare import Prepared

if TYPE_CHECKING:
    from grind.adapters.store import ReleaseFolder
    from grind.ports import Host
    from grind.wiring import Session


def command_line() -> str:
    """Return what was typed after `grind`, as a journal records it."""
    import shlex

    return shlex.join(sys.argv[1:])


def is_same(past: Past, prepared: Prepared) -> bool:
    """Whether the last release was for this very plan, on this host as it is."""
    whole = prepared.whole
    return past.is_of(whole.tree, whole.digest, prepared.ground)


async def release_for(
    session: Session, host: Host, prepared: Prepared, past: Past
) -> tuple[ReleaseFolder, bool]:
    """Return the release to run in: the last one, when exactly this run of it was cut off.

    A run that was cut off in another plan may still be going on by itself: it is ended first.
    """
    if past.folder is not None and past.last is not None and past.last.state is State.CHECKING:
        there = past.last.started.host if past.last.started is not None else host.name
        if is_same(past, prepared) and past.is_cut_off(command_line()) and there == host.name:
            return past.folder, True
        if there == host.name:
            await host.abandon(past.folder.id)
        else:
            sys.stderr.write(
                f"grind: the last run was cut off on {one_line(there)} and may go on there; "
                f"`grind cancel {past.folder.id}` ends it\n"
            )
    return session.store.new_release(session.clock.now()), False


def selection_of(
    prepared: Prepared,
    args: argparse.Namespace,
    *,
    klass: StepClass | None,
    past: Past,
    resumed: bool,
) -> flow.Selection:
    """Return what `args` select. Raises GrindError when that is nothing."""
    if klass is not None:
        return flow.select_class(prepared, klass)
    if args.fast:
        if not prepared.checks.jobs:
            raise GrindError(
                "there is no [[check]] in grind.toml, so `--fast` has nothing to run",
                remedy="grind check",
            )
        return flow.Selection(None, frozenset())
    if args.failed:
        if resumed and past.last is not None and past.last.started is not None:
            chosen = frozenset(job.key for job in past.last.started.jobs)
            return flow.Selection(chosen, chosen)
        selection = flow.select_failed(prepared, past.conclusions)
        if not (selection.checks or selection.jobs):
            raise GrindError("nothing was red in the last run", remedy="grind check")
        return selection
    if args.names:
        return flow.select_jobs(prepared, args.names)
    if args.workflow:  # a part, even when it is all there is: it proves nothing of the others
        return flow.Selection(frozenset(), frozenset(job.key for job in prepared.plan.jobs))
    return flow.Selection(None, None)

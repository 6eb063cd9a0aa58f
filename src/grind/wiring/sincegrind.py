"""What grind's own records tell of a repository: for `grind stats`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from grind.core import events as e
from grind.core.errors import GrindError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from grind.core.history import SinceGrind
    from grind.wiring import Session

_COMMITS = 5000
_SHOWN = 20


def since_grind(folder: str, environ: Mapping[str, str]) -> SinceGrind | None:
    """Return it; None where grind has no records, or the folder is in no repository of its own."""
    from grind.wiring import Session

    if not _may_know(os.path.abspath(folder)):
        return None
    try:
        session = Session(folder, environ)
        return _told(session)
    except GrindError:
        return None


def _may_know(folder: str) -> bool:
    """Whether grind has ever been here, as far as can be told without asking git."""
    while not os.path.lexists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return True
        folder = above
    place = os.path.join(folder, ".git")
    if not os.path.isdir(place):
        return True  # a linked working copy
    traces = ("grind", "refs/notes/grind")
    return any(os.path.exists(os.path.join(place, trace)) for trace in traces)


def _told(session: Session) -> SinceGrind | None:
    from grind.core.history import SinceGrind

    pushed = _pushed(session)
    known = {tree for tree, _ in session.store.receipts()} | set(session.repository.noted_trees())
    known |= {one.tree for one, _ in pushed}
    refusals = session.store.refusals()
    if not known and not refusals:
        return None
    bypassed = _bypassed(session, known)
    ends = [end for one, _ in pushed if (end := _ended(session, one.oid)) is not None]
    clean = [at for end, at in ends if end.verdict == "clean"]
    return SinceGrind(
        releases=len(pushed),
        watched=len(ends),
        first_push_green=len(clean),
        first_green_minutes=_minutes_to([at for _, at in pushed], clean),
        gate_refusals=refusals,
        bypasses=len(bypassed),
        bypassed=tuple(bypassed[:_SHOWN]),
    )


def _pushed(session: Session) -> list[tuple[e.LandPushed, float]]:
    """Return each commit that was landed, and when."""
    found: dict[str, tuple[e.LandPushed, float]] = {}
    for release in session.store.releases():
        with session.journal(release) as journal:
            for entry in journal.read():
                if isinstance(entry.event, e.LandPushed):
                    found[entry.event.oid] = (entry.event, entry.at)
    return list(found.values())


def _ended(session: Session, commit: str) -> tuple[e.WatchEnded, float] | None:
    """Return the last settled verdict on a commit, and when it was known; one that was given up has none."""
    with session.journal(session.store.watch(commit)) as journal:
        ends = [
            (one.event, one.at) for one in journal.read() if isinstance(one.event, e.WatchEnded)
        ]
    return ends[-1] if ends and not ends[-1][0].reason else None


def _minutes_to(pushed: list[float], clean: list[float]) -> float | None:
    return (min(clean) - min(pushed)) / 60 if clean and min(clean) >= min(pushed) else None


def _bypassed(session: Session, known: set[str]) -> list[str]:
    """Return the commits on the remote's main branch that came after the first proven one and have
    no receipt, the newest first. Only the line of first parents: what a merge brings along was
    never the tip of the branch."""
    repository = session.repository
    remote = repository.remote()
    tip = repository.tip(remote, repository.main_branch(None, remote)) if remote else None
    if tip is None:
        return []
    line = repository.first_parents(tip, _COMMITS)
    oldest = max((n for n, commit in enumerate(line) if commit.tree in known), default=-1)
    return [commit.oid for commit in line[: oldest + 1] if commit.tree not in known]

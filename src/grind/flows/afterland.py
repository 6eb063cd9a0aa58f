"""What belongs to a landing beside the push: a status before it where the repository asks for one,
and after it the receipts, the status, the pull request. Each with an intent on disk first, each safe
to repeat, and none done twice when the journal says that it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from grind.core import events as e
from grind.core.errors import GrindError

STATUS_CONTEXT = "grind/prove"


class Effect(NamedTuple):
    """One thing to do for a commit."""

    what: str
    """`staged`, `status`, `notes`, `unstaged`, `pull`: see `LandStep`."""
    act: Callable[[], str]
    """Does it and says what came of it. Raises GrindError."""


def done_for(entries: Iterable[e.Entry], oid: str) -> frozenset[str]:
    """Return what a journal says is done for a commit."""
    steps = [entry.event for entry in entries if isinstance(entry.event, e.LandStep)]
    return frozenset(one.what for one in steps if one.oid == oid and one.state == "done")


def carry_out(
    oid: str,
    effects: Sequence[Effect],
    done: frozenset[str],
    record: Callable[[e.Event], None],
) -> list[str]:
    """Do what is not done, in order; raise what goes wrong. Returns what came of each."""
    told = []
    for effect in effects:
        if effect.what in done:
            continue
        record(e.LandStep(what=effect.what, state="intent", oid=oid))
        try:
            detail = effect.act()
        except GrindError as error:
            record(e.LandStep(what=effect.what, state="failed", oid=oid, detail=error.message))
            raise
        record(e.LandStep(what=effect.what, state="done", oid=oid, detail=detail))
        if detail:
            told.append(detail)
    return told


def carry_out_all(
    oid: str,
    effects: Sequence[Effect],
    done: frozenset[str],
    record: Callable[[e.Event], None],
) -> tuple[list[str], list[GrindError]]:
    """The same after the push, when nothing can be taken back: what goes wrong is collected, and
    the rest is done all the same."""
    told: list[str] = []
    wrong: list[GrindError] = []
    for effect in effects:
        try:
            told += carry_out(oid, [effect], done, record)
        except GrindError as error:
            wrong.append(error)
    return told, wrong

"""What earlier runs tell of the one to come."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grind.core.errors import GrindError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from grind.core.timeline import Timeline
    from grind.ui.face import Outlook
    from grind.wiring import Session

_LOOKED_AT = 8
"""Releases: enough for a median, few enough to be read before a run."""


def outlook_of(session: Session, parallel: int) -> Outlook:
    """Return how long each job took in the last releases of this repository."""
    from grind.core.estimate import typical
    from grind.ui.face import Outlook

    return Outlook(typical(_pictures(session)), parallel)


def _pictures(session: Session) -> Iterator[Timeline]:
    from grind.core.timeline import timeline

    for folder in session.store.releases()[:_LOOKED_AT]:
        try:
            with session.journal(folder) as journal:
                picture = timeline(journal.read())
        except GrindError:  # an estimate is no reason to stop; whoever needs the journal says so
            continue
        if picture is not None:
            yield picture

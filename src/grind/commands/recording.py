"""What a run leaves: events in the journal and on the screen, and its receipt."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from grind.core import events as e
from grind.wiring import proofs

if TYPE_CHECKING:
    from grind.ui.face import Face
    from grind.wiring import Session


def keeper(session: Session, record: Callable[[e.Event], None]) -> Callable[[str, bytes], str]:
    """Return how a receipt is kept: signed where it can be, and told where it cannot."""

    def keep(tree: str, data: bytes) -> str:
        kept = proofs.keep(session, tree, data)
        if kept.problem:
            record(e.Note("warning", f"{kept.problem} (→ {kept.remedy})"))
        return kept.path

    return keep


class Recorder:
    """Journal first, then the face; output goes to the face alone."""

    def __init__(
        self,
        session: Session,
        append: Callable[[e.Event], tuple[e.Entry, ...]],
        face: Face,
    ) -> None:
        self._now = session.clock.now
        self._append = append
        self._face = face

    def __call__(self, event: e.Event) -> None:
        """Write an event down, and show it."""
        if isinstance(event, e.StepOutput):
            self._face.show(e.Entry(e.EVENTS_SCHEMA, 0, self._now(), event))
            return
        for entry in self._append(event):
            self._face.show(entry)

"""Receipts on their way to others."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grind.wiring import Session


def note_own(session: Session, tree: str) -> bool:
    """Note the own receipt of a tree in the user's repository; False when there is none."""
    own = session.store.receipt(tree)
    if own is None:
        return False
    session.repository.note(tree, own)
    return True


def share(session: Session, tree: str, remote: str) -> bool:
    """Note the own receipt of a tree and push the notes; False when there is nothing to push.

    Raises UnreachableError, RefusedError when the remote does not take it.
    """
    noted = note_own(session, tree)
    return (noted or tree in session.repository.noted_trees()) and session.repository.push_notes(
        remote
    )

"""What a push changes, as change filters ask for it. A value; who asks git is elsewhere."""

from __future__ import annotations

from typing import NamedTuple

from grind.core.repository import ChangedFile


class Changes(NamedTuple):
    """The files that differ from where the branch was, and the names for the two ends."""

    files: tuple[ChangedFile, ...] | None
    """None when nothing differs, or when there is nothing to compare with: then filters count as
    matched, as path filters do."""
    event: str
    heads: frozenset[str]
    """Names for what is checked out: its commit, its ref, the ref's short name."""
    bases: frozenset[str]
    """Names for what it is compared with: the main branch, and the commit it was at."""

    @property
    def told(self) -> str:
        """How many files differ, in words."""
        if self.files is None:
            return "no difference from a base is known, so every filter counts as matched"
        return f"{len(self.files)} changed file{'' if len(self.files) == 1 else 's'}"

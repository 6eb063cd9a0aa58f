"""What rules say: hits, claims about the tree, and the rules themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from grind.core.findings import ERROR, HIGH, LOW, MEDIUM, NOTE, SEVERITIES, WARNING, RuleDoc

if TYPE_CHECKING:
    from grind.rules.treefacts import TreeFacts
    from grind.rules.units import View


class Edit(msgspec.Struct, frozen=True, array_like=True):
    """Replace `start:end` (byte offsets of the file) by `text`."""

    start: int
    end: int
    text: str


class NewFile(msgspec.Struct, frozen=True, array_like=True):
    """A file that a fix adds."""

    path: str
    text: str


class Claim(msgspec.Struct, frozen=True, array_like=True):
    """A hit that holds only if the tree says so; its rule's `judge` decides."""

    kind: str
    path: str
    more: tuple[str, ...] = ()


class Hit(msgspec.Struct, frozen=True, array_like=True):
    """What a rule found, at byte offsets of the file."""

    rule: str
    start: int
    end: int
    message: str
    severity: str
    confidence: str
    edits: tuple[Edit, ...] = ()
    new_files: tuple[NewFile, ...] = ()
    claim: Claim | None = None


class Rule(NamedTuple):
    """One rule: its documentation and its functions, both pure."""

    id: str
    severity: str
    """The severity its hits have when nothing special is known."""
    what: str
    why: str
    seen: str
    """The failure that really happened."""
    bad: str
    good: str
    check: Callable[[View], Iterable[Hit]]
    judge: Callable[[Hit, TreeFacts], Hit | None] | None = None

    @property
    def doc(self) -> RuleDoc:
        """What a person reads about it."""
        return RuleDoc(self.id, self.severity, self.what, self.why, self.seen, self.bad, self.good)


def lower(severity: str) -> str:
    """One step quieter."""
    return SEVERITIES[max(0, SEVERITIES.index(severity) - 1)]


__all__ = [
    "ERROR",
    "HIGH",
    "LOW",
    "MEDIUM",
    "NOTE",
    "WARNING",
    "Claim",
    "Edit",
    "Hit",
    "NewFile",
    "Rule",
    "lower",
]

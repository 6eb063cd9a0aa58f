"""Drift: where what CI runs and what is run here are not the same list of commands.

One value that `grind plan --drift` prints, as text or as the document `grind.drift/1`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

DRIFT_SCHEMA = "grind.drift/1"


class SiteKind(StrEnum):
    """What kind of text a command stands in."""

    WORKFLOW = "workflow"
    CHECK = "check"
    JUST = "just"
    MAKE = "make"
    NPM = "npm"
    SCRIPT = "script"
    HOOK = "hook"


class Site(Struct, frozen=True, kw_only=True):
    """Where a command stands."""

    kind: SiteKind
    file: str
    line: int
    name: str
    """What a person calls it: `test › Unit tests`, `just pre-push`, the name of a `[[check]]`."""
    active: bool = True
    """For workflows: whether CI would run it for this event."""
    note: str = ""
    """For workflows: what keeps it from being active; elsewhere `over ssh` and the like."""


class Side(Struct, frozen=True, kw_only=True):
    """A command as it is compared, and every place it stands in."""

    command: str
    """Normalised: wrappers, environment prefixes and what only changes the output are gone."""
    folder: str
    """Where it runs, relative to the repository's root; empty for the root."""
    sites: tuple[Site, ...]


class Missing(Struct, frozen=True, kw_only=True):
    """CI runs it for this event, and nothing here does."""

    command: str
    folder: str
    sites: tuple[Site, ...]
    reason: str
    """Why the plan does not carry it out, or that what people run before a push does not."""
    planned: bool = False
    """Whether `grind check` carries it out all the same."""
    by_design: bool = False
    """A deploy or a notification: never executed here, listed, and no drift."""


class Different(Struct, frozen=True, kw_only=True):
    """The same program and subcommand, called in another way."""

    ci: Side
    here: Side


class NonGating(Struct, frozen=True, kw_only=True):
    """A step of CI whose failure does not turn CI red."""

    site: Site
    reason: str


class Unread(Struct, frozen=True, kw_only=True):
    """A text that could not be compared whole."""

    site: Site
    reason: str


class Excepted(Struct, frozen=True, kw_only=True):
    """A difference that grind.toml declares, with its reason."""

    kind: str
    """`missing`, `extra` or `different`."""
    command: str
    reason: str


class Drift(Struct, frozen=True, kw_only=True):
    """Everything that differs."""

    tree: str
    event: str
    ref: str
    compared: tuple[int, int]
    """How many different commands CI and this side have."""
    rehearsals: tuple[Site, ...] = ()
    """What people run before a push, by its name: compared with CI as a whole."""
    missing: tuple[Missing, ...] = ()
    extra: tuple[Side, ...] = ()
    """Checks that CI does not run for this event, nor in any other workflow."""
    different: tuple[Different, ...] = ()
    non_gating: tuple[NonGating, ...] = ()
    inactive: tuple[Side, ...] = ()
    """What only workflows and jobs run that are not active for this event."""
    unread: tuple[Unread, ...] = ()
    excepted: tuple[Excepted, ...] = ()
    unused: tuple[str, ...] = ()
    """Commands of `[[drift]]` that match nothing."""

    @property
    def drifted(self) -> bool:
        """Whether anything is missing, extra or different that is not declared."""
        missing = [one for one in self.missing if not one.by_design]
        return bool(missing or self.extra or self.different)


def document(drift: Drift) -> dict[str, Any]:
    """Return the `grind.drift/1` document that `grind plan --drift --json` prints."""
    row: dict[str, Any] = msgspec.to_builtins(drift)
    return {"schema": DRIFT_SCHEMA, "drifted": drift.drifted} | row

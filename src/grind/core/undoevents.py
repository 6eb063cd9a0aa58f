"""What happens while a landed change or a running service is rolled back, as events of the journal.

A rollback of a host has the events of an activation (`grind.core.hostevents`).
"""

from __future__ import annotations

from msgspec import Struct


class RollbackPlanned(Struct, frozen=True, tag="rollback.planned", kw_only=True):
    """What would be undone, shown before anything is."""

    kind: str
    """`code` or `runtime`."""
    what: str
    """The commit, or the units, in a sentence."""
    where: str
    """The branch of the remote, or the host."""
    steps: tuple[str, ...] = ()
    """What would be done, in order."""


class RollbackIntent(Struct, frozen=True, tag="rollback.intent", kw_only=True):
    """About to undo it."""

    kind: str
    what: str
    where: str
    reason: str = ""
    proven: bool = True
    """False when it is done at once, without running the checks (`--now`)."""


class UnitRestarting(Struct, frozen=True, tag="unit.restarting", kw_only=True):
    """About to restart a unit of a host."""

    host: str
    unit: str


class UnitRestarted(Struct, frozen=True, tag="unit.restarted", kw_only=True):
    """The unit was restarted, or not."""

    host: str
    unit: str
    ok: bool
    problem: str = ""
    seconds: float = 0.0


class RollbackEnded(Struct, frozen=True, tag="rollback.ended", kw_only=True):
    """The rollback has its result: the record of it.

    `state` is `undone`, `nothing` (there was nothing to undo), `unhealthy` (undone, and the probes are
    red), `failed`, or `planned`.
    """

    kind: str
    state: str
    exit_code: int
    reason: str = ""
    commit: str = ""
    """The revert commit, for code."""
    tree: str = ""
    healthy: bool | None = None
    """Whether the probes were green afterwards; None when none were asked."""
    duration: float = 0.0


UndoEvent = RollbackPlanned | RollbackIntent | UnitRestarting | UnitRestarted | RollbackEnded

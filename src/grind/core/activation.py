"""An activation, as values: what the supervisor is told, what its record says, what that means.

The words of the record are those of the supervisor (adapters/supervisor/*.sh); a test holds the two
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from msgspec import Struct

from grind.core.hostevents import ActivateEnded, ActivateIntent

SPEC_VERSION = "grind-activation/1"


class Phase(StrEnum):
    """Where an activation stands on the host, as its record says."""

    BEGUN = "begun"
    WORKING = "working"
    SWITCHING = "switching"
    SET = "set"
    SWITCHED = "switched"
    WAITING = "waiting"
    WARNING = "warning"
    GOING_BACK = "going-back"
    ACKNOWLEDGED = "acknowledged"
    ROLLED_BACK = "rolled-back"
    ROLLBACK_FAILED = "rollback-failed"
    REFUSED = "refused"
    KEPT = "kept"

    @property
    def final(self) -> bool:
        """Whether nothing follows it."""
        return self in _FINAL

    @property
    def wants_probes(self) -> bool:
        """Whether the supervisor waits for somebody to look at the host."""
        return self is Phase.WAITING

    @property
    def touched(self) -> bool:
        """Whether the host may have been changed when this is the last thing that is known."""
        return self not in (Phase.BEGUN, Phase.WORKING, Phase.REFUSED)


_FINAL = frozenset(
    {Phase.ACKNOWLEDGED, Phase.ROLLED_BACK, Phase.ROLLBACK_FAILED, Phase.REFUSED, Phase.KEPT}
)


class Spec(Struct, frozen=True, kw_only=True):
    """One activation, as the supervisor is told it. Paths are absolute, on the host."""

    id: str
    kind: str
    """`nixos` or `commands`."""
    old: str
    """What the host runs: a store path, or what the `current` command says."""
    new: str
    """What it shall run."""
    generation: str = ""
    """The number that the profile is at: what is gone back to."""
    target: str = ""
    """A generation that exists already, to go to; empty to make one of `new`."""
    profile: str = ""
    running: str = ""
    """The link that says which system runs."""
    deadline: int
    """Seconds to wait for the acknowledgement after the switch."""
    limit: int
    """Seconds that one switch may take."""
    otherwise: str = "back"
    """What becomes of a host that is not acknowledged: `back`, or `keep`."""
    revision: str = ""
    tree: str = ""
    who: str = ""
    purpose: str = "activate"
    """`activate` or `rollback`."""
    cwd: str = "/"
    switch: str = ""
    back: str = ""
    current: str = ""
    baseline: tuple[str, ...] = ()
    """Units that had failed before."""

    def encode(self) -> bytes:
        """Return it as the supervisor reads it: NUL-delimited fields, then the baseline,
        then `end`.

        Raises ValueError when a value holds a NUL.
        """
        fields = [
            SPEC_VERSION,
            self.id,
            self.kind,
            self.old,
            self.generation,
            self.new,
            self.target,
            self.profile,
            self.running,
            str(self.deadline),
            str(self.limit),
            self.otherwise,
            self.revision,
            self.tree,
            self.who,
            self.purpose,
            self.cwd,
            self.switch,
            self.back,
            self.current,
            *self.baseline,
            "end",
        ]
        if any("\0" in field for field in fields):
            raise ValueError("a NUL in an activation")
        return "".join(f"{field}\0" for field in fields).encode("utf-8", "surrogateescape")


class Record(Struct, frozen=True):
    """One line of a host's record."""

    id: str
    at: float
    """Seconds since the epoch, by the host's clock."""
    phase: Phase
    values: dict[str, str]

    def get(self, name: str) -> str:
        """Return a value, empty when it is not there."""
        return self.values.get(name, "")


def read_record(line: str) -> Record | None:
    """Read one line; None for a torn one, or one that a newer supervisor wrote in its own words."""
    parts = line.rstrip("\n").split("\t")
    if len(parts) < 4 or parts[-1] != ";":
        return None
    try:
        phase, at = Phase(parts[2]), float(parts[1])
    except ValueError:
        return None
    pairs = (part.partition("=") for part in parts[3:-1])
    return Record(parts[0], at, phase, {name: value for name, _, value in pairs})


class Standing(Struct, frozen=True, kw_only=True):
    """What the record of one activation comes to."""

    id: str = ""
    phase: Phase | None = None
    """None when the host knows nothing of it."""
    at: float = 0.0
    begun: float = 0.0
    old: str = ""
    new: str = ""
    generation: str = ""
    """What it came from."""
    made: str = ""
    """The generation that it made or went to."""
    revision: str = ""
    tree: str = ""
    who: str = ""
    kind: str = ""
    purpose: str = ""
    reason: str = ""
    """Why it went back, or was refused."""
    failure: str = ""
    """Why going back failed."""
    switch_rc: int | None = None
    failed: tuple[str, ...] = ()
    """Units that have failed after the switch …"""
    newly: tuple[str, ...] = ()
    """… and those that had not before."""
    warnings: tuple[str, ...] = ()
    switched_at: float | None = None

    @property
    def over(self) -> bool:
        """Whether the supervisor has brought it to its end."""
        return self.phase is not None and self.phase.final


def stand(records: Iterable[Record], before: Standing | None = None) -> Standing:
    """Return where an activation stands after these records of it."""
    state = before or Standing()
    for record in records:
        state = _after(state, record)
    return state


def _after(state: Standing, record: Record) -> Standing:
    from msgspec.structs import replace

    changes: dict[str, object] = {"id": record.id, "at": record.at}
    if record.phase is Phase.WARNING:
        changes["warnings"] = (*state.warnings, record.get("text"))
        return replace(state, **changes)
    changes["phase"] = record.phase
    match record.phase:
        case Phase.BEGUN:
            changes["begun"] = record.at
            for name in ("old", "new", "generation", "revision", "tree", "who", "kind", "purpose"):
                changes[name] = record.get(name)
        case Phase.WORKING if record.get("followed"):
            followed = f"the lock of the host was taken over: left by {record.get('followed')}"
            changes["warnings"] = (*state.warnings, followed)
        case Phase.SET | Phase.ACKNOWLEDGED:
            changes["made"] = record.get("generation") or state.made
        case Phase.SWITCHED:
            changes |= _switched(record) | {"switched_at": record.at}
        case Phase.GOING_BACK:
            changes |= {
                "reason": record.get("reason"),
                "made": record.get("generation") or state.made,
            }
            if state.switch_rc is None:
                changes |= _switched(record)
        case Phase.REFUSED | Phase.KEPT:
            changes["reason"] = record.get("reason")
        case Phase.ROLLBACK_FAILED:
            changes["failure"] = record.get("reason")
        case _:
            pass
    return replace(state, **changes)


def _switched(record: Record) -> dict[str, object]:
    rc = record.get("rc")
    return {
        "switch_rc": int(rc) if rc.lstrip("-").isdigit() else None,
        "failed": tuple(record.get("failed").split()),
        "newly": tuple(record.get("newly").split()),
    }


def unfinished(events: Iterable[object]) -> ActivateIntent | None:
    """Return the intent of a journal's last activation that has no end, or None."""
    last: ActivateIntent | None = None
    for event in events:
        if isinstance(event, ActivateIntent):
            last = event
        elif isinstance(event, ActivateEnded) and last is not None:
            last = None if event.activation == last.activation else last
    return last


class SwitchCode(Struct, frozen=True):
    """What an exit code of `switch-to-configuration` means."""

    switched: bool | None
    """Whether the host runs the new system; None when that must be looked at."""
    meaning: str


SWITCH_CODES: Mapping[int, SwitchCode] = {
    0: SwitchCode(True, "switched"),
    1: SwitchCode(False, "refused; nothing was switched"),
    2: SwitchCode(True, "switched, but the activation script failed"),
    4: SwitchCode(True, "switched, but units failed"),
    100: SwitchCode(False, "cannot be switched to without a reboot; nothing was switched"),
}
"""Source: nixpkgs, `switch-to-configuration`; the supervisor's `g_judge` is the same table."""


def told_switch(rc: int | None, newly: Sequence[str] = (), failed: Sequence[str] = ()) -> str:
    """Return what a switch came to, in a sentence."""
    if rc is None:
        return "the switch did not end"
    known = SWITCH_CODES.get(rc)
    if known is None:
        return f"the switch exited {rc}"
    if rc == 4:
        if newly:
            return f"switched, but units failed: {', '.join(newly)}"
        return f"switched; units failed that had failed before: {', '.join(failed) or 'none now'}"
    return known.meaning

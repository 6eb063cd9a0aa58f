"""What happens to a host while it is activated or rolled back, as events of the journal."""

from __future__ import annotations

from msgspec import Struct


class ActivateStarted(Struct, frozen=True, tag="activate.started", kw_only=True):
    """An activation (or a rollback) of a host begins; nothing of the host has been touched."""

    activation: str
    host: str
    purpose: str
    """`activate` or `rollback`."""
    kind: str
    """`nixos` or `commands`."""
    tree: str = ""
    commit: str = ""
    who: str = ""
    resumed: bool = False


class ActivateBuilding(Struct, frozen=True, tag="activate.building", kw_only=True):
    """The build runs on the host."""

    activation: str
    what: str
    limits: str
    """How its memory is limited, in a sentence."""


class ActivatePlanned(Struct, frozen=True, tag="activate.planned", kw_only=True):
    """What would be done to the host. Still nothing of it has been touched."""

    activation: str
    old: str
    new: str
    changed: bool
    """Whether the built system is another one than the running one, by its store path."""
    generation: str = ""
    target: str = ""
    only_revision: bool = False
    """Closures and `/etc` differ in nothing but the files that hold the version."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    bytes: int = 0
    versions: tuple[str, ...] = ()
    """What `nix store diff-closures` says."""
    stop: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    restart: tuple[str, ...] = ()
    reload: tuple[str, ...] = ()
    not_stopped: tuple[str, ...] = ()
    other: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    """Units that have failed already."""
    drift: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class ActivateIntent(Struct, frozen=True, tag="activate.intent", kw_only=True):
    """About to tell the host's supervisor to switch."""

    activation: str
    host: str
    old: str
    new: str
    generation: str
    deadline: int
    """Seconds that the host waits for the acknowledgement."""


class ActivatePhase(Struct, frozen=True, tag="activate.phase", kw_only=True):
    """The host's supervisor has recorded something."""

    activation: str
    phase: str
    text: str = ""


class ActivateProbed(Struct, frozen=True, tag="activate.probed", kw_only=True):
    """The host was looked at: `after` the `switch`, or after `back`."""

    activation: str
    after: str
    healthy: bool
    red: tuple[str, ...]
    """The probes that are red, each with what was wrong."""
    seconds: float


class ActivateWord(Struct, frozen=True, tag="activate.word", kw_only=True):
    """About to tell the supervisor `ack` (keep it) or `red` (go back)."""

    activation: str
    word: str
    reason: str = ""


class ActivateEnded(Struct, frozen=True, tag="activate.ended", kw_only=True):
    """The activation has its result.

    `state` is `activated`, `unchanged`, `planned` (a dry run), `rolled-back`, `rollback-failed`, `kept` (a
    rollback whose probes are red), `refused` or `failed` (before anything was touched).
    """

    activation: str
    host: str
    state: str
    exit_code: int
    reason: str = ""
    old: str = ""
    new: str = ""
    generation: str = ""
    """What the host is at now, when it is known."""
    by_hand: tuple[str, ...] = ()
    """What to do by hand, a line each, when going back failed."""
    log: tuple[str, ...] = ()
    """The end of what the switch printed, when that is why it went back."""
    healthy: bool | None = None
    """Whether the last probes were green; None when none were made."""
    duration: float = 0.0


HostEvent = (
    ActivateStarted
    | ActivateBuilding
    | ActivatePlanned
    | ActivateIntent
    | ActivatePhase
    | ActivateProbed
    | ActivateWord
    | ActivateEnded
)

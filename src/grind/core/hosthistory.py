"""A host's history: which generations there are, what is known of each, and how the host drifts."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from grind.core.activation import Phase, Record, Standing, read_record, stand

HOST_SCHEMA = "grind.host/1"


class Generation(Struct, frozen=True, kw_only=True):
    """One thing that the host has run or could run."""

    name: str
    """The number in the profile; on a host without profiles, the id of the activation."""
    system: str
    at: float
    revision: str = ""
    who: str = ""
    verdict: str = "unknown"
    """`good`: acknowledged after green probes. `bad`: went back from. `unknown`: not made by grind,
    or nobody looked."""
    reason: str = ""
    activation: str = ""
    current: bool = False


class HostState(Struct, frozen=True, kw_only=True):
    """What a host said of itself."""

    kind: str = "nixos"
    profile: str = ""
    number: str = ""
    running: str = ""
    booted: str = ""
    boot: str = ""
    user: str = ""
    working: bool = False
    generations: tuple[tuple[str, float, str], ...] = ()
    """(number, when, store path), as the profile has them."""
    records: tuple[Record, ...] = ()


def read_history(text: str, kind: str) -> HostState:
    """Read what the supervisor's `history` prints: lines `key<tab>value`."""
    plain: dict[str, str] = {}
    generations: list[tuple[str, float, str]] = []
    records: list[Record] = []
    for line in text.splitlines():
        key, _, value = line.partition("\t")
        if key == "generation":
            number, when, path = (*value.split("\t"), "", "", "")[:3]
            generations.append((number, float(when) if when.isdigit() else 0.0, path))
        elif key == "record":
            record = read_record(value)
            if record is not None:
                records.append(record)
        else:
            plain[key] = value
    generations.sort(key=lambda one: int(one[0]))
    return HostState(
        kind=kind,
        profile=plain.get("profile", ""),
        number=plain.get("number", ""),
        running=plain.get("running", ""),
        booted=plain.get("booted", ""),
        boot=plain.get("boot", ""),
        user=plain.get("user", ""),
        working="working" in plain,
        generations=tuple(generations),
        records=tuple(records),
    )


def activations(state: HostState) -> tuple[Standing, ...]:
    """Return where each activation of the record stands, the oldest first."""
    standings: dict[str, Standing] = {}
    for record in state.records:
        standings[record.id] = stand((record,), standings.get(record.id))
    return tuple(one for one in standings.values() if one.phase is not None)


def last_open(state: HostState) -> Standing | None:
    """Return the activation that was begun last, when it has no end."""
    every = activations(state)
    return every[-1] if every and not every[-1].over else None


def generations(state: HostState) -> tuple[Generation, ...]:
    """Return the host's generations with what is known of each, the oldest first."""
    if state.kind == "nixos":
        rows = [
            Generation(name=number, system=path, at=at, current=number == state.number)
            for number, at, path in state.generations
        ]
    else:
        rows = _made_by_commands(state)
    for standing in activations(state):
        rows = [_judged(row, standing) for row in rows]
    return tuple(rows)


def revision_of(state: HostState, system: str) -> str | None:
    """Return the commit that a system was activated from, when the host's record knows it."""
    found = [one.revision for one in generations(state) if one.system == system and one.revision]
    return found[-1] if found else None


def _made_by_commands(state: HostState) -> list[Generation]:
    rows: dict[str, Generation] = {}
    for standing in activations(state):
        if standing.old and standing.old not in rows:
            rows[standing.old] = Generation(
                name=standing.old, system=standing.old, at=standing.begun
            )
        if standing.phase is not Phase.REFUSED and standing.new:
            rows[standing.new] = Generation(
                name=standing.new, system=standing.new, at=standing.begun
            )
    return [replace(row, current=row.system == state.running) for row in rows.values()]


def _judged(row: Generation, standing: Standing) -> Generation:
    """Return the row with what one more activation says of it. The store path is what was judged:
    a number that was used again for something else is something else."""
    if row.system == standing.old:
        undone = standing.purpose == "rollback" and standing.phase is Phase.ACKNOWLEDGED
        return (
            replace(row, verdict="bad", reason=f"rolled back by {standing.who}") if undone else row
        )
    if row.system != standing.new or standing.made not in ("", row.name):
        return row
    known = replace(
        row,
        activation=standing.id,
        revision=standing.revision or row.revision,
        who=standing.who if standing.purpose == "activate" else row.who,
    )
    match standing.phase:
        case Phase.ACKNOWLEDGED:
            return replace(known, verdict="good", reason="")
        case Phase.GOING_BACK | Phase.ROLLED_BACK | Phase.ROLLBACK_FAILED:
            return replace(known, verdict="bad", reason=standing.reason)
        case Phase.REFUSED:
            return row
        case _:
            return replace(known, verdict="unknown", reason="")


def rollback_target(state: HostState) -> Generation | None:
    """Return the recorded good generation to go back to; None when nothing is known to be good.

    That is the one that was acknowledged last before the running one first was; without any, what
    the running one's own activation recorded as the state before, unless that was found bad.
    Never "the number before": after an unchanged activation or two bad ones that is another thing.
    """
    rows = {row.system: row for row in generations(state)}
    order: list[str] = []
    before: dict[str, str] = {}
    for standing in activations(state):
        if standing.phase is not Phase.ACKNOWLEDGED:
            continue
        if standing.new == state.running and standing.purpose == "activate":
            before.setdefault(standing.new, standing.old)
        order.append(standing.new)
    until = order.index(state.running) if state.running in order else len(order)
    for system in reversed(order[:until]):
        row = rows.get(system)
        if row is not None and system != state.running and row.verdict == "good":
            return row
    recorded = rows.get(before.get(state.running, ""))
    return recorded if recorded is not None and recorded.verdict != "bad" else None


class Drift(Struct, frozen=True, kw_only=True):
    """One way in which what should be the same is not."""

    kind: str
    """`half-switch`, `behind`, or `reboot`."""
    text: str
    remedy: str


def drifts(state: HostState, built: str | None = None) -> tuple[Drift, ...]:
    """Name the drift of the three kinds: profile ≠ running (half a switch), running ≠ what the
    repository builds (when that is known), booted ≠ running (a reboot is needed)."""
    found: list[Drift] = []
    if state.kind == "nixos" and state.profile != state.running:
        found.append(
            Drift(
                kind="half-switch",
                text=f"half a switch: the profile is at generation {state.number} ({state.profile}), "
                f"and {state.running or 'nothing'} runs",
                remedy=repair_command(state),
            )
        )
    if built is not None and built != state.running:
        found.append(
            Drift(
                kind="behind",
                text=f"the repository builds {built}, and {state.running} runs",
                remedy="grind activate",
            )
        )
    if state.kind == "nixos" and state.booted and state.booted != state.running:
        found.append(
            Drift(
                kind="reboot",
                text=f"booted with {state.booted}, and {state.running} runs: what only a boot brings "
                "(kernel, initrd, kernel parameters) may be that of the former",
                remedy="reboot the host when that suits",
            )
        )
    return tuple(found)


def repair_command(state: HostState) -> str:
    """Return the command, for a root shell on the host, that makes profile and running the same again:
    back to what runs, which is what is known to run."""
    numbers: Sequence[str] = [n for n, _, path in state.generations if path == state.running]
    if not numbers:
        return "sudo PROFILE/bin/switch-to-configuration switch (what runs is in no generation)".replace(
            "PROFILE", state.profile
        )
    return f"grind rollback host --to {numbers[-1]}"


class HostStatus(Struct, frozen=True, kw_only=True):
    """What `grind status --host` says."""

    host: str
    kind: str
    running: str
    profile: str
    number: str
    booted: str
    generations: tuple[Generation, ...]
    drift: tuple[Drift, ...]
    built: str | None
    """What the working copy builds, when it was built here before; None when that is not known."""
    working: str = ""
    """The activation that is under way."""
    cut_off: str = ""
    """The activation that was cut off and is not repaired."""

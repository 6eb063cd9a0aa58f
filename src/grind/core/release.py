"""One release: a table of states, and a fold over the journal's events.

The journal is the truth; the state is read from it and never kept beside it. An event that the
table does not allow in a state changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from grind.core import events as e
from grind.core.outcome import JobOutcome
from grind.core.receipt import StepRecord


class State(StrEnum):
    """Where a release stands."""

    IDLE = "idle"
    CHECKING = "checking"
    GREEN = "green"
    PARTIAL = "partial"
    RED = "red"
    HOLLOW = "hollow"
    CANCELLED = "cancelled"
    LANDING = "landing"
    COMMITTED = "committed"
    LANDED = "landed"


_ENDS = ("green", "partial", "red", "hollow", "cancelled")

TABLE: dict[State, dict[str, State]] = {
    State.IDLE: {"run.started": State.CHECKING, "land.intent": State.LANDING},
    State.CHECKING: {f"run.ended:{end}": State(end) for end in _ENDS}
    | {"run.started": State.CHECKING},
    State.GREEN: {"run.started": State.CHECKING, "land.intent": State.LANDING},
    State.PARTIAL: {"run.started": State.CHECKING},
    State.RED: {"run.started": State.CHECKING},
    State.HOLLOW: {"run.started": State.CHECKING},
    State.CANCELLED: {"run.started": State.CHECKING},
    State.LANDING: {
        "land.intent": State.LANDING,
        "land.committed": State.COMMITTED,
        "land.failed": State.GREEN,
    },
    State.COMMITTED: {
        "land.intent": State.LANDING,
        "land.committed": State.COMMITTED,
        "land.pushed": State.LANDED,
        "land.failed": State.GREEN,
    },
    State.LANDED: {"run.started": State.CHECKING},
}
"""state → what happened → next state. The diagram in ARCHITECTURE.md is made from this."""


class Release(Struct, frozen=True, kw_only=True):
    """What the journal says of one release."""

    state: State = State.IDLE
    started: e.RunStarted | None = None
    ended: e.RunEnded | None = None
    jobs: dict[str, str] = {}
    """Job key → conclusion, or `running`."""
    reasons: dict[str, str] = {}
    failed: tuple[e.StepEnded, ...] = ()
    intent: e.LandIntent | None = None
    commit: str | None = None
    landed: e.LandPushed | None = None
    problem: str = ""
    at: float = 0.0

    @property
    def open(self) -> bool:
        """Whether an effect was begun whose end is not recorded."""
        return self.state in (State.CHECKING, State.LANDING, State.COMMITTED)


def fold(entries: Iterable[e.Entry]) -> Release:
    """Return the release that a journal describes."""
    release = Release()
    for entry in entries:
        release = step(release, entry)
    return release


def step(release: Release, entry: e.Entry) -> Release:
    """Return the release after one more entry."""
    event = entry.event
    name = _name(event)
    if name.partition(":")[0] in _STATED:
        after = TABLE[release.state].get(name)
        if after is None:
            return release
        release = replace(release, state=after)
    elif isinstance(event, _OF_JOBS) and release.state is not State.CHECKING:
        return release
    return replace(_details(release, event), at=entry.at)


def results_of(entries: Iterable[e.Entry]) -> tuple[dict[str, JobOutcome], list[StepRecord]]:
    """Return what the last run in a journal came to: outcomes by job, and records of steps."""
    outcomes: dict[str, JobOutcome] = {}
    records: dict[tuple[str, int], StepRecord] = {}
    for entry in entries:
        match entry.event:
            case e.RunStarted():
                outcomes, records = {}, {}
            case e.JobEnded() as ended:
                outcomes[ended.job] = JobOutcome(ended.conclusion, ended.reason)
            case e.StepEnded() as ended:
                records[ended.job, ended.step] = StepRecord(
                    job=ended.job,
                    step=ended.step,
                    name=ended.name,
                    verdict=ended.verdict,
                    conclusion=ended.conclusion,
                    gating=ended.gating,
                    reason=ended.reason,
                    exit_code=ended.exit_code,
                    duration=ended.duration,
                    log_sha256=ended.log_sha256,
                    tests=ended.tests,
                )
            case _:
                pass
    return outcomes, list(records.values())


def _name(event: e.Event) -> str:
    tag = str(type(event).__struct_config__.tag)
    return f"{tag}:{event.state}" if isinstance(event, e.RunEnded) else tag


_STATED = frozenset(name.partition(":")[0] for row in TABLE.values() for name in row)
"""Kinds of event that the table speaks of."""
_OF_JOBS = e.JobStarted | e.JobEnded | e.StepStarted | e.StepEnded


def _details(release: Release, event: e.Event) -> Release:
    match event:
        case e.RunStarted():
            return replace(
                release, started=event, ended=None, jobs={}, reasons={}, failed=(), problem=""
            )
        case e.RunEnded():
            return replace(release, ended=event)
        case e.JobStarted():
            return replace(release, jobs=release.jobs | {event.job: "running"})
        case e.JobEnded():
            return replace(
                release,
                jobs=release.jobs | {event.job: event.conclusion},
                reasons=release.reasons | {event.job: event.reason},
            )
        case e.StepEnded() if event.conclusion == "failure":
            others = tuple(f for f in release.failed if (f.job, f.step) != (event.job, event.step))
            return replace(release, failed=(*others, event))
        case e.LandIntent():
            kept = release.commit if _same_landing(release.intent, event) else None
            return replace(release, intent=event, commit=kept, landed=None, problem="")
        case e.LandCommitted():
            return replace(release, commit=event.oid)
        case e.LandPushed():
            return replace(release, landed=event)
        case e.LandFailed():
            return replace(release, problem=event.reason)
        case _:
            return release


def _same_landing(old: e.LandIntent | None, new: e.LandIntent) -> bool:
    """Whether a commit that was made for the one intent is what the other one wants pushed."""
    return old is not None and replace(old, message="") == replace(new, message="")

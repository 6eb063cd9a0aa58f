"""What many releases tell together: durations, steps that are flaky, how often CI agreed at once.

A step is flaky when the same tree and the same plan gave it both a green and a red result: nothing
that was changed explains the difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from grind.core import events as e
from grind.core.hostevents import ActivateEnded, ActivateStarted
from grind.core.timeline import Timeline


class Kept(NamedTuple):
    """One release that is kept, as the page over all of them takes it."""

    id: str
    timeline: Timeline
    commit: str = ""
    """What landed; empty when nothing did."""
    ci: str = ""
    """What CI said of the commit, where it was watched to an end: a `grind.core.ci.CiVerdict`."""


class ReleaseRow(Struct, frozen=True, kw_only=True):
    """One release in the table of all."""

    id: str
    at: float
    state: str
    duration: float
    tree: str
    executed: int
    commit: str
    ci: str


class Flaky(Struct, frozen=True, kw_only=True):
    """A step that was both green and red for the same tree and plan."""

    job: str
    step: str
    green: int
    red: int
    last: float
    """When a release began in which it was red: seconds since the epoch."""


class HostChange(Struct, frozen=True, kw_only=True):
    """An activation or a rollback of a host."""

    at: float
    host: str
    purpose: str
    state: str
    generation: str
    new: str
    reason: str


class JobTrend(Struct, frozen=True, kw_only=True):
    """How long a job took, release by release, the oldest first: seconds."""

    job: str
    durations: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle of all durations; the lower of two."""
        return sorted(self.durations)[(len(self.durations) - 1) // 2]


class ManyReleases(Struct, frozen=True, kw_only=True):
    """All releases that are kept."""

    rows: tuple[ReleaseRow, ...]
    """The newest first."""
    flaky: tuple[Flaky, ...]
    """The one that was red last first."""
    trends: tuple[JobTrend, ...]
    """Jobs that ran to a green end in at least two releases, the slowest first."""
    hosts: tuple[HostChange, ...]
    """What was done to hosts, the newest first."""
    pushes: int
    """Landed releases whose CI was watched to a verdict on the commit."""
    first_green: int
    """Those of them that were clean at the first attempt."""


_NO_VERDICT = frozenset({"", "superseded", "not-created", "unknown", "none-expected"})
"""What says nothing about whether the commit was right."""


def host_changes(entries: Iterable[e.Entry]) -> list[HostChange]:
    """Return what a journal says was done to hosts; what was only planned is not."""
    found = []
    purpose = ""
    for entry in entries:
        match entry.event:
            case ActivateStarted() as started:
                purpose = started.purpose
            case ActivateEnded() as ended if ended.state != "planned":
                change = HostChange(
                    at=entry.at,
                    host=ended.host,
                    purpose=purpose,
                    state=ended.state,
                    generation=ended.generation,
                    new=ended.new,
                    reason=ended.reason,
                )
                found.append(change)
            case _:
                pass
    return found


def over_releases(releases: Iterable[Kept], hosts: Iterable[HostChange] = ()) -> ManyReleases:
    """Put releases side by side, and what was done to hosts, in whatever order they come."""
    kept = sorted(releases, key=lambda one: one.timeline.at)
    judged = [one for one in kept if one.commit and one.ci not in _NO_VERDICT]
    return ManyReleases(
        rows=tuple(_row(one) for one in reversed(kept)),
        flaky=_flaky(kept),
        trends=_trends(kept),
        hosts=tuple(sorted(hosts, key=lambda change: -change.at)),
        pushes=len(judged),
        first_green=sum(one.ci == "clean" for one in judged),
    )


def _row(one: Kept) -> ReleaseRow:
    ended = one.timeline.ended
    return ReleaseRow(
        id=one.id,
        at=one.timeline.at,
        state=ended.state if ended is not None else "cut off",
        duration=one.timeline.duration,
        tree=one.timeline.started.tree,
        executed=ended.executed if ended is not None else 0,
        commit=one.commit,
        ci=one.ci,
    )


def _flaky(kept: Sequence[Kept]) -> tuple[Flaky, ...]:
    results: defaultdict[tuple[str, str, str, str], list[tuple[bool, float]]] = defaultdict(list)
    for one in kept:
        started = one.timeline.started
        for job in one.timeline.jobs:
            for step in job.steps:
                if step.exit_code is not None and step.conclusion in ("success", "failure"):
                    place = (started.tree, started.digest, job.key, f"{step.index} {step.name}")
                    results[place].append((step.conclusion == "success", one.timeline.at))
    found: dict[tuple[str, str], Flaky] = {}
    for (_, _, job_key, numbered), seen in results.items():
        green = sum(ok for ok, _ in seen)
        if 0 < green < len(seen):
            last = max(at for ok, at in seen if not ok)
            before = found.get((job_key, numbered))
            found[job_key, numbered] = Flaky(
                job=job_key,
                step=numbered.partition(" ")[2],
                green=green + (before.green if before else 0),
                red=len(seen) - green + (before.red if before else 0),
                last=max(last, before.last if before else last),
            )
    return tuple(sorted(found.values(), key=lambda one: -one.last))


def _trends(kept: Sequence[Kept]) -> tuple[JobTrend, ...]:
    times: defaultdict[str, list[float]] = defaultdict(list)
    for one in kept:
        for job in one.timeline.jobs:
            if job.conclusion == "success" and job.end is not None:
                times[job.key].append(job.duration)
    trends = (JobTrend(job=job, durations=tuple(t)) for job, t in times.items() if len(t) > 1)
    return tuple(sorted(trends, key=lambda trend: (-trend.median, trend.job)))

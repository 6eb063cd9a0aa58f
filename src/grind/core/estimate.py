"""How long a run will still take, from how long its jobs took before. Pure.

Honest, which means: no figure where a job that is still to come has never been seen green, and one
that does not promise seconds it cannot know (see `told`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from grind.core.events import JobHead
from grind.core.timeline import Timeline, is_needed

EARLIER = 5
"""How many earlier green times of a job are looked at, the newest ones."""


class Estimate(NamedTuple):
    """What is left, in seconds."""

    seconds: float
    over: bool = False
    """Whether something that runs has already taken longer than it ever did: the figure is then a
    lower bound."""


def typical(pictures: Iterable[Timeline]) -> dict[str, float]:
    """Return how long each job took when it was green: the median of its last few times.

    `pictures` come with the newest first.
    """
    times: defaultdict[str, list[float]] = defaultdict(list)
    for picture in pictures:
        for job in picture.jobs:
            taken = times[job.key]
            if job.conclusion == "success" and job.end is not None and len(taken) < EARLIER:
                taken.append(job.duration)
    return {job: sorted(taken)[len(taken) // 2] for job, taken in times.items() if taken}


def remaining(
    jobs: Sequence[JobHead],
    done: Iterable[str],
    running: Mapping[str, float],
    known: Mapping[str, float],
    parallel: int,
) -> Estimate | None:
    """Return what is left of a run; None where that cannot be said.

    `running` is how long each running job has run, `known` what `typical` told. The jobs that are
    left are played on `parallel` places, in the order of the plan, each when what it needs is over.
    """
    over_with = set(done)
    left = [job for job in jobs if job.key not in over_with and job.verdict == "executed"]
    if any(job.key not in known for job in left):
        return None
    ends: dict[str, float] = {}
    places = [0.0] * max(1, parallel)
    late = False
    for job in left:
        if job.key in running:
            rest = known[job.key] - running[job.key]
            late = late or rest < 0
            ends[job.key] = max(0.0, rest)
            places[places.index(min(places))] = ends[job.key]
    waiting = [job for job in left if job.key not in running]
    while waiting:
        ready = next((job for job in waiting if not _blocked(job, waiting)), waiting[0])
        waiting.remove(ready)
        after = max((end for key, end in ends.items() if is_needed(key, ready)), default=0.0)
        place = places.index(min(places))
        ends[ready.key] = max(after, places[place]) + known[ready.key]
        places[place] = ends[ready.key]
    return Estimate(max(ends.values(), default=0.0), late)


def _blocked(job: JobHead, waiting: Sequence[JobHead]) -> bool:
    return any(other is not job and is_needed(other.key, job) for other in waiting)


def told(estimate: Estimate | None) -> str:
    """Return the estimate in words that promise no more than it knows: steps of a few seconds up
    to a minute, of half a minute up to ten, of minutes beyond; empty when there is nothing to say."""
    if estimate is None:
        return ""
    seconds = estimate.seconds
    if estimate.over and seconds < 5:
        return "longer than usual"
    if seconds < 60:
        rounded = f"{max(5, round(seconds / 5) * 5)} s"
    elif seconds < 600:
        halves = round(seconds / 30)
        rounded = f"{halves // 2}½ min" if halves % 2 else f"{halves // 2} min"
    else:
        rounded = f"{round(seconds / 60)} min"
    return f"{'over' if estimate.over else 'about'} {rounded} left"

"""One release as a picture wants it: jobs and steps with their times, and the path that took longest.

A fold over the journal, like `grind.core.release`; that says where a release stands, this what it
looked like.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from grind.core import events as e


class StepTime(Struct, frozen=True, kw_only=True):
    """One step. Times are seconds since the run began; `start` is None for one that never ran."""

    index: int
    name: str
    line: int
    verdict: str
    gating: bool
    conclusion: str = ""
    reason: str = ""
    exit_code: int | None = None
    start: float | None = None
    duration: float = 0.0
    log: str = ""
    log_bytes: int = 0
    tests: int | None = None
    notes: tuple[e.Annotation, ...] = ()


class JobTime(Struct, frozen=True, kw_only=True):
    """One job. `waited` is from the moment it could have started to its start."""

    key: str
    name: str
    workflow: str
    verdict: str
    needs: tuple[str, ...] = ()
    conclusion: str = ""
    reason: str = ""
    start: float | None = None
    end: float | None = None
    steps: tuple[StepTime, ...] = ()
    critical: bool = False
    """Whether the run would have been shorter had this job been."""

    @property
    def duration(self) -> float:
        """Seconds from its start to its end, as far as both are known."""
        return 0.0 if self.start is None or self.end is None else self.end - self.start


class Timeline(Struct, frozen=True, kw_only=True):
    """The last run of a release, and what followed it."""

    started: e.RunStarted
    at: float
    """When it began: seconds since the epoch."""
    duration: float
    jobs: tuple[JobTime, ...]
    ended: e.RunEnded | None = None
    resumed: int = 0
    """How often it was taken up again after it had been cut off."""
    runs: int = 1
    """How many runs the release had, this one included."""
    after: tuple[e.Entry, ...] = ()
    """Everything else that was recorded since it began: landing, notes."""


class _Making:
    """What has been read of the run that is being read."""

    def __init__(self, entry: e.Entry, started: e.RunStarted, runs: int) -> None:
        self.at = self.last = entry.at
        self.started = started
        self.runs = runs
        self.resumed = 0
        self.ended: e.RunEnded | None = None
        self.after: list[e.Entry] = []
        self.begun: dict[str, float] = {}
        self.over: dict[str, tuple[float, e.JobEnded]] = {}
        self.steps: dict[tuple[str, int], tuple[float, e.StepEnded]] = {}
        self.notes: dict[tuple[str, int], list[e.Annotation]] = {}

    def take(self, entry: e.Entry) -> None:
        self.last = max(self.last, entry.at)
        match entry.event:
            case e.JobStarted(job):
                self.begun.setdefault(job, entry.at)
            case e.StepEnded() as ended:
                self.steps[ended.job, ended.step] = (entry.at, ended)
            case e.JobEnded() as ended:
                self.over[ended.job] = (entry.at, ended)
            case e.Annotation() as note:
                self.notes.setdefault((note.job, note.step), []).append(note)
            case e.RunEnded() as ended:
                self.ended = ended
            case e.StepStarted() | e.StepSummary() | e.StepOutput():
                pass
            case _:
                self.after.append(entry)


def timeline(entries: Iterable[e.Entry]) -> Timeline | None:
    """Return the picture of the last run in a journal; None when none began."""
    making: _Making | None = None
    for entry in entries:
        event = entry.event
        if isinstance(event, e.RunStarted):
            if making is not None and event.resumed:
                making.resumed += 1
                making.started = event
            else:
                making = _Making(entry, event, 1 if making is None else making.runs + 1)
        elif making is not None:
            making.take(entry)
    return None if making is None else _made(making)


def _made(making: _Making) -> Timeline:
    jobs = tuple(_job(making, head) for head in making.started.jobs)
    ends = [job.end for job in jobs if job.end is not None]
    # A run that is cut off has no end of its own: what was recorded last is the best that is known.
    duration = making.ended.duration if making.ended else making.last - making.at
    return Timeline(
        started=making.started,
        at=making.at,
        duration=max([duration, *ends], default=0.0),
        jobs=_with_critical(jobs),
        ended=making.ended,
        resumed=making.resumed,
        runs=making.runs,
        after=tuple(making.after),
    )


def _job(making: _Making, head: e.JobHead) -> JobTime:
    began = making.begun.get(head.key)
    at, ended = making.over.get(head.key, (None, None))
    end = None if at is None or began is None else max(0.0, at - making.at)
    conclusion = ended.conclusion if ended else "running" if began is not None else ""
    return JobTime(
        key=head.key,
        name=head.name,
        workflow=head.workflow,
        verdict=head.verdict,
        needs=head.needs,
        conclusion=conclusion,
        reason=(ended.reason if ended else "") or head.reason,
        start=None if began is None else max(0.0, began - making.at),
        end=end,
        steps=tuple(_step(making, head.key, step) for step in head.steps),
    )


def _step(making: _Making, job: str, head: e.StepHead) -> StepTime:
    notes = tuple(making.notes.get((job, head.index), ()))
    found = making.steps.get((job, head.index))
    if found is None:
        return StepTime(
            index=head.index,
            name=head.name,
            line=head.line,
            verdict=head.verdict,
            gating=head.gating,
            notes=notes,
        )
    at, ended = found
    # The host says how long it took; when that was here is known from when it was heard of.
    start = None if ended.exit_code is None else max(0.0, at - making.at - ended.duration)
    return StepTime(
        index=head.index,
        name=ended.name,
        line=head.line,
        verdict=ended.verdict,
        gating=ended.gating,
        conclusion=ended.conclusion,
        reason=ended.reason,
        exit_code=ended.exit_code,
        start=start,
        duration=ended.duration,
        log=ended.log,
        log_bytes=ended.log_bytes,
        tests=ended.tests,
        notes=notes,
    )


def _with_critical(jobs: tuple[JobTime, ...]) -> tuple[JobTime, ...]:
    """Mark the jobs of the critical path: from the job that ended last, back along `needs`.

    Of what a job needs, the one that ended last is what it waited for.
    """
    ran = [job for job in jobs if job.end is not None]
    marked: set[str] = set()
    job = max(ran, key=_end, default=None)
    while job is not None and job.key not in marked:
        marked.add(job.key)
        job = max((one for one in ran if is_needed(one.key, job)), key=_end, default=None)
    return tuple(replace(job, critical=job.key in marked) for job in jobs)


def _end(job: JobTime) -> float:
    return job.end or 0.0


def is_needed(key: str, by: JobTime | e.JobHead) -> bool:
    """Whether `by` waits for the job `key`, which is `file/id` or, of a matrix, `file/id (combination)`."""
    file, _, rest = key.partition("/")
    return by.key.partition("/")[0] == file and (
        rest in by.needs or rest.partition(" (")[0] in by.needs
    )

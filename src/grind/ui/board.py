"""Where a run stands, as a fold over its events: what faces need to know and no more.

It keeps heads and results, never output, so its size is that of the plan.
"""

from __future__ import annotations

from grind.core.events import (
    Annotation,
    Event,
    JobEnded,
    JobExpanded,
    JobHead,
    JobStarted,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
    StepSummary,
)
from grind.core.texts import one_line

_ANNOTATIONS_KEPT = 20
"""Per run; the log has them all."""


class Board:
    """The state of one run, as far as its events have told."""

    def __init__(self) -> None:
        self.run: RunStarted | None = None
        self.ended: RunEnded | None = None
        self.jobs: dict[str, JobHead] = {}
        self.done: dict[str, JobEnded] = {}
        self.started: dict[str, None] = {}
        self.running: dict[str, StepStarted] = {}
        self.results: dict[str, dict[int, StepEnded]] = {}
        self.failures: list[StepEnded] = []
        self.annotations: list[Annotation] = []
        self.summaries: list[StepSummary] = []
        self.expanded: set[str] = set()
        """Jobs in whose place others stand: their end says nothing of its own."""
        self._labels: dict[str, str] = {}

    def take(self, event: Event) -> None:
        """Fold one event in."""
        match event:
            case RunStarted():
                self.run = event
                self.jobs = {job.key: job for job in event.jobs}
                self.expanded = set()
                self._labels = _labels(event.jobs)
            case JobExpanded():
                self._expand(event)
            case JobStarted():
                self.started[event.job] = None
            case StepStarted():
                self.started[event.job] = None
                self.running[event.job] = event
            case StepEnded():
                self._step_ended(event)
            case JobEnded():
                self.running.pop(event.job, None)
                if event.job not in self.expanded:
                    self.done[event.job] = event
            case Annotation():
                if event.level == "error" and len(self.annotations) < _ANNOTATIONS_KEPT:
                    self.annotations.append(event)
            case StepSummary():
                self.summaries.append(event)
            case RunEnded():
                self.ended = event
            case _:
                pass

    def _expand(self, event: JobExpanded) -> None:
        heads = {job.key: job for job in event.jobs}
        if event.job not in heads:
            self.expanded.add(event.job)
        known = {key: job for key, job in self.jobs.items() if key != event.job}
        self.jobs = known | heads
        open_label = self._labels.get(event.job)
        self._labels = _labels(tuple(self.jobs.values()))
        if event.job in self.expanded and open_label:
            self._labels[event.job] = open_label

    def _step_ended(self, event: StepEnded) -> None:
        running = self.running.get(event.job)
        if running is not None and running.step == event.step:
            del self.running[event.job]
        self.results.setdefault(event.job, {})[event.step] = event
        if event.conclusion == "failure" and event.gating:
            self.failures.append(event)

    def label(self, key: str) -> str:
        """Return how a job is called on the screen: its name, or its key where names clash."""
        return self._labels.get(key) or one_line(key)

    def failed_jobs(self) -> list[JobEnded]:
        """Return the jobs that failed by themselves: no failed step of theirs tells why."""
        told = {
            job
            for job, steps in self.results.items()
            if any(step.conclusion == "failure" for step in steps.values())
        }
        return [
            job for job in self.done.values() if job.conclusion == "failure" and job.job not in told
        ]


def _labels(jobs: tuple[JobHead, ...]) -> dict[str, str]:
    names = [one_line(job.name) for job in jobs]
    return {
        job.key: name if name and names.count(name) == 1 else one_line(job.key)
        for job, name in zip(jobs, names, strict=True)
    }

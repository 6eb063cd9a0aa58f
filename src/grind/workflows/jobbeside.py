"""The background steps of a running job: what they have said is kept until somebody waits. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from grind.core.plan import StepPlan
from grind.workflows.moves import StepResult


class Beside:
    """Knows which steps are in the background, and what is not yet known of them to the others."""

    def __init__(self) -> None:
        self._begun: set[int] = set()
        """Indices of steps that were given to the host."""
        self._running: set[int] = set()
        self._kept: dict[int, Callable[[], None]] = {}
        self._failed: set[int] = set()

    @property
    def running(self) -> bool:
        """Whether one has not ended."""
        return bool(self._running)

    @property
    def failed(self) -> bool:
        """Whether one has failed, which the job does at its end whoever has waited."""
        return bool(self._failed)

    def begin(self, step: StepPlan) -> None:
        """A step was given to the host, to run in the background."""
        self._begun.add(step.index)
        self._running.add(step.index)

    def not_run(self, step: StepPlan) -> None:
        """The host has not run it."""
        self._begun.discard(step.index)
        self._running.discard(step.index)

    def ended(self, result: StepResult) -> None:
        """A step has ended."""
        self._running.discard(result.step.index)
        if result.conclusion == "failure":
            self._failed.add(result.step.index)

    def keep(self, step: StepPlan, tell: Callable[[], None]) -> None:
        """Keep what the others may know of a step later: `tell` lets them know."""
        self._kept[step.index] = tell

    def on_host(self, targets: Iterable[int]) -> list[int]:
        """Return those of `targets` that the host must wait for, or end."""
        return [index for index in targets if index in self._begun]

    def told(self, targets: Iterable[int]) -> bool:
        """Somebody has waited for these steps; return whether one of them has failed."""
        targets = tuple(targets)
        for index in targets:
            if index in self._kept:
                self._kept.pop(index)()
        return any(index in self._failed for index in targets)

    def tell_all(self) -> None:
        """The job is over: nothing is kept any longer."""
        self.told(sorted(self._kept))

    def abandon(self) -> None:
        """Nothing will be heard of those that run."""
        self._running.clear()

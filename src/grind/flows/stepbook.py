"""The results of a job's steps, each told once: as an event, and as a record for the receipt."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from grind.core import events as e
from grind.core.receipt import StepRecord
from grind.flows.steplog import Said
from grind.workflows.moves import StepResult


class Execution(NamedTuple):
    """What a step's run on the host came to."""

    said: Said
    exit_code: int | None
    duration: float
    """Seconds."""


class StepBook:
    """Writes down what becomes of each step."""

    def __init__(self, job: str, emit: Callable[[e.Event], None]) -> None:
        self._job = job
        self._emit = emit
        self.records: list[StepRecord] = []

    def write(self, result: StepResult, execution: Execution | None = None) -> None:
        """Tell the result of a step; `execution` when it ran on the host."""
        said = execution.said if execution is not None else None
        exit_code = execution.exit_code if execution is not None else None
        duration = execution.duration if execution is not None else 0.0
        self._emit(
            e.StepEnded(
                job=self._job,
                step=result.step.index,
                name=result.step.name,
                verdict=result.verdict,
                outcome=result.outcome,
                conclusion=result.conclusion,
                gating=result.gating,
                reason=result.reason,
                exit_code=exit_code,
                duration=duration,
                log=said.path if said is not None else "",
                log_sha256=said.sha256 if said is not None else "",
                log_bytes=said.size if said is not None else 0,
                tests=said.tests if said is not None else None,
            )
        )
        self.records.append(
            StepRecord(
                job=self._job,
                step=result.step.index,
                name=result.step.name,
                verdict=result.verdict,
                conclusion=result.conclusion,
                gating=result.gating,
                reason=result.reason,
                exit_code=exit_code,
                duration=duration,
                log_sha256=said.sha256 if said is not None else "",
                tests=said.tests if said is not None else None,
            )
        )

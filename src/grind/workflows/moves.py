"""What the machine of a running job answers: steps to queue, results, and at last the end."""

from __future__ import annotations

from typing import Any, NamedTuple

from grind.core.plan import StepPlan, Verdict
from grind.core.task import StepTask


class StepResult(NamedTuple):
    """What became of one step. `outcome` is before continue-on-error, `conclusion` after."""

    step: StepPlan
    verdict: Verdict
    outcome: str
    conclusion: str
    reason: str = ""
    gating: bool = True


class Queue(NamedTuple):
    """Give this task to the host."""

    task: StepTask


class Hash(NamedTuple):
    """Ask the host what `hashFiles(…)` says of the workspace now, and tell `hashed`.

    The workspace is what the steps before have made of it: none of them is queued or runs.
    """

    step: int
    arguments: tuple[str, ...]


class Settle(NamedTuple):
    """This step has its result without running."""

    result: StepResult


class Finish(NamedTuple):
    """The job is over: success, failure, cancelled or refused, with its outputs."""

    conclusion: str
    reason: str
    outputs: dict[str, Any]


Move = Queue | Hash | Settle | Finish

"""What becomes of a step that the host has told of: it ended, was passed over, or was lost. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from grind.workflows.conditions import holds
from grind.workflows.jobstate import JobState, Queued, skipped, unreached, why_not
from grind.workflows.moves import StepResult


class Said(NamedTuple):
    """What the host says of a step that ended."""

    exit_code: int
    reason: str
    """exit, timeout, cancelled, or why else it failed."""
    outputs: Mapping[str, str]
    env: Mapping[str, str]
    detail: str = ""
    fault: str = ""
    """Why the step has failed although the host took it for a success."""
    duration: float = 0.0

    @property
    def outcome(self) -> str:
        """success, failure or cancelled, as the host has it."""
        if self.reason == "cancelled":
            return "cancelled"
        return "success" if self.exit_code == 0 and self.reason == "exit" else "failure"


def ended(job: JobState, index: int, said: Said) -> StepResult:
    """A queued step ended; return its result."""
    if index in job.in_background:
        return _ended_beside(job, job.in_background.pop(index), said)
    step, _, forgiving = job.taken(index)
    fault = said.fault
    if step.control and job.beside.told(step.targets) and step.control == "wait":
        # By its log the host may take for a success what has failed.
        fault = "a step that it waits for failed"
    outcome = said.outcome
    if fault and outcome == "success":
        outcome = "failure"
        job.apart = job.apart or not forgiving
    conclusion = _forgiven(outcome, forgiving=forgiving)
    job.memory.ran(step, outcome, conclusion, said.outputs, said.env)
    for frame in job.memory.frames:
        frame.took(said.duration)
    if conclusion == "failure":
        job.fail("timed out" if said.reason == "timeout" else "")
    elif conclusion == "cancelled":
        job.status = "cancelled"
    cut_short = {"timeout": "timed out", "cancelled": "cancelled"}.get(said.reason, "")
    why = said.detail or fault or cut_short
    if not why and outcome == "success":
        why = step.reason
    return job.record(StepResult(step, step.verdict, outcome, conclusion, why, step.gating))


def _ended_beside(job: JobState, queued: Queued, said: Said) -> StepResult:
    """A step in the background ended: the others know nothing of it yet."""
    step, _, forgiving = queued
    outcome, told, gating = said.outcome, "", step.gating
    if outcome == "cancelled":
        told = "cancelled"
        if job.status != "cancelled" and job.may_be_ended(step):
            told, gating = "ended by a step of the job", False
    elif said.fault:
        outcome = "failure"
    conclusion = _forgiven(outcome, forgiving=forgiving)
    job.beside.keep(step, lambda: job.memory.ran(step, outcome, conclusion, said.outputs, said.env))
    cut_short = {"timeout": "timed out"}.get(said.reason, "")
    why = said.detail or said.fault or told or cut_short or step.reason
    result = StepResult(step, step.verdict, outcome, conclusion, why, gating)
    job.beside.ended(result)
    return job.record(result)


def _forgiven(outcome: str, *, forgiving: bool) -> str:
    return "success" if forgiving and outcome == "failure" else outcome


def passed(job: JobState, index: int) -> StepResult:
    """The host did not run a queued step, because its condition was false there."""
    queued = job.in_background.pop(index, None)
    if queued is not None:
        job.beside.not_run(queued.step)
    else:
        queued = job.taken(index)
    step = queued.step
    if not holds(queued.condition, job.current):
        return job.record(skipped(job, step, why_not(job, step)))
    if job.apart:
        return job.record(unreached(step, "not reached: it was queued for a success"))
    # By all that ended it was to run, so the host has stopped the job: cancelled, or out of time.
    job.status = "cancelled"
    job.memory.skipped(step)
    return job.record(unreached(step, "not reached: the host stopped the job"))


def abandoned(job: JobState, reason: str) -> list[StepResult]:
    """The host has lost the job: give every step that has no result the one that is left."""
    job.queued.clear()
    job.in_background.clear()
    job.beside.abandon()
    job.memory.frames.clear()
    job.status = "failure"
    return [
        job.record(unreached(step, reason))
        for step in job.plan.steps
        if step.index not in job.results
    ]

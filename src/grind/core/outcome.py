"""What the results of a run mean: green, partial, red, hollow or cancelled. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from grind.core.errors import ExitCode
from grind.core.plan import JobPlan, Plan, StepPlan, Verdict
from grind.core.receipt import StepRecord


class JobOutcome(NamedTuple):
    """How a job ended: success, failure, cancelled, skipped, refused, lost or unproven."""

    conclusion: str
    reason: str = ""
    forgiven: bool = False


class Outcome(NamedTuple):
    """What a run amounts to."""

    state: str
    exit_code: ExitCode
    executed: int
    """Gating steps that ran a command here."""
    failed: int
    refused: int
    open: tuple[str, ...]
    """What keeps the run from being a full proof, a line each."""
    unproven: tuple[str, ...]
    """Left out by design; does not block."""
    remedies: tuple[str, ...]


class _Tally:
    """What has been found so far."""

    def __init__(self) -> None:
        self.executed = 0
        self.failed = 0
        self.open: list[str] = []
        self.unproven: list[str] = []
        self.remedies: dict[str, None] = {}


def judge(plan: Plan, jobs: Mapping[str, JobOutcome], steps: Iterable[StepRecord]) -> Outcome:
    """Say what the results of all active jobs of `plan` mean.

    A job without an outcome was not part of this run, and counts as open.
    """
    records: dict[str, dict[int, StepRecord]] = {}
    for record in steps:
        records.setdefault(record.job, {})[record.step] = record
    tally = _Tally()
    for job in plan.jobs:
        if job.active:
            outcome = jobs.get(job.key, JobOutcome("missing", "was not run"))
            _count(tally, job, outcome, records.get(job.key, {}))
    if plan.jobs and not any(job.active for job in plan.jobs):
        told = f"no job runs on {plan.event} here; another event: `grind plan --event pull_request`"
        tally.remedies[told] = None
    state, code = _state(failed=tally.failed, open_=bool(tally.open), executed=tally.executed)
    return Outcome(
        state,
        code,
        tally.executed,
        tally.failed,
        len(tally.open),
        tuple(tally.open),
        tuple(tally.unproven),
        tuple(tally.remedies),
    )


def _count(
    tally: _Tally, job: JobPlan, outcome: JobOutcome, records: Mapping[int, StepRecord]
) -> None:
    tally.executed += sum(
        _ran(step, records[step.index]) for step in job.steps if step.index in records
    )
    gates = job.gating and not outcome.forgiven
    match outcome.conclusion:
        case "failure" | "lost" | "cancelled":
            tally.failed += gates
        case "skipped":
            pass  # as CI would: its condition is false, or what it needs did not succeed
        case "unproven":
            tally.unproven.append(f"{job.key}: {outcome.reason}")
        case "success" if not job.refused_whole:
            _ended_well(tally, job, records)
        case _:  # refused, not run, or a word that nobody knows
            if gates:
                tally.open.append(f"{job.key}: {outcome.reason or job.reason}")
                tally.remedies.update(dict.fromkeys(_remedies(job)))


def _ended_well(tally: _Tally, job: JobPlan, records: Mapping[int, StepRecord]) -> None:
    """Count what a job that succeeded has still not proven."""
    for step in job.steps:
        record = records.get(step.index)
        where = f"{job.key}: {step.name} (line {step.line})"
        if record is None:
            if step.gating and job.gating:
                tally.open.append(f"{where}: has no result")
        elif not (record.gating and job.gating):
            continue
        elif record.conclusion in ("failure", "cancelled"):
            tally.failed += 1
        elif not Verdict(record.verdict).proves:
            if step.klass.outward:
                tally.unproven.append(f"{where}: {record.reason}")
                continue
            tally.open.append(f"{where}: {record.reason}")
            if step.remedy:
                tally.remedies[step.remedy] = None


def _ran(step: StepPlan, record: StepRecord) -> bool:
    """Whether a step counts as executed: it gates, and a command of its own ran to an end."""
    return step.executes and record.gating and record.exit_code is not None


def _state(*, failed: int, open_: bool, executed: int) -> tuple[str, ExitCode]:
    if failed:
        return "red", ExitCode.STEP_FAILED
    if open_:
        return "partial", ExitCode.REFUSED
    if executed == 0:
        return "hollow", ExitCode.STEP_FAILED
    return "green", ExitCode.DONE


def _remedies(job: JobPlan) -> Iterable[str]:
    if job.remedy:
        yield job.remedy
    for step in job.steps:
        if step.remedy and step.verdict is Verdict.REFUSED:
            yield step.remedy

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


def judge(
    plan: Plan,
    jobs: Mapping[str, JobOutcome],
    steps: Iterable[StepRecord],
    *,
    cancelled: bool = False,
) -> Outcome:
    """Say what the results of all active jobs of `plan` mean.

    A job without an outcome was not part of this run, and counts as open.
    """
    records = {(record.job, record.step): record for record in steps}
    executed, failed, open_, unproven = 0, 0, [], []
    remedies: dict[str, None] = {}
    for job in plan.jobs:
        if not job.active:
            continue
        outcome = jobs.get(job.key, JobOutcome("missing", "was not run"))
        executed += sum(
            _ran(step, records[job.key, step.index])
            for step in job.steps
            if (job.key, step.index) in records
        )
        if outcome.conclusion in ("failure", "lost", "cancelled"):
            failed += job.gating and not outcome.forgiven
            continue
        if outcome.conclusion == "skipped":
            continue  # as CI would: its condition is false, or what it needs did not succeed
        if outcome.conclusion == "unproven":
            unproven.append(f"{job.key}: {outcome.reason}")
            continue
        if outcome.conclusion in ("refused", "missing"):
            if job.gating:
                open_.append(f"{job.key}: {outcome.reason}")
                remedies.update(dict.fromkeys(_remedies(job)))
            continue
        for gap, blocks, remedy in _gaps(job, records):
            (open_ if blocks and job.gating else unproven).append(gap)
            if blocks and remedy:
                remedies[remedy] = None
    state, code = _state(cancelled=cancelled, failed=failed, open_=bool(open_), executed=executed)
    return Outcome(
        state,
        code,
        executed,
        failed,
        len(open_),
        tuple(open_),
        tuple(unproven),
        tuple(remedies),
    )


def _ran(step: StepPlan, record: StepRecord) -> bool:
    """Whether a step counts as executed: it gates, and a command of its own ran to an end."""
    own = step.run is not None or (step.recipe is not None and step.recipe.kind == "run")
    return (
        own
        and record.gating
        and record.verdict in (Verdict.EXECUTED, Verdict.OVERRIDDEN)
        and record.exit_code is not None
    )


def _state(*, cancelled: bool, failed: int, open_: bool, executed: int) -> tuple[str, ExitCode]:
    if cancelled:
        return "cancelled", ExitCode.INTERRUPTED
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


def _gaps(
    job: JobPlan, records: Mapping[tuple[str, int], StepRecord]
) -> Iterable[tuple[str, bool, str]]:
    """Yield what a job that ended well has still not proven: (text, blocks, remedy)."""
    for step in job.steps:
        record = records.get((job.key, step.index))
        where = f"{job.key}: {step.name} (line {step.line})"
        if record is None:
            if step.gating and job.steps:
                yield f"{where}: has no result", True, ""
            continue
        if Verdict(record.verdict).proves or not record.gating:
            continue
        yield f"{where}: {record.reason}", not step.klass.outward, step.remedy

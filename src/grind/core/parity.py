"""Why CI knew more than we did: what a receipt says of a step that is red in CI."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from grind.core.ci import CiJob, CiStep, ExpectedJob, matches
from grind.core.plan import JobPlan, Plan, StepClass, StepPlan, Verdict
from grind.core.receipt import Receipt, StepRecord
from grind.core.texts import one_line


class Local(Struct, frozen=True, kw_only=True):
    """What was known here of a step that failed in CI."""

    verdict: str
    """A plan's verdict, `not-planned` for a step that no plan has, `no-proof` without a receipt."""
    told: str
    """One sentence for a person."""
    suggestion: str = ""
    """Lines for grind.toml; empty where no line would have caught it."""


class Failure(Struct, frozen=True, kw_only=True):
    """A step that failed in CI."""

    workflow: str
    """Path of the file."""
    job: str
    step: str
    nth: int = 0
    """How many steps of that name come before it in the job."""


def failure_of(workflow: str, job: CiJob) -> tuple[Failure, CiStep | None]:
    """Return the first step of a red job that failed; the job itself when none says so."""
    bad = ("failure", "timed_out", "cancelled")
    step = next((one for one in job.steps if one.conclusion in bad), None)
    if step is None:
        return Failure(workflow=workflow, job=job.name, step=""), None
    nth = sum(one.name == step.name and one.number < step.number for one in job.steps)
    return Failure(workflow=workflow, job=job.name, step=step.name, nth=nth), step


def nothing_is_harmless(_command: str) -> bool:
    """Say of every command that it may do anything."""
    return False


def local_word(
    failure: Failure,
    receipt: Receipt | None,
    plan: Plan | None = None,
    harmless: Callable[[str], bool] = nothing_is_harmless,
) -> Local:
    """Say what the proof of this tree said of the step, and what grind.toml could add.

    Without the plan, jobs and steps are found by the names that the receipt has. `harmless` says of a
    command that it neither deploys, nor tells anybody, nor changes the machine: nothing else is ever
    suggested to be run here, and nothing that sees a secret.
    """
    if receipt is None:
        return Local(verdict="no-proof", told="nothing was proven here for this tree")
    job = _planned(failure, plan)
    record = _record(failure, receipt, job)
    if record is None:
        return _unplanned(failure, job, harmless)
    return _of_record(failure, record, job)


def expected_jobs(path: str, plan: Plan, receipt: Receipt | None) -> tuple[ExpectedJob, ...]:
    """Return what the plan, and the proof of the same tree, know of a workflow's jobs."""
    jobs = [job for job in plan.jobs if job.workflow == path and job.active and job.call is None]
    green = {
        record.job
        for record in (receipt.steps if receipt is not None else ())
        if record.verdict == Verdict.EXECUTED and record.conclusion == "success" and record.gating
    }
    return tuple(
        ExpectedJob(
            name=_pattern(job.name),
            commands=tuple(
                _pattern(step.name) for step in job.steps if step.gating and step.run is not None
            ),
            proven=job.key in green,
            decides=any(f"needs.{job.own_id}.outputs" in other.if_ for other in jobs),
            **_skipping(job, jobs),
        )
        for job in jobs
    )


def _skipping(job: JobPlan, jobs: list[JobPlan]) -> dict[str, Any]:
    """Return what a trusted receipt may let CI skip in a job, as the workflow says it."""
    told: dict[str, Any] = {}
    step = _verifier(job)
    if step is not None:
        output = f"steps.{step.id}.outputs.proven"
        skips = tuple(_pattern(one.name) for one in job.steps if output in one.source.if_)
        told = {"verifier": _pattern(step.name), "skips": skips}
    for other in jobs:
        deciding = _verifier(other)
        if deciding is None or other is job:
            continue
        output = f"steps.{deciding.id}.outputs.proven"
        names = [name for name, value in other.outputs.items() if output in value]
        if any(f"needs.{other.own_id}.outputs.{name}" in job.if_ for name in names):
            told["skipped_by"] = _pattern(other.name)
    return told


def _verifier(job: JobPlan) -> StepPlan | None:
    """Return the step of a job that asks grind for a receipt and may skip others for it."""
    for step in job.steps:
        if not step.id:
            continue
        action = (step.uses or "").partition("@")[0].rstrip("/").rpartition("/")[2]
        by_action = action in ("grind", ".") and step.source.with_.get("skip-proven") == "true"
        script = step.run or ""
        by_command = "receipt verify" in script and "--ci" in script and "--allow-skip" in script
        if by_action or by_command:
            return step
    return None


def _planned(failure: Failure, plan: Plan | None) -> JobPlan | None:
    jobs = [job for job in plan.jobs if job.workflow == failure.workflow] if plan else []
    exact = [job for job in jobs if job.name == failure.job]
    alike = exact or [job for job in jobs if matches(failure.job, _pattern(job.name))]
    return alike[0] if alike else None


def _pattern(name: str) -> str:
    """Return a name with `*` for every expression that only CI can evaluate."""
    before, opened, rest = name.partition("${{")
    while opened:
        _, closed, after = rest.partition("}}")
        before += "*" if closed else opened + rest
        name, opened, rest = after.partition("${{") if closed else ("", "", "")
        before += name
    return before


def _record(failure: Failure, receipt: Receipt, job: JobPlan | None) -> StepRecord | None:
    file = failure.workflow.rpartition("/")[2]
    keys = {job.key} if job is not None else {f"{file}/{failure.job}"}
    here = [record for record in receipt.steps if record.job in keys]
    same = [record for record in here if matches(failure.step, _pattern(record.name))]
    return same[min(failure.nth, len(same) - 1)] if same else None


def _unplanned(failure: Failure, job: JobPlan | None, harmless: Callable[[str], bool]) -> Local:
    if not failure.step:
        return Local(verdict="not-planned", told="no step of the job says what failed")
    if job is not None and not job.active:
        told = f"the job was not planned here: {one_line(job.reason) or 'inactive'}"
    elif job is not None and job.reason:
        told = f"the step has no result here; the job: {one_line(job.reason)}"
    else:
        told = "the proof of this tree has no such step"
    command = failure.step.removeprefix("Run ")
    check = f'[[check]]\nname = "from-ci"\nrun = {_toml(command)}'
    runs = failure.step.startswith("Run ") and "@" not in failure.step
    # An expression, or what CI has masked, is no command; and it may have been a secret.
    plain = runs and "${{" not in command and "***" not in command
    outward = job is not None and (job.klass.outward or job.left)
    ours = plain and not outward and harmless(command)
    return Local(verdict="not-planned", told=told, suggestion=check if ours else "")


def _of_record(failure: Failure, record: StepRecord, job: JobPlan | None) -> Local:
    reason = one_line(record.reason)
    match record.verdict:
        case Verdict.EXECUTED if record.conclusion == "success":
            told = "executed here, and green: what differs is the runner, not the command"
            if not record.gating:
                told = "executed here, but it cannot fail as it is written"
            return Local(verdict=record.verdict, told=told)
        case Verdict.EXECUTED:
            return Local(verdict=record.verdict, told=f"executed here: {record.conclusion}")
        case Verdict.OVERRIDDEN:
            told = f"another command ran here in its place: {reason}"
        case Verdict.SATISFIED:
            told = f"not run here, the host was believed to have it: {reason}"
        case Verdict.SKIPPED:
            told = f"skipped here: {reason}"
        case _:
            told = f"refused here: {reason}"
    step = _step(record, job)
    suggestion = ""
    if job is not None and step is not None:
        # What settles the step otherwise, where it must not be run as it stands.
        suggestion = _rule(failure, record) if _may_run(step, job) else _pasted(step.remedy)
    return Local(verdict=record.verdict, told=told.rstrip(": "), suggestion=suggestion)


def _step(record: StepRecord, job: JobPlan | None) -> StepPlan | None:
    if job is None or job.key != record.job:
        return None
    return next((step for step in job.steps if step.index == record.step), None)


_INWARD = (StepClass.CHECK, StepClass.BUILD, StepClass.E2E)


def _may_run(step: StepPlan, job: JobPlan) -> bool:
    """Whether a step may be run here as it stands: it is a command, for this repository's own ends,
    in a job that is; and nothing of it or of its job is a secret."""
    if step.run is None or step.call is not None or step.klass not in _INWARD or job.klass.outward:
        return False
    source = step.source
    texts = {**source.env, **source.with_, "run": source.run or "", "if": source.if_}
    return not any(map(_sees_secrets, (texts, job.env, job.workflow_env)))


def _sees_secrets(texts: Mapping[str, str]) -> bool:
    return any(_SECRET.search(text) for text in texts.values())


_SECRET = re.compile(r"\bsecrets\b|\bgithub\s*(?:\.\s*token|\[\s*'token')", re.IGNORECASE)
"""In an expression, what is a secret: the context of that name, and the job's own token."""


def _pasted(remedy: str) -> str:
    """Return a remedy that is lines of grind.toml; nothing for a sentence."""
    return remedy if remedy.startswith("[[verdict]]") else ""


def _rule(failure: Failure, record: StepRecord) -> str:
    """Return the `[[verdict]]` that would run the step here; one without a name goes by index."""
    named = not failure.step.startswith("Run ")
    job = record.job.rpartition("/")[2].partition(" (")[0]
    return "\n".join(
        (
            "[[verdict]]",
            f"workflow = {_toml(failure.workflow.rpartition('/')[2])}",
            f"job = {_toml(job)}",
            f"step = {_toml(record.name) if named else record.step}",
            'verdict = "executed"',
            'reason = "it was red in CI, so it must run here, too"',
        )
    )


def _toml(text: str) -> str:
    """Return text as a TOML basic string, on one line, whatever is in it."""
    return json.dumps(one_line(text), ensure_ascii=False)

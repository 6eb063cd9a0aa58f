"""Which part of a plan a run is of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from grind.core.errors import GrindError
from grind.core.plan import JobPlan, Plan, StepClass, Verdict
from grind.flows.prepare import Prepared


class Selection(NamedTuple):
    """Which part of the plan to run."""

    checks: frozenset[str] | None = None
    """Keys of checks; None for all."""
    jobs: frozenset[str] | None = None
    """Keys of CI's jobs; None for all active ones."""

    @property
    def whole(self) -> bool:
        """Whether the run can prove the tree."""
        return self.checks is None and self.jobs is None


def select_jobs(prepared: Prepared, names: Iterable[str]) -> Selection:
    """Return the part of the plan that names select: a check, a job's id, name or key, a workflow's
    file. What the chosen jobs need comes along. Raises GrindError for a name that selects nothing.
    """
    checks: set[str] = set()
    jobs: set[str] = set()
    for name in names:
        found_checks = {c.key for c in prepared.checks.jobs if name in (c.id, c.key)}
        found_jobs = {j.key for j in prepared.plan.jobs if j.active and _is_called(j, name)}
        if not found_checks and not found_jobs:
            known = sorted(
                {j.id for j in prepared.checks.jobs}
                | {j.id for j in prepared.plan.jobs if j.active}
            )
            raise GrindError(
                f"no check and no active job is called {name!r}",
                remedy=f"there are: {', '.join(known)}",
            )
        checks |= found_checks
        jobs |= found_jobs
    return Selection(
        frozenset(_with_needs(prepared.checks, checks)),
        frozenset(_with_needs(prepared.plan, jobs)),
    )


def select_class(prepared: Prepared, klass: StepClass) -> Selection:
    """Return the jobs that have a step of this class, with what they need; no checks."""
    jobs = {
        job.key
        for job in prepared.plan.jobs
        if job.active
        and any(s.klass is klass and s.verdict is not Verdict.SKIPPED for s in job.steps)
    }
    return Selection(frozenset(), frozenset(_with_needs(prepared.plan, jobs)))


def select_failed(prepared: Prepared, last: Mapping[str, str]) -> Selection:
    """Return the jobs that the last run did not end well, with what they need and what needs them:
    a job that was skipped, or went another way, because of one that was red has proven nothing.
    """
    good = ("success", "skipped", "unproven")
    bad = {key for key, conclusion in last.items() if conclusion not in good}
    if bad:  # what an open job came to is in no plan, so it comes along
        bad |= {job.key for job in prepared.plan.jobs if job.active and job.open}
    checks, plan = (
        _with_needs(part, _with_dependents(part, {job.key for job in part.jobs} & bad))
        for part in (prepared.checks, prepared.plan)
    )
    return Selection(frozenset(checks), frozenset(plan))


def _is_called(job: JobPlan, name: str) -> bool:
    file = job.workflow.rpartition("/")[2]
    names = (job.id, job.own_id, job.name, job.key, job.workflow, file, file.rpartition(".")[0])
    return name in names


def _with_dependents(plan: Plan, keys: set[str]) -> set[str]:
    found = set(keys)
    while True:
        ids = {(job.workflow, job.id) for job in plan.jobs if job.key in found}
        more = {
            job.key
            for job in plan.jobs
            if job.active and any((job.workflow, need) in ids for need in job.waits_for)
        }
        if more <= found:
            return found
        found |= more


def _with_needs(plan: Plan, keys: set[str]) -> set[str]:
    found = set(keys)
    pending = [job for job in plan.jobs if job.key in keys]
    while pending:
        job = pending.pop()
        for other in plan.jobs:
            same = other.workflow == job.workflow and other.id in job.waits_for
            if same and other.key not in found:
                found.add(other.key)
                pending.append(other)
    return found

"""A job that was open, lowered again with what the jobs it needs have said. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from grind.core.plan import JobPlan
from grind.workflows.job_inputs import Given
from grind.workflows.lower import Request, inputs_for, unique_keys
from grind.workflows.lower_call import lower_jobs


def expand_job(request: Request, job: JobPlan, given: Mapping[str, Given]) -> tuple[JobPlan, ...]:
    """Return the jobs that an open job comes to, those that it calls among them.

    `given` is what it has been told, and what open jobs that call its workflow were told, by id.
    Raises MatrixError and ExpressionError for what fails the job on GitHub: a value that is no
    matrix, an empty axis, more than 256 jobs.
    """
    workflow = next(one for one in request.workflows if one.path == job.workflow)
    inputs = inputs_for(request, workflow, None)._replace(given=given)
    lowered = lower_jobs(inputs, {})
    found = [one for one in lowered if one.id == job.id or _is_called_by(one, job)]
    if (
        '"matrix"' not in job.open
    ):  # of a matrix that was known, each combination is open for itself
        found = [one for one in found if one.key == job.key]
    return tuple(unique_keys(found))


def _is_called_by(one: JobPlan, job: JobPlan) -> bool:
    return any(caller.id == job.id for caller in one.callers)

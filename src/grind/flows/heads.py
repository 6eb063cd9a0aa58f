"""What the faces are told of a job before it starts."""

from __future__ import annotations

from grind.core import events as e
from grind.core.plan import JobPlan


def head_of(job: JobPlan) -> e.JobHead:
    """Return a job and its steps as the faces need them."""
    return e.JobHead(
        key=job.key,
        name=job.name,
        workflow=job.workflow,
        verdict=job.verdict,
        reason=job.reason,
        needs=job.needs,
        steps=tuple(
            e.StepHead(step.index, step.name, step.verdict, step.gating, step.line)
            for step in job.steps
        ),
    )

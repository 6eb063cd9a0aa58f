"""Whether a plan speaks of the very commit it is made for, so that it holds for no other."""

from __future__ import annotations

from collections.abc import Iterator

from grind.core.plan import JobPlan, Plan
from grind.workflows.expressions import ExpressionError, parse_template


def bound_to_commit(plan: Plan) -> bool:
    """Whether a template of an active job uses `github.sha`, `github.event` or all of `github`."""
    return any(
        _speaks_of_commit(text) for job in plan.jobs if job.active for text in _templates(job)
    )


def _templates(job: JobPlan) -> Iterator[str]:
    yield f"${{{{ {job.if_} }}}}" if job.if_ and "${{" not in job.if_ else job.if_
    yield from job.env.values()
    yield from job.workflow_env.values()
    yield from job.outputs.values()
    for step in job.steps:
        source = step.source
        yield (f"${{{{ {source.if_} }}}}" if source.if_ and "${{" not in source.if_ else source.if_)
        yield source.run or ""
        yield source.working_directory
        yield from source.env.values()
        yield from source.with_.values()


def _speaks_of_commit(text: str) -> bool:
    if "${{" not in text:
        return False
    try:
        references = parse_template(text).references()
    except ExpressionError:
        return True  # not understood: rather prove once more
    for path in references:
        if str(path[0]).lower() != "github":
            continue
        key = path[1] if len(path) > 1 else None
        if key is None or str(key).lower() in ("sha", "event", "workflow_sha"):
            return True
    return False

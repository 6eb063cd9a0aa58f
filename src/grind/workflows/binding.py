"""Whether a plan speaks of the very commit it is made for, so that it holds for no other."""

from __future__ import annotations

from collections.abc import Iterator

from grind.core.plan import JobPlan, Plan
from grind.workflows.expressions import ExpressionError, parse_template


def bound_to_commit(plan: Plan) -> bool:
    """Whether a template of the plan uses `github.sha`, `github.event` or all of `github`, or what
    is active hangs on the commit's message.

    A job that its own condition holds back counts by that: another commit may make it active.
    """
    return plan.bound or any(
        speaks_of_commit(text) for job in plan.jobs for text in _templates(job)
    )


def _templates(job: JobPlan) -> Iterator[str]:
    if job.active or job.held:
        yield _as_template(job.if_)
        for caller in (*job.callers, *((job.call,) if job.call is not None else ())):
            yield _as_template(caller.if_)
            yield from (one.value for one in caller.inputs if one.open)
    if not job.active:
        return
    yield from job.env.values()
    yield from job.workflow_env.values()
    yield from job.outputs.values()
    for step in job.steps:
        source = step.source
        yield _as_template(source.if_)
        yield source.run or ""
        yield source.working_directory
        yield from source.env.values()
        yield from source.with_.values()


def _as_template(condition: str) -> str:
    return f"${{{{ {condition} }}}}" if condition and "${{" not in condition else condition


def speaks_of_commit(text: str) -> bool:
    """Whether a template's value differs between two commits of the same tree."""
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

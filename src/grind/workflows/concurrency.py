"""`concurrency:` said in the plan. On GitHub it decides between runs; here each run is one. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from grind.core.plan import JobPlan
from grind.workflows.expressions import ExpressionError
from grind.workflows.nodes import raw, to_value
from grind.workflows.scope import Scope
from grind.workflows.syntax import Data, Map, Scalar, Workflow


def concurrency_notes(workflow: Workflow, scope: Scope, jobs: Iterable[JobPlan]) -> list[str]:
    """Return a line for the workflow's and for each active job's `concurrency:`."""
    active = {job.id for job in jobs if job.active}
    if not active:
        return []
    found = [_note(workflow.path, workflow.concurrency, scope)]
    found += [
        _note(f"{workflow.path}, job `{job.id}`", job.concurrency, scope)
        for job in workflow.jobs
        if job.id in active
    ]
    return [note for note in found if note]


def _note(where: str, node: Data | None, scope: Scope) -> str:
    if node is None:
        return ""
    group = node.get("group") if isinstance(node, Map) else node
    cancel = node.get("cancel-in-progress") if isinstance(node, Map) else None
    shown = scope.show(raw(group))
    what = "makes it wait for an earlier run"
    if isinstance(cancel, Scalar):
        try:
            value = to_value(cancel, scope)
        except ExpressionError:
            what = "makes it wait for an earlier run, or ends that one"
        else:
            what = "ends an earlier run that is still going" if value is True else what
    return f"{where}: in CI the concurrency group {shown!r} {what}; here nothing waits for it"

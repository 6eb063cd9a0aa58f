"""Lower workflows to the plan: every job, every combination, every step, each with a verdict.

Pure: what the host answers comes in as facts, what the repository holds as a reader. Nothing is
guessed; what is not understood is `refused` with its line and the way to settle it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from grind.core.config import Config
from grind.core.plan import JobPlan, Plan, StepClass, Verdict
from grind.workflows import contexts
from grind.workflows.actions import Facts
from grind.workflows.contexts import Situation
from grind.workflows.lower_job import JobInputs, lower_job
from grind.workflows.syntax import Job, Workflow
from grind.workflows.triggers import Event, decide


class Request(NamedTuple):
    """Everything a plan depends on."""

    workflows: tuple[Workflow, ...]
    situation: Situation
    event: Event
    config: Config
    facts: Facts
    read: Callable[[str], str | None]
    """Contents of a file of the snapshot, None when it is not there or not text."""
    labels: frozenset[str]
    """`runs-on` labels that this host answers to, lower case."""
    tree: str
    commit: str
    base: str | None


def lower(request: Request) -> Plan:
    """Return the plan of all workflows for one event."""
    jobs: list[JobPlan] = []
    notes: list[str] = []
    for workflow in request.workflows:
        ignored = _ignored(request.config, workflow.path)
        if ignored is not None:
            notes.append(f"{workflow.path} is ignored: {ignored}")
            continue
        jobs += _workflow(request, workflow, notes)
    return Plan(
        tree=request.tree,
        commit=request.commit,
        event=request.situation.event,
        ref=request.situation.ref,
        base=request.base,
        jobs=tuple(_unique_keys(jobs)),
        notes=tuple(dict.fromkeys(notes)),
    )


def _workflow(request: Request, workflow: Workflow, notes: list[str]) -> list[JobPlan]:
    decision = decide(workflow, request.event)
    has_paths = any(
        t.event == request.event.name and (t.paths is not None or t.paths_ignore is not None)
        for t in workflow.on
    )
    if has_paths and not request.event.paths:
        notes.append("nothing differs from the base: path filters count as matched")
    lowered: list[JobPlan] = []
    by_id: dict[str, list[JobPlan]] = {}
    for job in _in_needs_order(workflow.jobs):
        inputs = JobInputs(
            situation=request.situation,
            config=request.config,
            facts=request.facts,
            read=request.read,
            labels=request.labels,
            workflow=workflow,
            inactive=None if decision.active else decision.reason,
        )
        plans = [_after_needs(plan, by_id) for plan in lower_job(inputs, job)]
        by_id[job.id] = plans
        lowered += plans
    order = {job.id: place for place, job in enumerate(workflow.jobs)}
    return sorted(lowered, key=lambda plan: (order[plan.id], plan.strategy_index))


def _in_needs_order(jobs: tuple[Job, ...]) -> Iterable[Job]:
    """Yield jobs so that what a job needs comes before it (the reader refuses cycles)."""
    pending = list(jobs)
    done: set[str] = set()
    while pending:
        ready = [job for job in pending if all(need.text in done for need in job.needs)]
        if not ready:  # a cycle or a missing job: the reader has said so already
            yield from pending
            return
        for job in ready:
            done.add(job.id)
            pending.remove(job)
            yield job


def _after_needs(plan: JobPlan, by_id: dict[str, list[JobPlan]]) -> JobPlan:
    """A job that needs one which is not run here cannot be run here either."""
    import msgspec

    if plan.verdict in (Verdict.REFUSED, Verdict.SKIPPED) or not plan.active:
        return plan
    for need in plan.needs:
        for other in by_id.get(need, ()):
            if not other.active:
                continue
            if other.verdict is Verdict.SKIPPED:
                reason = f"needs `{need}`, which is never executed here ({other.reason})"
                steps = tuple(
                    msgspec.structs.replace(step, verdict=Verdict.SKIPPED, reason=reason)
                    for step in plan.steps
                )
                return msgspec.structs.replace(
                    plan,
                    verdict=Verdict.SKIPPED,
                    reason=reason,
                    klass=StepClass.DEPLOY if other.klass is StepClass.DEPLOY else plan.klass,
                    steps=steps,
                )
    return plan


def _unique_keys(jobs: Iterable[JobPlan]) -> Iterable[JobPlan]:
    import msgspec

    seen: dict[str, int] = {}
    for job in jobs:
        count = seen[job.key] = seen.get(job.key, 0) + 1
        yield job if count == 1 else msgspec.structs.replace(job, key=f"{job.key} #{count}")


def _ignored(config: Config, path: str) -> str | None:
    from fnmatch import fnmatchcase

    name = path.rpartition("/")[2]
    for rule in config.ignore:
        if fnmatchcase(path, rule.workflow) or fnmatchcase(name, rule.workflow):
            return rule.reason
    return None


def plan_scope(inputs: JobInputs, job: Job) -> Any:
    """Return the contexts that are known for a job while planning (for tools and tests)."""
    return contexts.github(
        inputs.situation,
        workflow=inputs.workflow.name.text if inputs.workflow.name else inputs.workflow.path,
        workflow_path=inputs.workflow.path,
        job=job.id,
        extra={},
    )

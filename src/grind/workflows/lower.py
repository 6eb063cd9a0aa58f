"""Lower workflows to the plan: every job, every combination, every step, each with a verdict.

Pure: what the host answers comes in as facts, what the repository holds as a reader. Nothing is
guessed; what is not understood is `refused` with its line and the way to settle it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from grind.core.config import Config
from grind.core.plan import JobPlan, Plan
from grind.workflows.binding import speaks_of_commit
from grind.workflows.concurrency import concurrency_notes
from grind.workflows.contexts import Situation
from grind.workflows.facts import Facts
from grind.workflows.job_inputs import JobInputs, job_scope
from grind.workflows.lower_call import lower_jobs
from grind.workflows.nodes import raw
from grind.workflows.syntax import Job, Workflow
from grind.workflows.triggers import Event, decide, idle_notes, skip_instruction


class Request(NamedTuple):
    """Everything a plan depends on."""

    workflows: tuple[Workflow, ...]
    """Of those that grind.toml ignores, the path alone is looked at."""
    situation: Situation
    event: Event
    config: Config
    facts: Facts
    labels: frozenset[str]
    """`runs-on` labels that this host answers to, lower case."""
    tree: str
    commit: str
    base: str | None


def lower(request: Request) -> Plan:
    """Return the plan of all workflows for one event."""
    jobs: list[JobPlan] = []
    notes: list[str] = []
    bound = bool(skip_instruction(request.event.message))
    for workflow in request.workflows:
        ignored = why_ignored(request.config, workflow.path)
        if ignored is not None:
            notes.append(f"{workflow.path} is ignored: {ignored}")
            continue
        jobs += _workflow(request, workflow, notes)
        bound = bound or any(map(_matrix_speaks_of_commit, workflow.jobs))
    return Plan(
        tree=request.tree,
        commit=request.commit,
        event=request.situation.event,
        ref=request.situation.ref,
        base=request.base,
        jobs=tuple(unique_keys(jobs)),
        notes=tuple(dict.fromkeys(notes)),
        repository=request.situation.repository,
        bound=bound,
    )


def why_ignored(config: Config, path: str) -> str | None:
    """Return the reason for which grind.toml ignores a workflow, or None."""
    from fnmatch import fnmatchcase

    name = path.rpartition("/")[2]
    for rule in config.ignore:
        if fnmatchcase(path, rule.workflow) or fnmatchcase(name, rule.workflow):
            return rule.reason
    return None


def _workflow(request: Request, workflow: Workflow, notes: list[str]) -> list[JobPlan]:
    decision = decide(workflow, request.event)
    has_paths = any(
        t.event == request.event.name and (t.paths is not None or t.paths_ignore is not None)
        for t in workflow.on
    )
    if has_paths and not request.event.paths:
        notes.append("nothing differs from the base: path filters count as matched")
    notes += idle_notes(workflow)
    inputs = inputs_for(request, workflow, None if decision.active else decision.reason)
    lowered = lower_jobs(inputs, {})
    notes += concurrency_notes(workflow, job_scope(inputs, ""), lowered)
    return lowered


def inputs_for(request: Request, workflow: Workflow, inactive: str | None) -> JobInputs:
    """Return what lowering a workflow's jobs depends on; `inactive` says why CI starts none."""
    return JobInputs(
        situation=request.situation,
        config=request.config,
        facts=request.facts,
        labels=request.labels,
        workflow=workflow,
        inactive=inactive,
        others=request.workflows,
    )


def _matrix_speaks_of_commit(job: Job) -> bool:
    return job.strategy is not None and speaks_of_commit(raw(job.strategy.matrix))


def unique_keys(jobs: Iterable[JobPlan]) -> Iterable[JobPlan]:
    """Yield the jobs, those whose key another one has with a number behind it."""
    seen: dict[str, int] = {}
    for job in jobs:
        count = seen[job.key] = seen.get(job.key, 0) + 1
        yield job if count == 1 else replace(job, key=f"{job.key} #{count}")

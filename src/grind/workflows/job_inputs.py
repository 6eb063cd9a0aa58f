"""What lowering a job depends on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from grind.core.config import Config
from grind.core.plan import Caller
from grind.workflows import contexts
from grind.workflows.contexts import Situation
from grind.workflows.expressions import UNKNOWN
from grind.workflows.facts import Facts
from grind.workflows.scope import Scope, hashed_later
from grind.workflows.syntax import Workflow


class Called(NamedTuple):
    """Where a called workflow stands in the plan."""

    top: Workflow
    """The workflow that the event starts."""
    prefix: str
    """Before the ids of its jobs in the plan."""
    name: str
    """Before the names of its jobs."""
    callers: tuple[Caller, ...]
    """The calling jobs, outermost first."""
    inputs: Mapping[str, Any]
    """The called workflow's inputs, as far as they are known."""
    paths: tuple[str, ...]
    """The files of this workflow and of those that it is called from, outermost first."""
    gates: tuple[Mapping[str, Any], ...]
    """The contexts of each caller."""


class Given(NamedTuple):
    """What a job that was open has been told, now that what it needs is over."""

    needs: Mapping[str, Any]
    inputs: Mapping[str, Any]


class JobInputs(NamedTuple):
    """What lowering a job depends on."""

    situation: Situation
    config: Config
    facts: Facts
    labels: frozenset[str]
    workflow: Workflow
    inactive: str | None
    """Why CI would not start the workflow for this event, or None."""
    within: Called | None = None
    """Set when `workflow` is called by a job of another one."""
    others: tuple[Workflow, ...] = ()
    """The workflows that are read already."""
    given: Mapping[str, Given] = {}
    """Id in the plan → what the job has been told. An error in what follows from that is raised."""

    def told(self, job: str) -> Given | None:
        """Return what a job of `workflow` has been told, if it has."""
        return self.given.get((self.within.prefix if self.within is not None else "") + job)


def job_scope(inputs: JobInputs, job: str) -> Scope:
    """Return the contexts of a job's own keys, as far as they are known while planning."""
    workflow = inputs.within.top if inputs.within is not None else inputs.workflow
    told = inputs.told(job)
    given = contexts.inputs(inputs.situation) if inputs.within is None else inputs.within.inputs
    return Scope(
        {
            "github": inputs.facts.memo(
                contexts.github_at,
                inputs.situation,
                workflow.name.text if workflow.name else workflow.path,
                workflow.path,
                job,
                inputs.facts.memo(contexts.event_value, inputs.situation),
            ),
            "inputs": given if told is None else told.inputs,
            "vars": contexts.variables(),
            "secrets": UNKNOWN,
            "needs": UNKNOWN if told is None else told.needs,
        },
        {"hashFiles": hashed_later},
        memo=inputs.facts.memo,
    )

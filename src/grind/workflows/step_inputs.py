"""What lowering a step depends on."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from grind.core.config import Config
from grind.core.plan import StepPlan
from grind.workflows.expressions import UNKNOWN
from grind.workflows.facts import Facts
from grind.workflows.lower_open import NOTHING, speaks_of
from grind.workflows.scope import Scope
from grind.workflows.syntax import Job, Step, Workflow
from grind.workflows.verdict_rules import selector


class Within(NamedTuple):
    """The composite action whose steps are lowered, and the call of it."""

    file: str
    """Path of the action's file."""
    folders: tuple[str, ...]
    """The folders of this action and of those that it is called from, outermost first."""
    parent: int
    """Index of the calling step."""
    inputs: Mapping[str, Any]
    env: Mapping[str, Any]
    """The calling step's own `env:`, which lies over the job's."""
    secret_inputs: frozenset[str]
    """Inputs that hold secrets, lower case."""
    forgiven: str
    """Why a failure of the action cannot fail CI, or nothing."""

    def inside(self, scope: Scope) -> Scope:
        """Return what an expression of the action may use, from what one of the job may."""
        github = {**scope.contexts.get("github", {}), "action_path": UNKNOWN}
        return scope.without("needs", "secrets", "vars").having(inputs=self.inputs, github=github)


class Kept(NamedTuple):
    """Plans of steps of one job that were made before, by what they depend on; see `lower_same`."""

    now: dict[Hashable, StepPlan]
    """Of this round of questions."""
    lasting: dict[Hashable, StepPlan]
    """Of all rounds."""

    def find(self, key: Hashable) -> StepPlan | None:
        """Return the plan that was made for `key`, if there is one."""
        return self.lasting.get(key) or self.now.get(key)

    def keep(self, key: Hashable, plan: StepPlan, *, lasting: bool) -> None:
        """Remember a plan; `lasting` says that no answer of the host was asked for it."""
        (self.lasting if lasting else self.now)[key] = plan


class StepInputs(NamedTuple):
    """What lowering a step depends on."""

    config: Config
    facts: Facts
    workflow: Workflow
    job: Job
    scope: Scope
    secret_env: frozenset[str]
    """Variables of the workflow and the job that hold secrets; they are empty here."""
    job_continue_on_error: bool
    within: Within | None = None
    later: frozenset[str] = NOTHING
    """Contexts of which more is known when the job is lowered again; none when it is not."""
    kept: Kept | None = None
    """Plans of steps of the same job, for its other combinations; see `lower_same`."""

    def waits_for(self, *texts: str) -> bool:
        """Whether a template will be known when the job is lowered again."""
        later = self.later
        if later and self.within is not None:
            later |= {"inputs"}
        return speaks_of(texts, later)

    @property
    def file(self) -> str:
        """Path of the action's file, or nothing for a step of the workflow."""
        return self.within.file if self.within is not None else ""

    def where(self, step: Step) -> dict[str, str | int]:
        """Return the fields of a `[[verdict]]` that selects a step."""
        return selector(self.workflow, self.job, step, self.file)

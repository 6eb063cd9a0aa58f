"""What a running job has learned: the `env`, `steps` and `job` contexts of its next step. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grind.core.plan import StepPlan
from grind.workflows.expressions import UNKNOWN, Object
from grind.workflows.filecommands import may_set
from grind.workflows.jobframes import Frame
from grind.workflows.jobsteps import Steps
from grind.workflows.scope import Scope, env_object

_ENV_FILE = "GITHUB_ENV"


class Memory:
    """Grows as steps end. What a step that never runs would have said is unknown, never null."""

    def __init__(
        self,
        base: Mapping[str, Any],
        job_env: Mapping[str, Any],
        services: Mapping[str, Any] | None = None,
    ) -> None:
        """`base` are the contexts that do not change; `job_env` what workflow and job set;
        `services` is `job.services`, where the job has any."""
        self._job = {"services": dict(services)} if services else {}
        self._base = dict(base)
        self._env = dict(job_env)
        self._steps = Steps()
        self.frames: list[Frame] = []
        """The actions that the job is in, outermost first: their steps know each other alone."""
        self._gap = False
        """Whether a step that would have written variables was left out."""

    @property
    def frame(self) -> Frame | None:
        """The action whose steps are next, if the job is in one."""
        return self.frames[-1] if self.frames else None

    @property
    def _here(self) -> Steps:
        return self.frames[-1].steps if self.frames else self._steps

    def scope(self, status: str, *, waiting: bool) -> Scope:
        """Return what the next step may use; `waiting` while a step before it has not ended."""
        env = env_object({} if waiting else self._env, complete=not (waiting or self._gap))
        job = UNKNOWN if waiting else {"status": status, **self._job}
        steps = self._here.context
        scope = Scope({**self._base, "env": env, "job": job, "steps": steps, "secrets": UNKNOWN})
        return self.frames[-1].context(scope) if self.frames else scope

    def waits_for(self, steps: Iterable[StepPlan]) -> None:
        """What these steps say is unknown until they are `heard`."""
        self._here.await_(step.id.lower() for step in steps)

    def heard(self, steps: Iterable[StepPlan]) -> None:
        """These steps are not waited for any longer."""
        self._here.heard(step.id.lower() for step in steps)

    def ran(
        self,
        step: StepPlan,
        outcome: str,
        conclusion: str,
        outputs: Mapping[str, str],
        env: Mapping[str, str],
    ) -> None:
        """A step ended with these outputs, and wrote these variables for the ones after it."""
        self._env.update((name, value) for name, value in env.items() if may_set(name))
        self._keep(step, outcome, conclusion, _outputs(step, outputs))

    def satisfied(self, step: StepPlan) -> None:
        """The host has what the step is for."""
        self._note_gap(step)
        self._keep(step, "success", "success", _outputs(step, {}))

    def called(
        self, step: StepPlan, outcome: str, conclusion: str, outputs: Mapping[str, Any]
    ) -> None:
        """The action that a step calls has ended."""
        self._keep(step, outcome, conclusion, Object(outputs.items()))

    def skipped(self, step: StepPlan) -> None:
        """The step does not run, on CI neither."""
        self._keep(step, "skipped", "skipped", Object())

    def left_out(self, step: StepPlan) -> None:
        """CI runs the step and grind does not: what it says is unknown."""
        self._note_gap(step)
        self._here.keep(step.id.lower(), UNKNOWN)

    def _note_gap(self, step: StepPlan) -> None:
        self._gap = self._gap or _ENV_FILE in (step.source.run or "")

    def _keep(self, step: StepPlan, outcome: str, conclusion: str, outputs: Object) -> None:
        said: dict[str, Any] = {"outputs": outputs, "outcome": outcome, "conclusion": conclusion}
        self._here.keep(step.id.lower(), Object(said.items()))


def _outputs(step: StepPlan, written: Mapping[str, str]) -> Object:
    """The outputs of a step that ran, or that something stands in for.

    What stands in for an action may give fewer outputs than the action does; the others are
    unknown. An output that hangs on what was not known before the run is unknown too.
    """
    declared: dict[str, Any] = {}
    if step.recipe is not None:
        declared = {
            name: UNKNOWN if "${{" in value else value
            for name, value in step.recipe.outputs.items()
        }
    return Object((declared | dict(written)).items(), complete=step.recipe is None)

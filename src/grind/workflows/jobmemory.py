"""What a running job has learned: the `env`, `steps` and `job` contexts of its next step. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grind.core.plan import StepPlan
from grind.workflows.expressions import UNKNOWN, Object
from grind.workflows.filecommands import may_set
from grind.workflows.jobframes import Frame
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
        self._steps: dict[str, Any] = {}
        self._frames: list[Frame] = []
        self._gap = False
        """Whether a step that would have written variables was left out."""

    def enter(self, frame: Frame) -> None:
        """The steps that follow are those of an action, and know each other alone."""
        self._frames.append(frame)

    def leave(self) -> None:
        """The steps that follow are those of whoever called the action."""
        self._frames.pop()

    @property
    def _here(self) -> dict[str, Any]:
        return self._frames[-1].steps if self._frames else self._steps

    def scope(self, status: str, waiting: Iterable[StepPlan]) -> Scope:
        """Return what the next step may use, while the steps `waiting` have not ended."""
        steps = dict(self._here)
        some = False
        for step in waiting:
            some = True
            if step.id:
                steps[step.id.lower()] = UNKNOWN
        env = env_object({} if some else self._env, complete=not (some or self._gap))
        job = UNKNOWN if some else {"status": status, **self._job}
        scope = Scope({**self._base, "env": env, "job": job, "steps": steps, "secrets": UNKNOWN})
        return self._frames[-1].context(scope) if self._frames else scope

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
        if step.id:
            self._here[step.id.lower()] = UNKNOWN

    def _note_gap(self, step: StepPlan) -> None:
        self._gap = self._gap or _ENV_FILE in (step.source.run or "")

    def _keep(self, step: StepPlan, outcome: str, conclusion: str, outputs: Object) -> None:
        if step.id:
            self._here[step.id.lower()] = {
                "outputs": outputs,
                "outcome": outcome,
                "conclusion": conclusion,
            }


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

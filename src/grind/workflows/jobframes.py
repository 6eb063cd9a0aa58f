"""The composite actions that a running job is in, each called by a step of the one around it. Pure.

Within an action, `success()` and `failure()` speak of the action's own steps, `cancelled()` of the
job. The host knows the job's status alone; where that says the same, the action's steps are queued
ahead like any others (`Frame.plain`), and else one after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from grind.core.plan import StepPlan
from grind.core.task import Condition, StepTask
from grind.workflows.expressions import UNKNOWN, ExpressionError, Object, UnknownValueError
from grind.workflows.jobenv import RUNNER_NAMES
from grind.workflows.jobsteps import Steps
from grind.workflows.scope import Scope


class Frame:
    """One call of an action, from its first step to its last."""

    def __init__(
        self,
        caller: StepPlan,
        inputs: Mapping[str, Any],
        env: Mapping[str, Any],
        *,
        workspace: Any,
        forgiving: bool,
        limit: float | None,
        outer: Frame | None,
        job: str,
    ) -> None:
        """`env` is the caller's own, `workspace` the job's folder on the host, `forgiving` the
        caller's `continue-on-error`, `limit` its time in seconds, `job` the job's status."""
        self.caller = caller
        self.inputs = dict(inputs)
        self.env: dict[str, Any] = {**(outer.env if outer is not None else {}), **env}
        folder = caller.call.path if caller.call is not None else ""
        self.file = f"./{folder}"
        self.path: Any = f"{workspace}/{folder}" if isinstance(workspace, str) else UNKNOWN
        """The action's own folder on the host."""
        self.forgiving = forgiving
        self.absorbs: bool = forgiving or (outer is not None and outer.absorbs)
        """Whether a failure of one of its steps may leave the job as it is."""
        self.limits: list[float] = [
            *(outer.limits if outer is not None else ()),
            *([limit] if limit else []),
        ]
        self.spent = 0.0
        """Seconds that its steps have taken."""
        self.status = "success"
        self.reason = ""
        self.steps = Steps()
        self.plain: bool = (
            job == "success"
            and not self.absorbs
            and not self.limits
            and (outer is None or outer.plain)
        )
        """Whether the job's status, which the host knows, is the action's as well."""

    def context(self, scope: Scope) -> Scope:
        """Return what an expression of the action may use, from what one of the job may."""
        github = {**scope.contexts.get("github", {}), "action_path": self.path}
        env = scope.contexts.get("env")
        if isinstance(env, Object):
            env = Object(
                {**dict(env.items()), **self.env}.items(),
                case_sensitive=True,
                complete=env.complete,
            )
        inner = scope.without("needs", "secrets", "vars")
        return inner.having(inputs=self.inputs, github=github, env=env)

    def condition(self, condition: Condition) -> Condition:
        """Return what the host is told: where its status is not the action's, what is decided."""
        if self.plain:
            return condition
        unless = condition in (Condition.ALWAYS, Condition.CANCELLED)
        return Condition.ALWAYS if unless else Condition.NOT_CANCELLED

    def dress(self, task: StepTask) -> StepTask:
        """Give a task what it gets from the calls around it: variables, a time, forgiveness."""
        lent = {
            name: value if isinstance(value, str) else ""  # a secret is empty, as for a fork
            for name, value in self.env.items()
            if name not in RUNNER_NAMES
        }
        env = {**lent, **dict(task.env), "GITHUB_ACTION_PATH": str(self.path)}
        return replace(
            task,
            env=task.env if task.checkout is not None else tuple(env.items()),
            continue_on_error=task.continue_on_error or self.absorbs,
            timeout=self._left(task.timeout),
        )

    def _left(self, own: float | None) -> float | None:
        times = [
            *([own] if own is not None else []),
            *(limit - self.spent for limit in self.limits),
        ]
        return max(0.001, min(times)) if times else None

    def took(self, seconds: float) -> None:
        """One of its steps has taken so long."""
        self.spent += seconds

    def failed(self, reason: str = "") -> None:
        """One of its steps has failed, and was not forgiven."""
        if self.status == "success":
            self.status, self.reason = "failure", reason


def handed_over(step: StepPlan, scope: Scope) -> dict[str, Any]:
    """Evaluate what a call gives its action. What is not known stays UNKNOWN until somebody asks.

    `scope` has the step's own `env:`. Raises ExpressionError.
    """
    return _texts(step.call.inputs if step.call is not None else {}, scope)


def own_env(step: StepPlan, scope: Scope) -> dict[str, Any]:
    """Evaluate a call's `env:`; `scope` is without it. Raises ExpressionError."""
    return _texts(step.source.env, scope)


def outputs_of(frame: Frame, scope: Scope) -> dict[str, Any]:
    """Evaluate the action's outputs in its own scope; one that cannot be is UNKNOWN."""
    outputs: dict[str, Any] = {}
    for name, template in (frame.caller.call.outputs if frame.caller.call else {}).items():
        try:
            outputs[name] = scope.text(template)
        except ExpressionError:
            outputs[name] = UNKNOWN
    return outputs


def _texts(templates: Mapping[str, str], scope: Scope) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, template in templates.items():
        try:
            found[name] = scope.text(template)
        except UnknownValueError:
            found[name] = UNKNOWN
    return found

"""From a planned step to a task for the host: templates evaluated, nothing quoted."""

from __future__ import annotations

from typing import NamedTuple

from grind.core.plan import StepPlan
from grind.core.task import Checkout, Condition, StepTask
from grind.workflows.expressions import EvaluationError
from grind.workflows.scope import Scope
from grind.workflows.shells import resolve_shell


class TaskInputs(NamedTuple):
    """What every task of a job shares."""

    oid: str
    """The snapshot commit."""
    ref: str
    origin: str
    """URL of the remote, for `git remote get-url origin` in a checkout; never with a credential."""


def make_task(step: StepPlan, condition: Condition, scope: Scope, inputs: TaskInputs) -> StepTask:
    """Return the task for a step. Raises ExpressionError when a template cannot be evaluated."""
    timeout = _minutes(step, scope)
    common = {
        "index": step.index,
        "condition": condition,
        "continue_on_error": step.source.continue_on_error is True,
        "timeout": timeout,
    }
    recipe = step.recipe
    if recipe is not None and recipe.kind == "checkout":
        return StepTask(**common, checkout=_checkout(step, scope, inputs))
    action = step.id or ("__run" if step.run is not None else "__action")
    env = [("GITHUB_ACTION", action)]
    env += [(name, scope.text(value)) for name, value in step.source.env.items()]
    if recipe is not None:  # `provide`, or an override's own command
        env += list(recipe.env.items())
        shell = resolve_shell("bash" if recipe.kind == "provide" else step.source.shell)
        return StepTask(
            **common,
            argv=shell.argv,
            script=recipe.script,
            suffix=shell.suffix,
            env=tuple(env),
        )
    inner = scope.having(env=_with_own(scope, env[1:]))
    shell = resolve_shell(scope.text(step.source.shell))
    if shell.problem:
        raise EvaluationError(shell.problem, 0)
    text = inner.text(step.source.run or "")
    return StepTask(
        **common,
        argv=shell.argv,
        script=f"{shell.before}{text}{shell.after}",
        suffix=shell.suffix,
        env=tuple(env),
        cwd=inner.text(step.source.working_directory),
    )


def _with_own(scope: Scope, own: list[tuple[str, str]]) -> object:
    """The `env` context of a step's own keys has the step's `env:` laid over."""
    outer = scope.contexts.get("env")
    if isinstance(outer, dict):
        return {**outer, **dict(own)}
    return outer  # unknown while earlier steps run, and so is what it would be with ours


def _minutes(step: StepPlan, scope: Scope) -> float | None:
    value = step.source.timeout_minutes
    if value is None:
        return None
    if isinstance(value, str):
        got = scope.value(value)
        if not isinstance(got, (int, float)):
            raise EvaluationError(f"timeout-minutes: {got!r} is no number", 0)
        value = float(got)
    return value * 60


def _checkout(step: StepPlan, scope: Scope, inputs: TaskInputs) -> Checkout:
    given = {name.lower(): scope.text(v) for name, v in step.source.with_.items() if v}
    submodules = given.get("submodules", "false").lower()
    depth = given.get("fetch-depth", "1")
    if not depth.isdigit():
        raise EvaluationError(f"fetch-depth: {depth!r} is no number", 0)
    return Checkout(
        oid=inputs.oid,
        ref=inputs.ref,
        path=given.get("path", ""),
        depth=int(depth),
        clean=given.get("clean", "true").lower() != "false",
        tags=given.get("fetch-tags", "false").lower() == "true",
        submodules=submodules if submodules in ("true", "recursive") else "false",
        origin=inputs.origin,
    )

"""From a planned step to a task for the host: templates evaluated, nothing quoted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from grind.core.plan import JobPlan, StepPlan
from grind.core.task import Checkout, Condition, Control, StepTask
from grind.workflows import services
from grind.workflows.expressions import EvaluationError, truthy
from grind.workflows.jobenv import RUNNER_NAMES
from grind.workflows.scope import Scope
from grind.workflows.shells import resolve_shell

SETUP_INDEX = 0
"""Place in the lane of what every job gets before its first step."""


def lane_index(step: int) -> int:
    """Return a step's place in its lane: one behind the setup."""
    return step + 1


class TaskInputs(NamedTuple):
    """What every task of a job shares."""

    oid: str
    """The snapshot commit."""
    ref: str
    origin: str
    """URL of the remote, for `git remote get-url origin` in a checkout; never with a credential."""


def make_task(
    step: StepPlan, condition: Condition, scope: Scope, inputs: TaskInputs, *, forgiving: bool
) -> StepTask:
    """Return the task for a step.

    `scope` is without the step's own `env:`; `forgiving` is its `continue-on-error`.
    Raises ExpressionError when a template cannot be evaluated, or holds what no task can.
    """
    scope = scope.with_stand_ins()
    inner = scope.having_env(step.source.env)
    base = StepTask(
        index=lane_index(step.index),
        condition=condition,
        continue_on_error=forgiving,
        timeout=minutes(step, inner),
        background=step.background,
    )
    recipe = step.recipe
    if recipe is not None and recipe.kind == "checkout":
        return replace(base, checkout=_checkout(step, scope, inputs))
    base = replace(base, env=_env(step, scope), cwd=inner.text(step.source.working_directory))
    if recipe is None:
        shell = resolve_shell(scope.text(step.source.shell))
        script = f"{shell.before}{inner.text(step.source.run or '')}{shell.after}"
    else:  # `provide`, or a command that stands in for the step
        shell = resolve_shell("bash" if recipe.kind == "provide" else step.source.shell)
        script = recipe.script
    if shell.problem:
        raise EvaluationError(shell.problem, 0)
    return _passable(replace(base, argv=shell.argv, suffix=shell.suffix, script=script))


def control_task(step: StepPlan, targets: Iterable[int], *, forgiving: bool) -> StepTask:
    """Return the task for a step that waits for steps in the background, or ends them."""
    return StepTask(
        index=lane_index(step.index),
        condition=Condition.ALWAYS,
        continue_on_error=forgiving,
        control=Control(kind=step.control, steps=tuple(map(lane_index, targets))),
    )


def _env(step: StepPlan, scope: Scope) -> tuple[tuple[str, str], ...]:
    """What a step gets besides the job's environment. The runner's own names stay the runner's."""
    recipe = step.recipe
    env = {
        name: scope.text(value)
        for name, value in step.source.env.items()
        if name not in RUNNER_NAMES
    }
    if recipe is not None:
        env |= {n: scope.text(v) if "${{" in v else v for n, v in recipe.env.items()}
    env["GITHUB_ACTION"] = step.id or ("__run" if step.run is not None else "__action")
    return tuple(env.items())


def _passable(task: StepTask) -> StepTask:
    """Refuse what no program can be given, here where the step is known."""
    odd = next((name for name, _ in task.env if not name or "=" in name), None)
    if odd is not None:
        raise EvaluationError(f"{odd!r} cannot be the name of an environment variable", 0)
    texts = (task.script, task.cwd, *task.argv, *(part for pair in task.env for part in pair))
    if any("\0" in text for text in texts):
        raise EvaluationError("it holds a NUL character, which no program can be given", 0)
    return task


def setup_task(job: JobPlan) -> StepTask | None:
    """Return the task that gives a job its private folders for language installs, and its service
    containers; None when it has neither."""
    script, env = "", {}
    if job.setup is not None:
        script, env = job.setup.script, dict(job.setup.env)
    if job.services:
        script = f"{script}\n{services.START}"
        env |= services.services_env(job.engine, job.services)
    return _own_task(SETUP_INDEX, script, env) if script else None


def ending_task(job: JobPlan) -> StepTask | None:
    """Return the task that ends what the setup has started, whatever became of the job."""
    if not job.services:
        return None
    env = services.services_env(job.engine, ())
    task = _own_task(lane_index(len(job.steps)), services.STOP, env)
    return replace(task, condition=Condition.ALWAYS, continue_on_error=True)


def _own_task(index: int, script: str, env: Mapping[str, str]) -> StepTask:
    shell = resolve_shell("bash")
    return StepTask(
        index=index, argv=shell.argv, script=script, suffix=shell.suffix, env=tuple(env.items())
    )


def minutes(step: StepPlan, scope: Scope) -> float | None:
    """Return a step's `timeout-minutes` in seconds, None without one. Raises ExpressionError."""
    value = step.source.timeout_minutes
    if value is None:
        return None
    if isinstance(value, str):
        got = scope.value(value)
        if isinstance(got, bool) or not isinstance(got, float):
            raise EvaluationError(f"timeout-minutes: {got!r} is no number", 0)
        value = float(got)
    # As the runner does: without a positive number there is no limit.
    return value * 60 if 0 < value < float("inf") else None


def continues_on_error(step: StepPlan, scope: Scope) -> bool:
    """Evaluate `continue-on-error` before the step runs: the host goes on, or not, by itself.

    The runner evaluates it afterwards, with the contexts that the step began with.
    Raises ExpressionError.
    """
    value = step.source.continue_on_error
    return value if isinstance(value, bool) else truthy(scope.value(value))


def _checkout(step: StepPlan, scope: Scope, inputs: TaskInputs) -> Checkout:
    recipe = step.recipe.env if step.recipe is not None else {}
    given = {name: scope.text(value) for name, value in recipe.items() if value}
    submodules = given.get("submodules", "false").lower()
    depth = given.get("fetch-depth", "1")
    if not (depth.isascii() and depth.isdigit()):
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

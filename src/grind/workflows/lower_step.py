"""Lower one step: what it would run, what it is for, and what becomes of it here."""

from __future__ import annotations

from grind.core.plan import ActionCall, StepPlan, StepSource
from grind.workflows.earlier import Earlier
from grind.workflows.expressions import UNKNOWN, ExpressionError, truthy
from grind.workflows.jobenv import layered_nodes
from grind.workflows.judge_step import judge_step
from grind.workflows.nodes import raw, raw_map, to_value
from grind.workflows.scope import Scope, env_object
from grind.workflows.step_inputs import StepInputs
from grind.workflows.syntax import Scalar, Step


def lower_step(inputs: StepInputs, step: Step, earlier: Earlier) -> StepPlan:
    """Return the plan of one step; `earlier` are the job's steps before it.

    A step that calls an action of the repository has a `call`, whose steps are still to be lowered.
    """
    outer = _scope(inputs, earlier)
    try:
        scope = outer.having_env(raw_map(step.env))
    except ExpressionError:
        scope = outer  # a broken value: whoever judges the step says so
    source = _source(inputs, step, scope)
    finding = judge_step(inputs, step, source, scope, earlier)
    if inputs.job_continue_on_error and finding.gating:
        finding = finding._replace(gating=False, gating_reason="continue-on-error of the job")
    elif source.continue_on_error is True and finding.gating:
        finding = finding._replace(gating=False, gating_reason="continue-on-error of the step")
    elif inputs.within is not None and inputs.within.forgiven and finding.gating:
        finding = finding._replace(gating=False, gating_reason=inputs.within.forgiven)
    return StepPlan(
        index=len(earlier),
        id=raw(step.id),
        name=_name(step, scope),
        run=None if source.run is None else scope.show(source.run),
        uses=raw(step.uses) if step.uses is not None else None,
        shell=source.shell,
        working_directory=scope.show(source.working_directory),
        env={name: outer.show(value) for name, value in source.env.items()},
        klass=finding.klass,
        gating=finding.gating,
        gating_reason=finding.gating_reason,
        verdict=finding.verdict,
        reason=finding.reason,
        remedy=finding.remedy,
        line=step.mark.line,
        source=source,
        recipe=finding.recipe,
        held=finding.held,
        parent=inputs.within.parent if inputs.within is not None else None,
        file=inputs.file,
        open=finding.open,
        call=ActionCall(path=finding.calls) if finding.calls is not None else None,
    )


def _scope(inputs: StepInputs, earlier: Earlier) -> Scope:
    """What is known of a step before anything ran: an earlier step may have set any variable."""
    env = env_object({}, complete=False)
    if earlier.quiet:
        layers = (raw_map(inputs.workflow.env), raw_map(inputs.job.env))
        env = env_object(layered_nodes(layers, inputs.scope), complete=True)
    if inputs.within is not None:
        env = env_object({**dict(env.items()), **inputs.within.env}, complete=env.complete)
    scope = inputs.scope.having(env=env, steps=UNKNOWN if earlier else {}, job=UNKNOWN)
    return inputs.within.inside(scope) if inputs.within is not None else scope


def _source(inputs: StepInputs, step: Step, scope: Scope) -> StepSource:
    job, workflow = inputs.job, inputs.workflow
    shell, folder = step.shell, step.working_directory
    if inputs.within is None:  # an action does not see the defaults of whoever calls it
        shell = shell or job.defaults.shell or workflow.defaults.shell
        folder = folder or job.defaults.working_directory or workflow.defaults.working_directory
    is_run = step.run is not None
    return StepSource(
        if_=raw(step.if_),
        name=raw(step.name),
        run=raw(step.run) if step.run is not None else None,
        uses=raw(step.uses),
        with_=raw_map(step.with_),
        shell=scope.show(raw(shell)) if is_run else "",
        working_directory=raw(folder) if is_run else "",
        env=raw_map(step.env),
        continue_on_error=_boolean(step.continue_on_error, scope),
        timeout_minutes=_number(step.timeout_minutes, scope),
    )


def _boolean(node: Scalar | None, scope: Scope) -> bool | str:
    if node is None:
        return False
    try:
        return truthy(to_value(node, scope))
    except ExpressionError:
        return node.text


def _number(node: Scalar | None, scope: Scope) -> float | str | None:
    if node is None:
        return None
    try:
        value = to_value(node, scope)
    except ExpressionError:
        return node.text
    return float(value) if isinstance(value, int | float) else node.text


def _name(step: Step, scope: Scope) -> str:
    if step.name is not None:
        return scope.show(raw(step.name))
    if step.uses is not None:
        return f"Run {step.uses.text}"
    if step.run is not None:
        first = next((line for line in raw(step.run).splitlines() if line.strip()), "")
        return f"Run {scope.show(first.strip())}"
    return f"step {step.index + 1}"

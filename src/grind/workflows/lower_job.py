"""Lower one job of a workflow: its matrix, its condition, its machine, and its steps."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from grind.core.config import Config
from grind.core.plan import JobPlan, StepClass, StepPlan, Verdict
from grind.workflows import contexts
from grind.workflows.actions import base_environment
from grind.workflows.conditions import statuses
from grind.workflows.containers import judge_containers
from grind.workflows.contexts import Situation
from grind.workflows.expressions import (
    UNKNOWN,
    EvaluationError,
    ExpressionError,
    UnknownValueError,
    truthy,
)
from grind.workflows.facts import Facts
from grind.workflows.judge_job import all_steps, judge_job
from grind.workflows.literals import fold
from grind.workflows.lower_step import StepInputs, lower_step
from grind.workflows.matrix import Combination, MatrixError, expand
from grind.workflows.nodes import raw, raw_map, to_value
from grind.workflows.runs_on import machine
from grind.workflows.scope import Scope, hashed_later, never_known, secrets_in
from grind.workflows.syntax import Job, Map, Scalar, Workflow


class JobInputs(NamedTuple):
    """What lowering a job depends on."""

    situation: Situation
    config: Config
    facts: Facts
    labels: frozenset[str]
    workflow: Workflow
    inactive: str | None
    """Why CI would not start the workflow for this event, or None."""


def lower_job(inputs: JobInputs, job: Job) -> list[JobPlan]:
    """Return one plan for each combination of the job's matrix (one, without a matrix)."""
    scope = job_scope(inputs, job.id)
    problem = _condition_problem(job, scope)
    if problem and inputs.inactive is None:
        return [_whole(inputs, job, scope, problem)]
    if job.uses is not None:
        reason = f"calls the reusable workflow {job.uses.text}, which is not followed yet"
        return [_whole(inputs, job, scope, reason)]
    try:
        combinations = _combinations(job, scope)
    except UnknownValueError as error:
        reason = f"the matrix is known only when it runs: {error}"
        return [_whole(inputs, job, scope, reason)]
    except (ExpressionError, MatrixError) as error:
        return [_whole(inputs, job, scope, f"matrix: {error}")]
    return [
        _combination(inputs, job, scope, combination, place, len(combinations))
        for place, combination in enumerate(inputs.facts.sample_of(combinations))
    ]


def job_scope(inputs: JobInputs, job: str) -> Scope:
    """Return the contexts of a job's own keys, as far as they are known while planning."""
    workflow = inputs.workflow
    return Scope(
        {
            "github": contexts.github(
                inputs.situation,
                workflow=workflow.name.text if workflow.name else workflow.path,
                workflow_path=workflow.path,
                job=job,
                extra={},
            ),
            "inputs": contexts.inputs(inputs.situation),
            "vars": contexts.variables(),
            "secrets": UNKNOWN,
            "needs": UNKNOWN,
        },
        {"hashFiles": hashed_later},
        memo=inputs.facts.memo,
    )


def _condition_problem(job: Job, scope: Scope) -> str:
    """Why the job's condition can never be decided, or nothing."""
    try:
        statuses(raw(job.if_), scope.contexts, scope.functions)
    except UnknownValueError as error:
        return f"if: {error}" if never_known(error) else ""
    except ExpressionError as error:
        return f"if: {error}"
    return ""


def _combinations(job: Job, scope: Scope) -> tuple[Combination | None, ...]:
    if job.strategy is None or job.strategy.matrix is None:
        return (None,)
    return tuple(expand(to_value(job.strategy.matrix, scope)))


class _Strategy(NamedTuple):
    fail_fast: bool
    max_parallel: int | None


def _strategy(job: Job, scope: Scope) -> _Strategy:
    if job.strategy is None:
        return _Strategy(fail_fast=True, max_parallel=None)
    fail_fast, parallel = job.strategy.fail_fast, job.strategy.max_parallel
    limit = to_value(parallel, scope) if parallel is not None else None
    if limit is not None:
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not abs(limit) <= 1e6:
            raise EvaluationError(f"max-parallel: {limit!r} is no number that GitHub takes")
        # As GitHub's own converter does: fractions are cut off, and without a positive number
        # there is no limit.
        limit = int(limit) if limit >= 1 else None
    return _Strategy(
        fail_fast=truthy(to_value(fail_fast, scope)) if fail_fast is not None else True,
        max_parallel=limit,
    )


def _combination(
    inputs: JobInputs, job: Job, scope: Scope, combination: Combination | None, place: int, of: int
) -> JobPlan:
    values = dict(combination.values) if combination is not None else None
    scope = scope.having(matrix=values if values is not None else None)
    try:
        strategy = _strategy(job, scope)
    except ExpressionError as error:
        return _whole(inputs, job, scope, f"strategy: {error}")
    scope = scope.having(
        strategy=contexts.strategy(
            index=place, total=of, fail_fast=strategy.fail_fast, max_parallel=strategy.max_parallel
        )
    )
    labels, refusal, hosted = machine(job.runs_on, inputs.labels, scope)
    scope = scope.having(runner=contexts.runner(inputs.situation, {}, hosted=hosted))
    suffix = f" ({combination.label})" if combination is not None and combination.label else ""
    plan = _skeleton(inputs, job, scope, suffix)
    workflow_env = raw_map(inputs.workflow.env)
    job_env = raw_map(job.env)
    steps = _steps(inputs, job, scope, workflow_env | job_env)
    plan = msgspec.structs.replace(
        plan,
        matrix=values,
        runs_on=labels,
        steps=steps,
        klass=_class(job, steps),
        fail_fast=strategy.fail_fast,
        max_parallel=strategy.max_parallel,
        strategy_index=place,
        strategy_total=of,
        env=job_env,
        workflow_env=workflow_env,
    )
    return judge_job(
        plan,
        scope,
        inactive=inputs.inactive,
        environment=_environment(job, scope),
        refusal=refusal or judge_containers(job, scope, inputs.facts),
    )


def _whole(inputs: JobInputs, job: Job, scope: Scope, reason: str) -> JobPlan:
    """A job that cannot be lowered: one entry, refused as a whole, with its steps listed."""
    plan = _skeleton(inputs, job, scope, "")
    steps = _steps(inputs, job, scope, raw_map(inputs.workflow.env) | raw_map(job.env))
    plan = msgspec.structs.replace(plan, steps=steps, klass=_class(job, steps))
    environment = _environment(job, scope)
    if inputs.inactive is None and environment is None:
        return all_steps(plan, Verdict.REFUSED, reason)
    return judge_job(plan, scope, inactive=inputs.inactive, environment=environment, refusal=None)


def _skeleton(inputs: JobInputs, job: Job, scope: Scope, suffix: str) -> JobPlan:
    name = raw(job.name)
    shown = scope.show(name) if name else job.id
    if suffix and "${{" not in name:
        shown += suffix
    file = inputs.workflow.path.rpartition("/")[2]
    coe = to_static(job.continue_on_error, scope)
    gating = coe is not True
    return JobPlan(
        key=f"{file}/{job.id}{suffix}",
        id=job.id,
        name=shown,
        workflow=inputs.workflow.path,
        workflow_name=inputs.workflow.name.text if inputs.workflow.name else inputs.workflow.path,
        line=job.mark.line,
        needs=_needs(inputs.workflow, job),
        active=True,
        klass=StepClass.CHECK,
        verdict=Verdict.EXECUTED,
        gating=gating,
        gating_reason="" if gating else "continue-on-error of the job",
        if_=raw(job.if_),
        setup=base_environment(inputs.facts),
        outputs=raw_map(job.outputs),
        continue_on_error=coe,
        timeout_minutes=to_static_number(job.timeout_minutes, scope),
    )


def _needs(workflow: Workflow, job: Job) -> tuple[str, ...]:
    """The needed jobs by their ids as declared: GitHub compares them without case."""
    ids = {fold(other.id): other.id for other in workflow.jobs}
    return tuple(dict.fromkeys(ids.get(fold(need.text), need.text) for need in job.needs))


def _steps(
    inputs: JobInputs, job: Job, scope: Scope, outer_env: dict[str, str]
) -> tuple[StepPlan, ...]:
    hidden = {name for name, value in outer_env.items() if secrets_in((value,))}
    step_inputs = StepInputs(
        config=inputs.config,
        facts=inputs.facts,
        workflow=inputs.workflow,
        job=job,
        scope=scope,
        secret_env=frozenset(hidden),
        job_continue_on_error=to_static(job.continue_on_error, scope) is True,
    )
    lowered: list[StepPlan] = []
    for step in job.steps:
        lowered.append(lower_step(step_inputs, step, tuple(lowered)))
    return tuple(lowered)


def to_static(node: Scalar | None, scope: Scope) -> bool | str:
    """Return a boolean when it is known now, else the template for later."""
    if node is None:
        return False
    try:
        return truthy(to_value(node, scope))
    except ExpressionError:
        return node.text


def to_static_number(node: Scalar | None, scope: Scope) -> float | str | None:
    """Return minutes when they are known now, else the template for later."""
    if node is None:
        return None
    try:
        return float(to_value(node, scope))
    except (ExpressionError, TypeError, ValueError):
        return node.text


def _class(job: Job, steps: tuple[StepPlan, ...]) -> StepClass:
    if job.environment is not None:
        return StepClass.DEPLOY
    classes = [step.klass for step in steps if not step.held]
    for klass in (StepClass.DEPLOY, StepClass.E2E, StepClass.CHECK, StepClass.BUILD):
        if klass in classes:
            return klass
    return classes[0] if classes else StepClass.CHECK


def _environment(job: Job, scope: Scope) -> str | None:
    """What the job deploys to, as far as it is known; None when it has no environment."""
    node = job.environment
    if node is None:
        return None
    return scope.show(raw(node.get("name") if isinstance(node, Map) else node))

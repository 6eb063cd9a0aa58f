"""Lower one job of a workflow: its matrix, its condition, its machine, and its steps."""

from __future__ import annotations

from collections.abc import Hashable

import msgspec

from grind.core.plan import JobPlan, StepClass, StepPlan, Verdict
from grind.workflows import contexts
from grind.workflows.actions import base_environment
from grind.workflows.conditions import statuses
from grind.workflows.containers import Containers, judge_containers, with_remedy
from grind.workflows.expressions import (
    UNKNOWN,
    ExpressionError,
    UnknownValueError,
    truthy,
)
from grind.workflows.job_inputs import JobInputs, job_scope
from grind.workflows.judge_job import all_steps, judge_job
from grind.workflows.legs import as_values, left_by, remedy_for, told_left
from grind.workflows.literals import fold
from grind.workflows.lower_action import class_of, lower_steps
from grind.workflows.lower_matrix import combinations_of, scope_at
from grind.workflows.lower_open import (
    MATRIX_SUFFIX,
    NOTHING,
    later_contexts,
    speaks_of,
    while_open,
)
from grind.workflows.matrix import Combination, EmptyMatrixError, MatrixError
from grind.workflows.nodes import raw, raw_map, to_value
from grind.workflows.runs_on import is_foreign, machine
from grind.workflows.scope import Scope, never_known, secrets_in
from grind.workflows.step_inputs import Kept, StepInputs
from grind.workflows.syntax import Job, Map, Scalar, Workflow
from grind.workflows.verdict_rules import tells_legs_apart


def lower_job(inputs: JobInputs, job: Job) -> list[JobPlan]:
    """Return one plan for each combination of the job's matrix (one, without a matrix)."""
    scope = job_scope(inputs, job.id)
    problem = condition_problem(job, scope)
    if problem and inputs.inactive is None:
        return [whole(inputs, job, scope, problem)]
    told = inputs.told(job.id) is not None
    try:
        combinations = combinations_of(job, scope)
    except UnknownValueError as error:
        if told or never_known(error):
            return [whole(inputs, job, scope, f"the matrix is never known here: {error}")]
        return [open_matrix(inputs, job, scope)]
    except (ExpressionError, MatrixError) as error:
        if told and not isinstance(error, EmptyMatrixError):
            raise
        return [whole(inputs, job, scope, f"matrix: {error}")]
    kept = _kept(inputs, job)
    return [
        _combination(inputs, job, scope, combination, (place, len(combinations)), kept)
        for place, combination in enumerate(inputs.facts.sample_of(combinations))
    ]


def _kept(inputs: JobInputs, job: Job) -> Kept | None:
    """Return where plans of the job's steps are kept. What another workflow hands over, and what the
    job has been told, is not the same each time; a `[[verdict]]` may tell combinations apart."""
    if tells_legs_apart(inputs.config, job):
        return None
    if inputs.within is not None or inputs.told(job.id) is not None:
        return Kept({}, {})
    return Kept({}, inputs.facts.memo.of_object(_nothing_yet, job))


def _nothing_yet(_job: Job) -> dict[Hashable, StepPlan]:
    return {}


def open_matrix(inputs: JobInputs, job: Job, scope: Scope) -> JobPlan:
    """Return the one plan that stands for the combinations of a matrix which is not known yet."""
    scope = scope.having(matrix=UNKNOWN, strategy=UNKNOWN)
    suffix = "" if "${{" in raw(job.name) else f" {MATRIX_SUFFIX}"
    plan = _lowered(inputs, job, scope, suffix, matrix=True)
    return msgspec.structs.replace(plan, key=plan.key.removesuffix(suffix))


def condition_problem(job: Job, scope: Scope) -> str:
    """Why the job's condition can never be decided, or nothing."""
    try:
        statuses(raw(job.if_), scope.contexts, scope.functions)
    except UnknownValueError as error:
        return f"if: {error}" if never_known(error) else ""
    except ExpressionError as error:
        return f"if: {error}"
    return ""


def _combination(
    inputs: JobInputs,
    job: Job,
    scope: Scope,
    combination: Combination | None,
    at: tuple[int, int],
    kept: Kept | None,
) -> JobPlan:
    place, of = at
    values = dict(combination.values) if combination is not None else None
    try:
        scope, strategy = scope_at(job, scope, combination, place, of)
    except ExpressionError as error:
        return whole(inputs, job, scope.having(matrix=values), f"strategy: {error}")
    suffix = f" ({combination.label})" if combination is not None and combination.label else ""
    plan = _lowered(inputs, job, scope, suffix, kept=kept)
    rule = left_by(inputs.config, inputs.workflow, job, values)
    if rule is not None and plan.active and plan.verdict is not Verdict.SKIPPED:
        plan = msgspec.structs.replace(all_steps(plan, Verdict.SKIPPED, told_left(rule)), left=True)
    return msgspec.structs.replace(
        plan,
        matrix=values,
        fail_fast=strategy.fail_fast,
        max_parallel=strategy.max_parallel,
        strategy_index=place,
        strategy_total=of,
    )


def _lowered(
    inputs: JobInputs,
    job: Job,
    scope: Scope,
    suffix: str,
    *,
    matrix: bool = False,
    kept: Kept | None = None,
) -> JobPlan:
    """Return the plan of a job in the scope of one combination, but for the combination itself.

    `matrix` says that the combinations are not known yet.
    """
    later = later_contexts(
        job,
        told=inputs.told(job.id) is not None,
        called=inputs.within is not None,
        active=inputs.inactive is None,
        matrix=matrix,
    )
    labels, refusal, hosted = machine(job.runs_on, inputs.labels, scope)
    foreign = next((label for label in labels if is_foreign(label)), None)
    if refusal is not None and foreign is not None and not matrix:
        values = as_values(scope.contexts.get("matrix"))
        advice = remedy_for(refusal[1], inputs.workflow, job, values, foreign)
        refusal = (refusal[0], advice)
    open_machine = refusal is not None and speaks_of(labels, later)
    if open_machine:
        refusal = None
    scope = scope.having(runner=contexts.runner(inputs.situation, {}, hosted=hosted))
    plan = skeleton(inputs, job, scope, suffix)
    workflow_env = raw_map(inputs.workflow.env)
    job_env = raw_map(job.env)
    steps = _steps(inputs, job, scope, workflow_env | job_env, later, kept)
    containers = judge_containers(job, scope, inputs.facts)
    if containers.refusal is not None and speaks_of(map(raw, (job.container, job.services)), later):
        containers, open_machine = Containers(), True
    plan = msgspec.structs.replace(
        plan,
        engine=containers.engine,
        services=containers.services,
        runs_on=labels,
        steps=steps,
        klass=_class(job, steps),
        env=job_env,
        workflow_env=workflow_env,
    )
    plan = judge_job(
        plan,
        scope,
        inactive=inputs.inactive,
        environment=_environment(job, scope),
        refusal=refusal or with_remedy(containers.refusal, inputs.workflow, job),
    )
    return while_open(plan, job, inputs.labels, matrix=matrix, machine=open_machine)


def whole(inputs: JobInputs, job: Job, scope: Scope, reason: str, remedy: str = "") -> JobPlan:
    """A job that cannot be lowered: one entry, refused as a whole, with its steps listed."""
    plan = skeleton(inputs, job, scope, "")
    steps = _steps(inputs, job, scope, raw_map(inputs.workflow.env) | raw_map(job.env))
    plan = msgspec.structs.replace(plan, steps=steps, klass=_class(job, steps))
    environment = _environment(job, scope)
    if inputs.inactive is None and environment is None:
        return all_steps(plan, Verdict.REFUSED, reason, remedy=remedy)
    return judge_job(plan, scope, inactive=inputs.inactive, environment=environment, refusal=None)


def skeleton(inputs: JobInputs, job: Job, scope: Scope, suffix: str) -> JobPlan:
    """Return the plan of a job without its steps; `suffix` tells a matrix's combinations apart."""
    within = inputs.within
    top = within.top if within is not None else inputs.workflow
    prefix = within.prefix if within is not None else ""
    name = raw(job.name)
    shown = scope.show(name) if name else job.id
    if suffix and "${{" not in name:
        shown += suffix
    file = top.path.rpartition("/")[2]
    coe = to_static(job.continue_on_error, scope)
    gating = coe is not True
    return JobPlan(
        key=f"{file}/{prefix}{job.id}{suffix}",
        id=f"{prefix}{job.id}",
        job=job.id if within is not None else "",
        name=f"{within.name}{shown}" if within is not None else shown,
        workflow=top.path,
        workflow_name=top.name.text if top.name else top.path,
        file=inputs.workflow.path if within is not None else "",
        callers=within.callers if within is not None else (),
        line=job.mark.line,
        needs=tuple(f"{prefix}{need}" for need in _needs(inputs.workflow, job)),
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
    inputs: JobInputs,
    job: Job,
    scope: Scope,
    outer_env: dict[str, str],
    later: frozenset[str] = NOTHING,
    kept: Kept | None = None,
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
        later=later,
        kept=kept,
    )
    return lower_steps(step_inputs, job.steps)


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
    return class_of(step.klass for step in steps if step.call is None and not step.held)


def _environment(job: Job, scope: Scope) -> str | None:
    """What the job deploys to, as far as it is known; None when it has no environment."""
    node = job.environment
    if node is None:
        return None
    return scope.show(raw(node.get("name") if isinstance(node, Map) else node))

"""Lower the jobs of a workflow, and with a job that calls another workflow that one's jobs.

The jobs of a called workflow are jobs of the plan, with the calling job's id before theirs; the
calling job stays, runs nothing itself, and is over when they are. What cannot be followed refuses
the calling job, with the `[[verdict]]` that settles it.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from grind.core.plan import (
    Caller,
    JobPlan,
    Verdict,
    digest_of,
    digest_of_text,
)
from grind.core.remedy import verdict_rule
from grind.workflows import contexts
from grind.workflows.callers import input_values
from grind.workflows.expressions import UNKNOWN, ExpressionError, UnknownValueError
from grind.workflows.job_inputs import Called, JobInputs, job_scope
from grind.workflows.judge_job import all_steps
from grind.workflows.legs import left_by, told_left
from grind.workflows.lower_action import class_of
from grind.workflows.lower_called import (
    Unfollowed,
    call_inputs,
    call_outputs,
    find_called,
    paths_of,
)
from grind.workflows.lower_job import condition_problem, lower_job, skeleton, whole
from grind.workflows.lower_matrix import combinations_of, scope_at, strategy_of
from grind.workflows.lower_needs import after_needs
from grind.workflows.lower_open import MATRIX_SUFFIX, while_open
from grind.workflows.lower_ruled import call_by_rule
from grind.workflows.matrix import EmptyMatrixError, MatrixError
from grind.workflows.nodes import raw
from grind.workflows.scope import Scope, never_known
from grind.workflows.syntax import Job, Workflow

Known = dict[str, tuple[JobPlan, ...]]
"""The jobs that are lowered so far, by their ids in the plan."""


def lower_jobs(inputs: JobInputs, known: Known) -> list[JobPlan]:
    """Return the plans of a workflow's jobs, and of the jobs that they call; they go to `known`."""
    found: dict[str, list[JobPlan]] = {}
    for job in _in_needs_order(inputs.workflow.jobs):
        if job.uses is not None:
            found[job.id] = _lower_call(inputs, job, known)
            continue
        plans = [after_needs(plan, known, inputs) for plan in lower_job(inputs, job)]
        found[job.id] = plans
        _add(known, plans)
    return [plan for job in inputs.workflow.jobs for plan in found[job.id]]


def _in_needs_order(jobs: tuple[Job, ...]) -> Iterable[Job]:
    """Yield jobs so that what a job needs comes before it (the reader refuses cycles)."""
    pending = list(jobs)
    done: set[str] = set()
    while pending:
        ready = [job for job in pending if all(n.text.lower() in done for n in job.needs)]
        if not ready:  # a cycle or a missing job: the reader has said so already
            yield from pending
            return
        for job in ready:
            done.add(job.id.lower())
            pending.remove(job)
            yield job


def _add(known: Known, plans: Iterable[JobPlan]) -> None:
    for plan in plans:
        known[plan.id] = (*known.get(plan.id, ()), plan)


def _lower_call(inputs: JobInputs, job: Job, known: Known) -> list[JobPlan]:
    """Return the plans of a job that calls a workflow, and of that workflow's jobs."""
    scope = job_scope(inputs, job.id)
    ruled = call_by_rule(inputs, job, scope)
    problem = condition_problem(job, scope)
    if ruled is not None:
        plan = ruled
    elif inputs.inactive is not None:
        plan = whole(inputs, job, scope, inputs.inactive)
    elif problem:
        plan = _refused(inputs, job, scope, problem)
    else:
        try:
            return _follow(inputs, job, scope, known)
        except Unfollowed as why:
            plan = _refused(inputs, job, scope, str(why))
        except UnknownValueError as error:
            plan = _unknown(inputs, job, scope, known, error)
        except (ExpressionError, MatrixError) as error:
            if inputs.told(job.id) is not None and not isinstance(error, EmptyMatrixError):
                raise
            plan = _refused(inputs, job, scope, f"the call of {raw(job.uses)}: {error}")
    plan = after_needs(plan, known, inputs)
    _add(known, [plan])
    return [plan]


def _unknown(
    inputs: JobInputs, job: Job, scope: Scope, known: Known, error: UnknownValueError
) -> JobPlan:
    """A call whose matrix hangs on a job before it is open; anything else unknown is refused."""
    if never_known(error) or inputs.told(job.id) is not None or not _is_of_matrix(job, scope):
        return _refused(inputs, job, scope, f"the call of {raw(job.uses)}: {error}")
    suffix = "" if "${{" in raw(job.name) else f" {MATRIX_SUFFIX}"
    plan = skeleton(inputs, job, scope.having(matrix=UNKNOWN, strategy=UNKNOWN), suffix)
    plan = replace(plan, key=plan.key.removesuffix(suffix), setup=None)
    return while_open(
        plan, job, inputs.labels, matrix=True, calls=_calls(inputs, job, scope, known)
    )


def _calls(inputs: JobInputs, job: Job, scope: Scope, known: Known) -> str:
    """Return a digest of what is called: it changes when that does, whatever the matrix comes to."""
    called = find_called(inputs, job, len(known))
    strategy = contexts.strategy(index=0, total=1, fail_fast=True, max_parallel=None)
    scope = scope.having(matrix={}, strategy=strategy)
    try:
        return digest_of(_one(inputs, job, scope, called, "", dict(known)))
    except ExpressionError:  # it hangs on the combination which jobs there are
        return digest_of_text(inputs.facts.read(called.path) or "")


def _is_of_matrix(job: Job, scope: Scope) -> bool:
    try:
        combinations_of(job, scope)
    except UnknownValueError:
        return True
    except (ExpressionError, MatrixError):
        return False
    return False


def _refused(inputs: JobInputs, job: Job, scope: Scope, reason: str) -> JobPlan:
    selectors = {"workflow": inputs.workflow.path.rpartition("/")[2], "job": job.id}
    remedy = verdict_rule("overridden", selectors, run="a command that does the same")
    return whole(inputs, job, scope, reason, remedy)


def _follow(inputs: JobInputs, job: Job, scope: Scope, known: Known) -> list[JobPlan]:
    called = find_called(inputs, job, len(known))
    combinations = combinations_of(job, scope)
    labels = [one.label if one is not None else "" for one in combinations]
    plans: list[JobPlan] = []
    for place, combination in enumerate(combinations):
        suffix = f" ({labels[place]})" if labels[place] else ""
        if labels.count(labels[place]) > 1:
            suffix += f" #{place + 1}"
        ours, _ = scope_at(job, scope, combination, place, len(combinations))
        values = dict(combination.values) if combination is not None else None
        rule = left_by(inputs.config, inputs.workflow, job, values)
        if rule is not None and inputs.inactive is None:
            left = all_steps(skeleton(inputs, job, ours, suffix), Verdict.SKIPPED, told_left(rule))
            plans.append(replace(left, matrix=values, left=True))
            continue
        plans += _one(inputs, job, ours, called, suffix, known)
    return plans


def _one(
    inputs: JobInputs, job: Job, scope: Scope, called: Workflow, suffix: str, known: Known
) -> list[JobPlan]:
    """Return one call's plans: the calling job first, then the jobs that it calls."""
    plan = skeleton(inputs, job, scope, suffix)
    caller = _caller(job, plan, scope, called)
    prefix = f"{plan.id}{suffix} / "
    jobs = lower_jobs(_inside(inputs, plan, caller, scope, called, prefix), known)
    plan = replace(
        plan,
        call=caller,
        inner={one.id: f"{prefix}{one.id}" for one in called.jobs},
        outputs=call_outputs(called),
        setup=None,
        reason=f"calls {called.path}",
        gating=False,
        gating_reason="its jobs count for themselves",
        matrix=caller.matrix,
        fail_fast=caller.fail_fast,
        max_parallel=caller.max_parallel,
        strategy_index=caller.strategy_index,
        strategy_total=caller.strategy_total,
    )
    plan = _summed_up(after_needs(plan, known, inputs), [one for one in jobs if one.active])
    _add(known, [plan])
    return [plan, *jobs]


def _caller(job: Job, plan: JobPlan, scope: Scope, called: Workflow) -> Caller:
    strategy = strategy_of(job, scope)
    told = scope.contexts["strategy"]
    return Caller(
        id=plan.id,
        job=job.id,
        needs=plan.needs,
        if_=plan.if_,
        inputs=tuple(call_inputs(job, called)),
        matrix=scope.contexts["matrix"],
        fail_fast=strategy.fail_fast,
        max_parallel=strategy.max_parallel,
        strategy_index=int(told["job-index"]),
        strategy_total=int(told["job-total"]),
    )


def _inside(
    inputs: JobInputs, plan: JobPlan, caller: Caller, scope: Scope, called: Workflow, prefix: str
) -> JobInputs:
    """Return what the jobs of the called workflow depend on. Raises ExpressionError."""
    outer = inputs.within
    return inputs._replace(
        workflow=called,
        within=Called(
            top=outer.top if outer is not None else inputs.workflow,
            prefix=prefix,
            name=f"{plan.name} / ",
            callers=(*(outer.callers if outer is not None else ()), caller),
            inputs=input_values(caller, scope.contexts),
            paths=(*paths_of(inputs), called.path),
            gates=(*(outer.gates if outer is not None else ()), scope.contexts),
        ),
    )


def _summed_up(plan: JobPlan, jobs: list[JobPlan]) -> JobPlan:
    """Give the calling job what follows from the jobs that it calls."""
    if not plan.active:
        return plan
    klass = class_of(job.klass for job in jobs)
    for verdict in (Verdict.SKIPPED, Verdict.REFUSED):
        left = next((job for job in jobs if job.verdict is verdict), None)
        if left is not None and plan.verdict is Verdict.EXECUTED:
            reason = f"{plan.reason}, with `{left.own_id}`: {left.reason}"
            return replace(plan, klass=klass, verdict=verdict, reason=reason)
    return replace(plan, klass=klass)

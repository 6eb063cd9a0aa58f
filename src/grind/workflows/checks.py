"""The `[[check]]`s of grind.toml as jobs of a plan, so that the same engine runs them."""

from __future__ import annotations

from fnmatch import fnmatchcase

from grind.core.config import FILE, Check
from grind.core.plan import JobPlan, Plan, Recipe, StepClass, StepPlan, StepSource, Verdict
from grind.workflows.actions import base_environment
from grind.workflows.lower import Request


def check_jobs(request: Request, changed: tuple[str, ...] | None) -> Plan:
    """Return the checks as a plan of one job each, in the order of grind.toml."""
    setup = base_environment(request.facts)
    return Plan(
        tree=request.tree,
        commit=request.commit,
        event=request.situation.event,
        ref=request.situation.ref,
        base=request.base,
        jobs=tuple(_job(check, changed, setup) for check in request.config.check),
    )


def _job(check: Check, changed: tuple[str, ...] | None, setup: Recipe) -> JobPlan:
    needed = _is_needed(check, changed)
    reason = "" if needed else "none of its inputs differs from the base"
    checkout = StepPlan(
        index=0,
        id="",
        name="checkout",
        run=None,
        uses="actions/checkout",
        shell="",
        working_directory="",
        env={},
        klass=StepClass.PROVISION,
        gating=True,
        verdict=Verdict.EXECUTED if needed else Verdict.SKIPPED,
        reason=reason,
        line=0,
        recipe=Recipe(kind="checkout"),
    )
    run = StepPlan(
        index=1,
        id="",
        name=check.name,
        run=check.run,
        uses=None,
        shell=check.shell or "",
        working_directory=check.working_directory or "",
        env=dict(check.env),
        klass=StepClass.CHECK,
        gating=needed,
        verdict=Verdict.EXECUTED if needed else Verdict.SKIPPED,
        reason=reason,
        line=0,
        source=StepSource(
            run=check.run,
            shell=check.shell or "",
            working_directory=check.working_directory or "",
            env=dict(check.env),
            timeout_minutes=check.timeout / 60 if check.timeout is not None else None,
        ),
    )
    return JobPlan(
        key=check_key(check.name),
        id=check.name,
        name=check.name,
        workflow=FILE,
        workflow_name=FILE,
        line=0,
        needs=check.needs,
        active=needed,
        klass=StepClass.CHECK,
        verdict=Verdict.EXECUTED if needed else Verdict.SKIPPED,
        reason=reason,
        steps=(checkout, run),
        runs_on=("self-hosted",),
        setup=setup,
    )


def check_key(name: str) -> str:
    """Return the plan key of a check."""
    return f"{FILE}/{name}"


def _is_needed(check: Check, changed: tuple[str, ...] | None) -> bool:
    if not check.inputs or not changed:
        return True
    return any(_matches(path, pattern) for path in changed for pattern in check.inputs)


def _matches(path: str, pattern: str) -> bool:
    if pattern.startswith("**/") and fnmatchcase(path, pattern[3:]):
        return True
    return fnmatchcase(path, pattern)

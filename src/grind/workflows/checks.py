"""The `[[check]]`s of grind.toml as jobs of a plan, so that the same engine runs them."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase

from grind.core.config import FILE, Check
from grind.core.plan import JobPlan, Plan, Recipe, StepClass, StepPlan, StepSource, Verdict
from grind.workflows.actions import base_environment
from grind.workflows.filters import Pattern, PatternError
from grind.workflows.gating import can_fail
from grind.workflows.lower import Request


def check_jobs(request: Request, changed: tuple[str, ...] | None) -> Plan:
    """Return the checks as a plan of one job each, in the order of grind.toml."""
    setup = base_environment(request.facts)
    needed = {c.name: _is_needed(c, changed) for c in request.config.check}
    needs = {c.name: c.needs for c in request.config.check}
    return Plan(
        tree=request.tree,
        commit=request.commit,
        event=request.situation.event,
        ref=request.situation.ref,
        base=request.base,
        jobs=tuple(
            _job(check, _active_needs(check.name, needs, needed), setup, needed=needed[check.name])
            for check in request.config.check
        ),
        repository=request.situation.repository,
    )


def _active_needs(
    name: str, needs: Mapping[str, tuple[str, ...]], needed: Mapping[str, bool]
) -> tuple[str, ...]:
    """What a check waits for. One that need not run is as good as green: those before it count."""
    found: dict[str, None] = {}
    pending, seen = list(needs[name]), {name}
    while pending:
        other = pending.pop(0)
        if other in seen:
            continue
        seen.add(other)
        if needed.get(other, True):
            found[other] = None
        else:
            pending += needs[other]
    return tuple(found)


def _job(check: Check, needs: tuple[str, ...], setup: Recipe, *, needed: bool) -> JobPlan:
    gating = can_fail(check.script, check.shell or "")
    gates = needed and (gating.gating or check.min_tests is not None)
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
        run=check.script,
        uses=None,
        shell=check.shell or "",
        working_directory=check.working_directory or "",
        env=dict(check.env),
        klass=StepClass.CHECK,
        gating=gates,
        gating_reason=gating.reason if needed and not gates else "",
        verdict=Verdict.EXECUTED if needed else Verdict.SKIPPED,
        reason=reason,
        line=0,
        source=StepSource(
            run=check.script,
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
        needs=needs,
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
    """As generous as either reading of a glob: a check too many does no harm."""
    if fnmatchcase(path, pattern) or fnmatchcase(path, f"{pattern.rstrip('/')}/*"):
        return True
    try:
        return Pattern(pattern).matches(path)
    except PatternError:
        return True

"""A workflow file read into typed data, with everything that is wrong with it, all at once.

`read_workflow` is total: it never raises for bad input, and what can be understood of a faulty
file is returned beside its problems. GitHub refuses a file as a whole when it has one problem; so
must whoever runs it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from grind.core.errors import Problem
from grind.workflows.checks_jobs import check_jobs
from grind.workflows.checks_on import check_on
from grind.workflows.conform import TooManyProblemsError, conform, read_mapping
from grind.workflows.schema import WORKFLOW, idle_filters
from grind.workflows.syntax import (
    Data,
    Job,
    Map,
    RunDefaults,
    Scalar,
    Seq,
    Step,
    Strategy,
    Trigger,
    Workflow,
)

CONTROLS = ("wait", "wait-all", "cancel", "parallel")
"""The keys of steps that run nothing themselves."""


class Reading(NamedTuple):
    """What could be read of a workflow file, and what is wrong with it."""

    workflow: Workflow | None
    problems: tuple[Problem, ...]


def read_workflow(path: str, source: bytes) -> Reading:
    """Read a workflow file. `path` is kept in the workflow and named in problems."""
    data, problems = read_mapping(path, source, "a workflow")
    if data is None:
        return Reading(None, problems.all())
    workflow = _workflow(path, data)
    with suppress(TooManyProblemsError):
        conform(data, WORKFLOW, "workflow", problems)
        if isinstance(jobs := data.get("jobs"), Map) and not jobs.entries:
            problems.add(jobs.mark, "a workflow needs at least one job")
        check_on(workflow, problems)
        check_jobs(workflow, problems)
    return Reading(workflow, problems.all())


def fields(data: Data | None) -> dict[str, Data]:
    """Return the values of a mapping by key; nothing for anything else."""
    return {key.text: value for key, value in data.entries} if isinstance(data, Map) else {}


def scalar(data: Data | None) -> Scalar | None:
    """Return `data` if it is a single value."""
    return data if isinstance(data, Scalar) else None


def mapping(data: Data | None) -> Map | Scalar | None:
    """Return `data` if it is a mapping, or a single value (an expression) in place of one."""
    return None if isinstance(data, Seq) else data


def scalars(data: Data | None) -> tuple[Scalar, ...]:
    """Return the single values of a list, or one value as a list of itself."""
    if isinstance(data, Seq):
        return tuple(item for item in data.items if isinstance(item, Scalar))
    return (data,) if isinstance(data, Scalar) and data.value is not None else ()


def steps(data: Data | None) -> tuple[Step, ...]:
    """Return the steps of a `steps:` list, of a job or of a composite action."""
    if not isinstance(data, Seq):
        return ()
    return tuple(
        _step(index, item) for index, item in enumerate(data.items) if isinstance(item, Map)
    )


def _workflow(path: str, data: Map) -> Workflow:
    get = fields(data).get
    jobs = get("jobs")
    return Workflow(
        path=path,
        name=scalar(get("name")),
        run_name=scalar(get("run-name")),
        on=_triggers(get("on")),
        env=mapping(get("env")),
        defaults=_defaults(get("defaults")),
        concurrency=get("concurrency"),
        permissions=get("permissions"),
        jobs=tuple(_job(key, value) for key, value in jobs.entries if isinstance(value, Map))
        if isinstance(jobs, Map)
        else (),
        root=data,
    )


def _triggers(data: Data | None) -> tuple[Trigger, ...]:
    if isinstance(data, Map):
        return tuple(_trigger(key, value) for key, value in data.entries)
    return tuple(Trigger(event=name.text, mark=name.mark) for name in scalars(data))


def _trigger(key: Scalar, data: Data) -> Trigger:
    get = fields(data).get
    idle = idle_filters(key.text)

    def filters(name: str) -> tuple[Scalar, ...] | None:
        value = None if name in idle else get(name)
        # GitHub takes a filter without a value for no filter.
        absent = value is None or (isinstance(value, Scalar) and value.value is None)
        return None if absent else scalars(value)

    def inner(name: str) -> Map | None:
        value = get(name)
        return value if isinstance(value, Map) else None

    cron = None
    if isinstance(data, Seq):
        cron = tuple(
            value for item in data.items if (value := scalar(fields(item).get("cron"))) is not None
        )
    return Trigger(
        event=key.text,
        mark=key.mark,
        branches=filters("branches"),
        branches_ignore=filters("branches-ignore"),
        tags=filters("tags"),
        tags_ignore=filters("tags-ignore"),
        paths=filters("paths"),
        paths_ignore=filters("paths-ignore"),
        types=filters("types"),
        workflows=filters("workflows"),
        names=filters("names"),
        versions=filters("versions"),
        cron=cron,
        inputs=inner("inputs"),
        outputs=inner("outputs"),
        secrets=inner("secrets"),
        idle=tuple(name for name, _ in data.entries if name.text in idle)
        if isinstance(data, Map)
        else (),
    )


def _defaults(data: Data | None) -> RunDefaults:
    run = fields(fields(data).get("run"))
    if not run:
        return RunDefaults()
    return RunDefaults(scalar(run.get("shell")), scalar(run.get("working-directory")))


def _strategy(data: Data | None) -> Strategy | None:
    if data is None:
        return None
    get = fields(data).get
    return Strategy(
        mark=data.mark,
        matrix=get("matrix") if isinstance(data, Map) else data,
        fail_fast=scalar(get("fail-fast")),
        max_parallel=scalar(get("max-parallel")),
    )


def _job(key: Scalar, data: Map) -> Job:
    get = fields(data).get
    return Job(
        id=key.text,
        mark=key.mark,
        name=scalar(get("name")),
        needs=scalars(get("needs")),
        if_=scalar(get("if")),
        runs_on=get("runs-on"),
        environment=get("environment"),
        concurrency=get("concurrency"),
        permissions=get("permissions"),
        outputs=mapping(get("outputs")),
        env=mapping(get("env")),
        defaults=_defaults(get("defaults")),
        timeout_minutes=scalar(get("timeout-minutes")),
        strategy=_strategy(get("strategy")),
        continue_on_error=scalar(get("continue-on-error")),
        container=get("container"),
        services=get("services"),
        steps=steps(get("steps")),
        uses=scalar(get("uses")),
        with_=mapping(get("with")),
        secrets=get("secrets"),
        cancel_timeout_minutes=scalar(get("cancel-timeout-minutes")),
        snapshot=get("snapshot"),
    )


def _step(index: int, data: Map) -> Step:
    present = fields(data)
    get = present.get
    control = next((name for name in CONTROLS if name in present), None)
    return Step(
        index=index,
        mark=data.mark,
        id=scalar(get("id")),
        name=scalar(get("name")),
        if_=scalar(get("if")),
        run=scalar(get("run")),
        uses=scalar(get("uses")),
        with_=mapping(get("with")),
        shell=scalar(get("shell")),
        working_directory=scalar(get("working-directory")),
        env=mapping(get("env")),
        continue_on_error=scalar(get("continue-on-error")),
        timeout_minutes=scalar(get("timeout-minutes")),
        background=scalar(get("background")),
        control=(control, present[control]) if control else None,
        parallel=steps(get("parallel")),
    )

"""`grind check`: the repository's own checks, then CI's steps, and a receipt when all is proven."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

import msgspec

from grind import __version__
from grind.core import events as e
from grind.core.errors import ExitCode
from grind.core.outcome import JobOutcome, Outcome, judge
from grind.core.plan import JobPlan
from grind.core.receipt import Receipt, StepRecord, Tool, write_receipt
from grind.flows.arrival import Arrival, sending
from grind.flows.engine import Engine, EngineInputs, Results
from grind.flows.heads import head_of
from grind.flows.prepare import Prepared
from grind.flows.selection import Selection as Selection
from grind.flows.selection import select_class as select_class
from grind.flows.selection import select_failed as select_failed
from grind.flows.selection import select_jobs as select_jobs
from grind.ports import Clock, Host, LogStore, Repository
from grind.workflows.binding import bound_to_commit
from grind.workflows.checks import check_key
from grind.workflows.tasks import TaskInputs


class Recorder(Protocol):
    """Where events go: the journal, and then the face."""

    def __call__(self, event: e.Event) -> None:
        """Record and show one event. Raises GrindError when it cannot be recorded."""


class CheckInputs(NamedTuple):
    """What a check depends on."""

    repository: Repository
    host: Host
    clock: Clock
    logs: LogStore
    record: Recorder
    run: str
    command: str
    resumed: bool
    parallel: int
    save_receipt: Callable[[str, bytes], str]
    drop_receipt: Callable[[str], None]
    tools_print: Callable[[Iterable[Tool]], str]
    debug: bool = False
    """Whether `::debug::` lines of the steps are shown."""
    carried: tuple[dict[str, JobOutcome], list[StepRecord]] | None = None
    """Results of the last run of this very plan, for the jobs that are not run again."""
    facts: Mapping[str, str] | None = None
    """What the receipt keeps of the host."""


async def check(inputs: CheckInputs, prepared: Prepared, selection: Selection) -> e.RunEnded:
    """Run the selected part of the plan; return how it ended.

    A full receipt is written if and only if the whole plan ran and every active gating step was
    executed, satisfied or overridden; a partial one says what is missing.
    """
    started = inputs.clock.now()
    plan = prepared.whole
    chosen = [job for job in plan.jobs if _is_chosen(job, prepared, selection)]
    inputs.record(
        e.RunStarted(
            run=inputs.run,
            command=inputs.command,
            tree=plan.tree,
            commit=plan.commit,
            digest=plan.digest,
            host=inputs.host.name,
            jobs=tuple(head_of(job) for job in chosen if job.active),
            resumed=inputs.resumed,
            ground=prepared.ground,
        )
    )
    inputs.host.listen(lambda text: inputs.record(e.Note("warning", text)))
    try:
        async with _sending(inputs, prepared) as arrival:
            engine_inputs = _engine_inputs(inputs, prepared, arrival)
            results = await _run(engine_inputs, prepared, selection)
            await arrival.there()
    except BaseException as error:
        if isinstance(error, asyncio.CancelledError | KeyboardInterrupt):
            _record_cancelled(inputs, started)
        raise
    whole = selection.whole or inputs.carried is not None
    results = _with_carried(inputs, results)
    part = plan if whole else msgspec.structs.replace(plan, jobs=tuple(chosen))
    part = msgspec.structs.replace(part, jobs=tuple(results.real(part.jobs)))
    outcome = judge(part, results.jobs, results.steps)
    duration = inputs.clock.now() - started
    path = ""
    if whole and outcome.state in ("green", "partial"):
        receipt = _receipt(inputs, prepared, results, outcome, duration)
        if receipt.void:
            inputs.record(e.Note("error", "the snapshot changed during the run: nothing is proven"))
        path = inputs.save_receipt(plan.tree, write_receipt(receipt))
    elif outcome.state == "red" or (whole and outcome.state == "hollow"):
        inputs.drop_receipt(plan.tree)
    ended = e.RunEnded(
        run=inputs.run,
        state=outcome.state,
        exit_code=int(outcome.exit_code),
        executed=outcome.executed,
        failed=outcome.failed,
        refused=outcome.refused,
        open=outcome.open,
        unproven=outcome.unproven,
        remedies=outcome.remedies,
        receipt=path,
        duration=duration,
    )
    inputs.record(ended)
    return ended


def _record_cancelled(inputs: CheckInputs, started: float) -> None:
    inputs.record(
        e.RunEnded(
            run=inputs.run,
            state="cancelled",
            exit_code=int(ExitCode.INTERRUPTED),
            executed=0,
            failed=0,
            refused=0,
            duration=inputs.clock.now() - started,
        )
    )


def _with_carried(inputs: CheckInputs, results: Results) -> Results:
    """Add what the last run found of the jobs that were not run again."""
    if inputs.carried is None:
        return results
    outcomes, records = inputs.carried
    kept = tuple(record for record in records if record.job not in results.jobs)
    return Results({**outcomes, **results.jobs}, (*kept, *results.steps), results.expanded)


async def _run(inputs: EngineInputs, prepared: Prepared, selection: Selection) -> Results:
    """Fast checks first; CI's steps only when none of them failed."""
    first = Engine(prepared.checks, inputs, selection.checks)
    checks = await first.run()
    failed = [
        key for key, outcome in checks.jobs.items() if outcome.conclusion in ("failure", "lost")
    ]
    if failed or selection.jobs == frozenset():
        return checks
    rest = await Engine(prepared.plan, inputs, selection.jobs).run()
    return Results({**checks.jobs, **rest.jobs}, checks.steps + rest.steps, rest.expanded)


def _is_chosen(job: JobPlan, prepared: Prepared, selection: Selection) -> bool:
    is_check = any(job is check for check in prepared.checks.jobs)
    wanted = selection.checks if is_check else selection.jobs
    return wanted is None or job.key in wanted


def _sending(inputs: CheckInputs, prepared: Prepared) -> AbstractAsyncContextManager[Arrival]:
    basis, repository = prepared.basis, inputs.repository
    target = basis.target

    def prepare() -> str:
        return repository.prepare(basis.snapshot, target.remote, target.main)

    return sending(
        inputs.host, repository.private, repository.submodule_repositories, prepare=prepare
    )


def _engine_inputs(inputs: CheckInputs, prepared: Prepared, arrival: Arrival) -> EngineInputs:
    basis = prepared.basis
    minimum = {
        check_key(check.name): check.min_tests
        for check in basis.config.check
        if check.min_tests is not None
    }
    return EngineInputs(
        host=inputs.host,
        clock=inputs.clock,
        logs=inputs.logs,
        emit=inputs.record,
        run=inputs.run,
        situation=prepared.situation,
        tasks=TaskInputs(
            oid=basis.snapshot.commit, ref=prepared.situation.ref, origin=basis.target.url
        ),
        repository=arrival.place,
        arrived=arrival.there,
        parallel=inputs.parallel,
        min_tests=minimum,
        debug=inputs.debug,
        expand=prepared.expander.expand,
    )


def _receipt(
    inputs: CheckInputs, prepared: Prepared, results: Results, outcome: Outcome, duration: float
) -> Receipt:
    plan, identity = prepared.whole, prepared.identity
    created = inputs.clock.now()
    asked = {*prepared.tools, *prepared.expander.tools}
    tools = tuple(sorted(asked, key=lambda tool: tool.question))
    return Receipt(
        tree=plan.tree,
        commit=plan.commit,
        tree_after=inputs.repository.tree_of(plan.commit) or "gone",
        digest=plan.digest,
        key=prepared.basis.key,
        state=outcome.state,
        host=f"{identity.id}/{identity.architecture}",
        host_name=inputs.host.name,
        system=identity.system,
        run=inputs.run,
        created=created,
        expires=created + prepared.basis.config.receipt.max_age,
        duration=duration,
        grind=__version__,
        executed=outcome.executed,
        steps=results.steps,
        unproven=outcome.unproven,
        open=outcome.open,
        remedies=outcome.remedies,
        bound=plan.commit if bound_to_commit(plan) else "",
        tools=tools,
        tools_print=inputs.tools_print(tools),
        facts=dict(inputs.facts or {}),
    )

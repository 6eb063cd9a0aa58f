"""Restart the units of a host, in order: for a service that is stuck, not for one that is wrong."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from grind.core import events as e
from grind.core.errors import ExitCode, GrindError, UnreachableError
from grind.core.health import ProbeReport
from grind.core.texts import one_line
from grind.core.undoevents import (
    RollbackEnded,
    RollbackIntent,
    RollbackPlanned,
    UnitRestarted,
    UnitRestarting,
)
from grind.ports import Clock, Completed, Host

RESTART_SECONDS = 180.0
"""How long a restart may take: systemd's own default for a start and a stop is 90 seconds each."""
_FACTS = ("LoadState", "ActiveState", "SubState")


class RuntimeInputs(NamedTuple):
    """What restarting depends on."""

    host: Host
    clock: Clock
    record: Callable[[e.Event], None]
    probe: Callable[[], Awaitable[ProbeReport]] | None
    """Probes the host. None without probes."""


class UnitState(NamedTuple):
    """A unit, as it is before it is restarted."""

    unit: str
    state: str


async def plan_runtime(host: Host, units: Sequence[str]) -> tuple[UnitState, ...]:
    """Ask the host for the units. Raises GrindError when there are none to restart, or one is not
    known there: then nothing is begun."""
    if not units:
        raise GrindError(
            "it is not said which units to restart",
            remedy="grind rollback runtime UNIT…, or [rollback] units in grind.toml",
        )
    facts = f"--property={','.join(_FACTS)}"
    asked = {unit: ("systemctl", "show", facts, "--", unit) for unit in units}
    answers = await host.ask(asked)
    states, problems = [], []
    for unit in units:
        done = answers[unit]
        told = dict(
            line.partition("=")[::2] for line in done.out.decode("utf-8", "replace").splitlines()
        )
        if done.exit_code:
            problems.append(f"{unit}: {_said(done)}")
        elif told.get("LoadState") != "loaded":
            problems.append(f"{unit}: {one_line(told.get('LoadState') or 'not known')}")
        else:
            state = f"{told.get('ActiveState', '')} ({told.get('SubState', '')})"
            states.append(UnitState(unit, one_line(state)))
    if problems:
        raise GrindError(
            f"{host.name} cannot restart {'; '.join(problems)}",
            remedy="`systemctl list-units` on the host shows what there is",
        )
    return tuple(states)


def planned(host: str, states: Sequence[UnitState], probes: int) -> RollbackPlanned:
    """Return the plan as it is shown."""
    steps = [f"restart {one.unit}, now {one.state}" for one in states]
    steps.append(f"ask {probes} probes" if probes else "no probe says whether it helped")
    return RollbackPlanned(
        kind="runtime", what=", ".join(one.unit for one in states), where=host, steps=tuple(steps)
    )


async def restart(
    inputs: RuntimeInputs, states: Sequence[UnitState], reason: str = ""
) -> RollbackEnded:
    """Restart the units one after the other, stop at the first that does not come up, then probe.

    The intent is recorded before each restart. Raises UnreachableError when the host stops
    answering: then it is not known what the last one did, and the journal says which that was.
    """
    begun = inputs.clock.now()
    inputs.record(
        RollbackIntent(
            kind="runtime",
            what=", ".join(one.unit for one in states),
            where=inputs.host.name,
            reason=reason,
        )
    )
    try:
        problem = await _restart_all(inputs, [one.unit for one in states])
    except UnreachableError as error:
        _ended(inputs, begun, "failed", ExitCode.UNREACHABLE, error.message)
        raise
    if problem:
        return _ended(inputs, begun, "failed", ExitCode.ROLLBACK_FAILED, problem)
    if inputs.probe is None:
        return _ended(inputs, begun, "undone", ExitCode.DONE, "no probe says whether it helped")
    report = await inputs.probe()
    if report.healthy:
        return _ended(inputs, begun, "undone", ExitCode.DONE, "", healthy=True)
    red = ", ".join(row.name for row in report.red) or "no probe was asked"
    return _ended(
        inputs, begun, "unhealthy", ExitCode.ROLLBACK_FAILED, f"red: {red}", healthy=False
    )


async def _restart_all(inputs: RuntimeInputs, units: Sequence[str]) -> str:
    """Return why not all are restarted, or an empty string."""
    host, clock = inputs.host, inputs.clock
    user = (await host.ask({"user": ("id", "-u")}))["user"]
    prefix = () if user.out.strip() == b"0" else ("sudo", "-n")
    for unit in units:
        inputs.record(UnitRestarting(host=host.name, unit=unit))
        begun = clock.now()
        done = await host.run(
            (*prefix, "systemctl", "restart", "--", unit), seconds=RESTART_SECONDS
        )
        problem = _said(done) if done.exit_code else ""
        inputs.record(
            UnitRestarted(
                host=host.name,
                unit=unit,
                ok=not problem,
                problem=problem,
                seconds=clock.now() - begun,
            )
        )
        if problem:
            return f"{unit} did not restart: {problem}"
    return ""


def _ended(
    inputs: RuntimeInputs,
    begun: float,
    state: str,
    code: ExitCode,
    reason: str,
    *,
    healthy: bool | None = None,
) -> RollbackEnded:
    ended = RollbackEnded(
        kind="runtime",
        state=state,
        exit_code=int(code),
        reason=reason,
        healthy=healthy,
        duration=inputs.clock.now() - begun,
    )
    inputs.record(ended)
    return ended


def _said(done: Completed) -> str:
    text = (done.err or done.out).decode("utf-8", "replace").strip()
    last = one_line(text.splitlines()[-1])[:200] if text else ""
    return f"exit code {done.exit_code}" + (f": {last}" if last else "")

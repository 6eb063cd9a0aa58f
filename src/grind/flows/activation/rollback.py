"""`grind rollback host`: back to the recorded good generation, or to one that is named."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from grind.core.activation import Spec
from grind.core.errors import ExitCode, GrindError, RefusedError
from grind.core.hostevents import ActivateEnded, ActivatePlanned, ActivateProbed, ActivateStarted
from grind.core.hosthistory import (
    Generation,
    HostState,
    drifts,
    generations,
    last_open,
    revision_of,
    rollback_target,
)
from grind.core.suggest import suggestion
from grind.flows.activation.difference import failed_units, find_difference, with_difference
from grind.flows.activation.ground import require_idle, stand_of
from grind.flows.activation.inputs import ActivateInputs, Expected
from grind.flows.activation.supervisor import Supervisor, find_supervisor
from grind.flows.activation.switch import follow, switch


async def roll_back(inputs: ActivateInputs, to: str | None) -> ActivateEnded:
    """Show the plan, and carry it out unless it is a dry run. What a cut-off activation left open is
    brought to its end instead: that is the way back that the host has recorded.

    Raises GrindError when nothing was begun.
    """
    begun = inputs.clock.now()
    inputs.record(
        ActivateStarted(
            activation=inputs.activation,
            host=inputs.host.name,
            purpose="rollback",
            kind=inputs.config.kind,
            who=inputs.who,
        )
    )
    supervisor = await find_supervisor(
        inputs.host, inputs.config, inputs.program, inputs.lock, inputs.origin
    )
    state, holder = await asyncio.gather(
        stand_of(inputs.host, supervisor, inputs.config), inputs.holder()
    )
    require_idle(inputs.host, state, holder)
    open_one = last_open(state)
    if open_one is not None and to is None and not inputs.dry_run:
        ended = await follow(inputs, supervisor, open_one.id, revision_of(state, open_one.old))
        # Going back is what was asked for.
        if ended.state == "rolled-back":
            ended = replace(ended, exit_code=int(ExitCode.DONE))
    else:
        target = find_target(inputs, state, to)
        ended = await _go(
            inputs, supervisor, state, target, await _planned(inputs, supervisor, state, target)
        )
    ended = replace(ended, duration=inputs.clock.now() - begun)
    inputs.record(ended)
    return ended


def find_target(inputs: ActivateInputs, state: HostState, to: str | None) -> Generation:
    """Return the generation to go to. Raises RefusedError when none is known to be good, GrindError
    when there is none of that name."""
    every = generations(state)
    if to is not None:
        for row in every:
            if to in (row.name, row.system):
                return row
        names = [row.name for row in every]
        meant = suggestion(to, names)
        raise GrindError(
            f"{inputs.host.name} has no generation {to!r}; it has {', '.join(names) or 'none'}",
            remedy=f"grind rollback host --to {meant or 'N'}",
        )
    target = rollback_target(state)
    if target is None:
        raise RefusedError(
            f"no generation of {inputs.host.name} but the running one is known to be good",
            remedy="grind status --host, then grind rollback host --to N",
        )
    return target


async def _planned(
    inputs: ActivateInputs, supervisor: Supervisor, state: HostState, target: Generation
) -> ActivatePlanned:
    head = ActivatePlanned(
        activation=inputs.activation,
        old=state.running,
        new=target.system,
        changed=target.system != state.running or state.profile != state.running,
        generation=state.number,
        target=target.name if inputs.config.kind == "nixos" else "",
        drift=tuple(one.text for one in drifts(state)),
        notes=(f"{target.name} is {_told(target)}",),
    )
    if inputs.config.kind == "commands":
        inputs.record(head)
        return head
    if target.system == state.running:
        planned = replace(head, failed=await failed_units(inputs.host))
    else:
        planned = with_difference(
            head, await find_difference(supervisor, state.running, target.system)
        )
    inputs.record(planned)
    return planned


def _told(target: Generation) -> str:
    made = f", made from {target.revision[:12]}" if target.revision else ""
    why = f": {target.reason}" if target.reason else ""
    return f"{target.verdict}{why}{made}"


async def _go(
    inputs: ActivateInputs,
    supervisor: Supervisor,
    state: HostState,
    target: Generation,
    planned: ActivatePlanned,
) -> ActivateEnded:
    ended = ActivateEnded(
        activation=inputs.activation,
        host=inputs.host.name,
        state="planned",
        exit_code=int(ExitCode.DONE),
        old=state.running,
        new=target.system,
        generation=state.number,
    )
    if inputs.dry_run:
        return ended
    if not inputs.probes:
        raise RefusedError(
            f"there is no probe for {inputs.host.name}: nobody could say whether it is well "
            "afterwards; nothing was touched",
            remedy="a [[probe]] in grind.toml: docs/probes.md",
        )
    if not planned.changed:
        return await _look(inputs, ended, target)
    return await switch(inputs, supervisor, _spec(inputs, state, target, planned))


async def _look(inputs: ActivateInputs, ended: ActivateEnded, target: Generation) -> ActivateEnded:
    looked = await inputs.probe(Expected("nothing", target.revision or None, None, None))
    inputs.record(
        ActivateProbed(
            activation=inputs.activation,
            after="nothing",
            healthy=looked.healthy,
            red=looked.red,
            seconds=looked.seconds,
        )
    )
    code = ExitCode.DONE if looked.healthy else ExitCode.STEP_FAILED
    reason = "" if looked.healthy else f"it is not well: {'; '.join(looked.red)}"
    return replace(
        ended, state="unchanged", exit_code=int(code), healthy=looked.healthy, reason=reason
    )


def _spec(
    inputs: ActivateInputs, state: HostState, target: Generation, planned: ActivatePlanned
) -> Spec:
    config = inputs.config
    nixos = config.kind == "nixos"
    return Spec(
        id=inputs.activation,
        kind=config.kind,
        purpose="rollback",
        old=state.running,
        new=target.system,
        generation=state.number,
        target=planned.target,
        profile=config.profile if nixos else "",
        running=config.running if nixos else "",
        deadline=inputs.deadline,
        limit=int(config.switch_within) or 1,
        otherwise="keep",
        revision=target.revision,
        who=inputs.who,
        switch=config.switch or "",
        back=config.back or "",
        current=config.current or "",
        baseline=planned.failed,
    )

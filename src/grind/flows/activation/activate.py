"""`grind activate`: plan, build, and switch when the host would change."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from msgspec.structs import replace

from grind.core import events as e
from grind.core.activation import Spec
from grind.core.errors import ExitCode, GrindError, RefusedError
from grind.core.hostevents import ActivateEnded, ActivatePlanned, ActivateProbed, ActivateStarted
from grind.core.hosthistory import HostState, activations, drifts, last_open, revision_of
from grind.flows.activation.build import Building, Built
from grind.flows.activation.difference import Difference, find_difference, with_difference
from grind.flows.activation.ground import find_ground, require_idle, require_whole
from grind.flows.activation.inputs import ActivateInputs, Expected
from grind.flows.activation.supervisor import Supervisor, find_supervisor
from grind.flows.activation.switch import follow, switch


async def activate(inputs: ActivateInputs) -> ActivateEnded:
    """Bring the host to the snapshot's system, or leave it as it was, or bring it back.

    Raises GrindError when it was not begun; then nothing of the host was touched.
    """
    if not inputs.probes and not inputs.dry_run:
        raise RefusedError(
            f"there is no probe for {inputs.host.name}: nobody could say whether it is well after "
            "the switch; nothing was touched",
            remedy="a [[probe]] in grind.toml: docs/probes.md",
        )
    inputs.record(
        ActivateStarted(
            activation=inputs.activation,
            host=inputs.host.name,
            purpose="activate",
            kind=inputs.config.kind,
            tree=inputs.tree,
            commit=inputs.commit,
            who=inputs.who,
        )
    )
    building = Building(inputs)
    building.prepare()
    try:
        return await _activate(inputs, building)
    finally:
        await building.close()


async def _activate(inputs: ActivateInputs, building: Building) -> ActivateEnded:
    begun = inputs.clock.now()
    supervisor = await find_supervisor(
        inputs.host, inputs.config, inputs.program, inputs.lock, inputs.origin
    )
    state, holder = await asyncio.gather(
        find_ground(inputs.host, supervisor, inputs.config), inputs.holder()
    )
    taken_up = await _taken_up(inputs, supervisor, state)
    if taken_up is not None and taken_up.tree == inputs.tree:
        return taken_up.ended
    if taken_up is not None:
        state, holder = await asyncio.gather(
            find_ground(inputs.host, supervisor, inputs.config), inputs.holder()
        )
    require_idle(inputs.host, state, holder)
    state = await _settled(inputs, supervisor, state)
    require_whole(inputs.host, state)
    built = await building.build()
    planned, difference = await _plan(inputs, supervisor, state, built)
    inputs.record(planned)
    if not planned.changed:
        ended = await _unchanged(inputs, state, planned)
    elif inputs.dry_run:
        ended = _ended(inputs, planned, "planned", ExitCode.DONE)
    else:
        spec = _spec(inputs, state, built, difference)
        revision = revision_of(state, state.running)
        ill = await _ill_before(inputs, revision)
        ended = await switch(inputs, supervisor, spec, revision, ill)
    ended = replace(ended, duration=inputs.clock.now() - begun)
    inputs.record(ended)
    return ended


class TakenUp(NamedTuple):
    """An activation that was begun from here and cut off, brought to its end."""

    ended: ActivateEnded
    tree: str


async def _taken_up(
    inputs: ActivateInputs, supervisor: Supervisor, state: HostState
) -> TakenUp | None:
    """Follow to its end what was begun from here and cut off: the host may still be waiting."""
    cut_off = inputs.unfinished()
    known = [one for one in activations(state) if cut_off and one.id == cut_off.activation]
    if cut_off is None or not known:
        return None
    inputs.record(e.Note("info", f"taking up {cut_off.activation}, which was cut off"))
    revision = revision_of(state, known[0].old)
    ended = await follow(inputs, supervisor, cut_off.activation, revision, cut_off.ill)
    inputs.record(ended)
    return TakenUp(ended, known[0].tree)


async def _settled(inputs: ActivateInputs, supervisor: Supervisor, state: HostState) -> HostState:
    """What a killed supervisor or a reboot left open is brought to its end first, by going back."""
    open_one = last_open(state)
    if open_one is None:
        return state
    if inputs.dry_run:
        raise RefusedError(
            f"the last activation of {inputs.host.name} ({open_one.id}) was cut off and is not "
            "repaired; a dry run changes nothing",
            remedy="grind activate, or grind rollback host",
        )
    inputs.record(
        e.Note("warning", f"the last activation ({open_one.id}) was cut off; it is repaired first")
    )
    await follow(inputs, supervisor, open_one.id, revision_of(state, open_one.old))
    state = await find_ground(inputs.host, supervisor, inputs.config)
    if last_open(state) is not None:
        raise GrindError(
            f"{inputs.host.name} could not be repaired",
            remedy="grind status --host",
            code=ExitCode.DRIFT,
        )
    return state


async def _plan(
    inputs: ActivateInputs, supervisor: Supervisor, state: HostState, built: Built
) -> tuple[ActivatePlanned, Difference | None]:
    changed = built.name != state.running
    difference: Difference | None = None
    if inputs.config.kind == "nixos" and changed:
        await _must_be_system(inputs, built.name)
        difference = await find_difference(supervisor, state.running, built.name)
    drift = tuple(one.text for one in drifts(state))
    head = ActivatePlanned(
        activation=inputs.activation,
        old=state.running,
        new=built.name,
        changed=changed,
        generation=state.number,
        drift=drift,
        notes=(f"built with {built.limits}",),
    )
    if difference is None:
        return head, None
    told = replace(with_difference(head, difference), only_revision=difference.only_revision)
    return told, difference


async def _must_be_system(inputs: ActivateInputs, path: str) -> None:
    said = await inputs.host.run(("test", "-x", f"{path}/bin/switch-to-configuration"))
    if said.exit_code:
        raise GrindError(
            f"{path} is no NixOS system: it has no bin/switch-to-configuration; nothing was touched",
            remedy='`flake` of [activate]: ".#nixosConfigurations.NAME"',
        )


async def _unchanged(
    inputs: ActivateInputs, state: HostState, planned: ActivatePlanned
) -> ActivateEnded:
    """Nothing to switch; but whoever hears that all is well may rely on one look at it."""
    ended = _ended(inputs, planned, "unchanged", ExitCode.DONE)
    if not inputs.probes or inputs.dry_run:
        return ended
    revision = revision_of(state, state.running)
    looked = await inputs.probe(Expected("nothing", revision, None, None))
    inputs.record(
        ActivateProbed(
            activation=inputs.activation,
            after="nothing",
            healthy=looked.healthy,
            red=looked.red,
            seconds=looked.seconds,
        )
    )
    if looked.healthy:
        return replace(ended, healthy=True)
    return replace(
        ended,
        healthy=False,
        exit_code=int(ExitCode.STEP_FAILED),
        reason=f"the host runs this system already, and is not well: {'; '.join(looked.red)}",
    )


async def _ill_before(inputs: ActivateInputs, revision: str | None) -> tuple[str, ...]:
    """Return the probes that are red before anything is switched: a change may bring a probe with it
    that what runs now does not know, and going back cannot mend what was ill before."""
    looked = await inputs.probe(Expected("before", revision, None, None))
    inputs.record(
        ActivateProbed(
            activation=inputs.activation,
            after="before",
            healthy=looked.healthy,
            red=looked.red,
            seconds=looked.seconds,
        )
    )
    return looked.names


def _ended(
    inputs: ActivateInputs, planned: ActivatePlanned, state: str, code: ExitCode
) -> ActivateEnded:
    return ActivateEnded(
        activation=inputs.activation,
        host=inputs.host.name,
        state=state,
        exit_code=int(code),
        old=planned.old,
        new=planned.new,
        generation=planned.generation,
    )


def _spec(
    inputs: ActivateInputs, state: HostState, built: Built, difference: Difference | None
) -> Spec:
    config = inputs.config
    nixos = config.kind == "nixos"
    return Spec(
        id=inputs.activation,
        kind=config.kind,
        old=state.running,
        new=built.name,
        generation=state.number,
        profile=config.profile if nixos else "",
        running=config.running if nixos else "",
        deadline=inputs.deadline,
        limit=int(config.switch_within) or 1,
        revision=inputs.commit,
        tree=inputs.tree,
        who=inputs.who,
        cwd=built.workspace,
        switch=config.switch or "",
        back=config.back or "",
        current=config.current or "",
        baseline=difference.failed if difference is not None else (),
    )

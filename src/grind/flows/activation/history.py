"""What a host runs and has run, asked without changing anything."""

from __future__ import annotations

from msgspec.structs import replace

from grind.core.activateconfig import ActivateConfig
from grind.core.hosthistory import (
    Drift,
    HostState,
    HostStatus,
    activations,
    drifts,
    generations,
    last_open,
)
from grind.flows.activation.ground import stand_of
from grind.flows.activation.supervisor import find_supervisor
from grind.ports import Host


async def host_status(
    host: Host, config: ActivateConfig, program: bytes, tree: str, built: str | None
) -> HostStatus:
    """Ask. `built` is what the working copy's tree was seen to build before.

    Raises GrindError, UnreachableError.
    """
    supervisor = await find_supervisor(host, config, program)
    state = await stand_of(host, supervisor, config)
    known = built or _built_before(state, tree)
    open_one = last_open(state)
    return HostStatus(
        host=host.name,
        kind=state.kind,
        running=state.running,
        profile=state.profile,
        number=state.number,
        booted=state.booted,
        generations=generations(state),
        drift=tuple(_known(one, state, known) for one in drifts(state, known)),
        built=known,
        working=open_one.id if open_one is not None and state.working else "",
        cut_off=open_one.id if open_one is not None and not state.working else "",
    )


def _known(drift: Drift, state: HostState, built: str | None) -> Drift:
    """What was found bad on this host is not to be activated again."""
    found = [row for row in generations(state) if row.system == built and row.verdict == "bad"]
    if drift.kind != "behind" or not found:
        return drift
    return replace(
        drift,
        text=f"{drift.text}; it was found bad here: {found[-1].reason}",
        remedy="mend it, then grind activate",
    )


def _built_before(state: HostState, tree: str) -> str | None:
    """Return what was built from that tree for this host, when its record says so."""
    found = [
        one.new for one in activations(state) if one.tree == tree and one.purpose == "activate"
    ]
    return found[-1] if found else None

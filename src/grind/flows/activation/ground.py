"""Whether a host can be activated at all, before anything is built: what it has, and how it stands."""

from __future__ import annotations

import asyncio

from grind.core.activateconfig import ActivateConfig
from grind.core.errors import ExitCode, GrindError
from grind.core.holders import ACTIVATION, HostHeldError, HostHolder
from grind.core.hosthistory import HostState, activations, drifts, last_open
from grind.core.texts import one_line
from grind.flows.activation.supervisor import BASH, Supervisor
from grind.ports import Host

_NEEDED = ("flock", "setsid", "timeout", "git")
_NIX = ("nix", "nix-env", "nix-store")

_ROOM = """\
folder=$1
shift
for program; do command -v -- "$program" >/dev/null || echo "missing $program"; done
set -- "$folder"
while [[ ! -e $1 ]]; do set -- "${1%/*}"; set -- "${1:-/}"; done
df -Pk -- "$1" | { read -r _; read -r _ _ _ free _; echo "disk $free"; }
while read -r name kib _; do [[ $name == MemAvailable: ]] && echo "memory $kib"; done </proc/meminfo
exit 0
"""


async def find_ground(host: Host, supervisor: Supervisor, config: ActivateConfig) -> HostState:
    """Return how the host stands, when it can be activated.

    Raises:
        GrindError: it lacks a program, memory or disk.
    """
    store = dict(host.environment).get("NIX_STORE_DIR", "/nix/store")
    state, _ = await asyncio.gather(
        stand_of(host, supervisor, config),
        _room(host, config, store if config.kind == "nixos" else "/"),
    )
    return state


async def stand_of(host: Host, supervisor: Supervisor, config: ActivateConfig) -> HostState:
    """Return how the host stands; on one without profiles, what its `current` command says."""
    from msgspec.structs import replace

    state = await supervisor.history(config)
    if config.kind == "commands":
        return replace(state, running=await current_of(host, config))
    if not state.running or not state.profile:
        lacking = config.running if not state.running else config.profile
        raise GrindError(
            f"{host.name} is no NixOS host: {lacking} leads nowhere",
            remedy="`profile` and `running` in [activate], or `build`, `switch`, `back`, `current` "
            "for a host that is not NixOS",
        )
    return state


async def current_of(host: Host, config: ActivateConfig) -> str:
    """Return the line that the `current` command prints. Raises GrindError when it is not one line."""
    said = await host.run(
        (*BASH, "-e", "-o", "pipefail", "-s"),
        data=(config.current or "").encode() + b"\n",
        cwd="/",
        seconds=60.0,
    )
    name = said.out.decode("utf-8", "replace").strip()
    if said.exit_code or not name or not name.isprintable():
        detail = one_line(said.err.decode("utf-8", "replace").strip())
        raise GrindError(
            f"the `current` command must print one line on {host.name}; it exited {said.exit_code}"
            + (f": {detail}" if detail else f" and printed {len(said.out)} bytes"),
            remedy="`current` in [activate]; on a host that runs nothing yet, let it print `none`",
        )
    return name


def require_whole(host: Host, state: HostState) -> None:
    """Raise GrindError (exit 4) when profile and running system differ: then nobody can say what
    going back would mean."""
    half = [one for one in drifts(state) if one.kind == "half-switch"]
    if half:
        raise GrindError(
            f"{host.name} is in {half[0].text}; nothing was touched",
            remedy=half[0].remedy,
            code=ExitCode.DRIFT,
        )


def require_idle(host: Host, state: HostState, holder: HostHolder | None) -> None:
    """Raise GrindError when another activation is under way, or `holder` changes the host in another
    way, or was cut off and left something that nobody but the user can judge."""
    open_one = last_open(state)
    if state.working:
        who = f": {open_one.id}, by {one_line(open_one.who)}" if open_one else ""
        since = f" ({holder.told()})" if holder is not None and not holder.stale else ""
        raise GrindError(
            f"another activation is under way on {host.name}{who}{since}; nothing was touched",
            remedy="grind status --host, and wait for its end",
            code=ExitCode.REFUSED,
        )
    if holder is None or (holder.stale and holder.harmless):
        return
    known = {one.id for one in activations(state)}
    if not (holder.stale and holder.activation in known):
        raise HostHeldError(host.name, ACTIVATION, holder)


async def _room(host: Host, config: ActivateConfig, folder: str) -> None:
    needed = (*_NEEDED, *_NIX) if config.kind == "nixos" else _NEEDED
    said = await host.run((*BASH, "-c", _ROOM, "bash", folder, *needed))
    facts = [line.partition(" ") for line in said.out.decode("utf-8", "replace").splitlines()]
    missing = [value for key, _, value in facts if key == "missing"]
    if missing:
        raise GrindError(
            f"{host.name} lacks {', '.join(missing)} on its PATH; nothing was touched",
            remedy="grind doctor",
        )
    known = {key: int(value) // 1024 for key, _, value in facts if value.isdigit()}
    for key, least, name in (
        ("disk", config.min_disk, f"MiB free for {folder}"),
        ("memory", config.min_memory, "MiB of memory available"),
    ):
        if key in known and known[key] < least:
            raise GrindError(
                f"{host.name} has {known[key]} {name}, and `min_{key}` asks for {least}; nothing was touched",
                remedy="nix-collect-garbage, or a larger disk"
                if key == "disk"
                else "stop something, or build elsewhere",
                code=ExitCode.REFUSED,
            )

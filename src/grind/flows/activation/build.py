"""Build what shall run, on the host, from a clean checkout of the snapshot, before anything is touched."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import NamedTuple

from grind.core.activateconfig import attribute_of
from grind.core.errors import ExitCode, GrindError
from grind.core.hostevents import ActivateBuilding
from grind.core.nixbuild import diagnosis
from grind.core.room import kib_of
from grind.core.task import Checkout, StepTask
from grind.core.texts import LogText
from grind.flows.activation.inputs import ActivateInputs
from grind.flows.arrival import sending
from grind.ports import Ended, Lane, LaneDone, LaneLost, LaneSpec, Output

KEY = "activate"
NIX = ("nix", "--extra-experimental-features", "nix-command flakes")
_CHECKOUT, _BUILD = 0, 1
_TAIL = 25

# The limit is set here, on the host, because only there it shows what can be had. Constant text: what is
# run are the arguments.
_LIMITED = """\
memory=$1 printed=$2
shift 2
limit=() told='no limit on memory'
if ((memory)); then
  scope=(--scope --quiet --collect -p "MemoryMax=${memory}K" -p MemorySwapMax=0 --)
  if [[ -d /run/systemd/system ]] && systemd-run --user "${scope[@]}" true 2>/dev/null; then
    limit=(systemd-run --user "${scope[@]}") told="at most $((memory / 1024)) MiB, as a systemd scope"
  elif [[ -d /run/systemd/system && $EUID == 0 ]] && systemd-run "${scope[@]}" true 2>/dev/null; then
    limit=(systemd-run "${scope[@]}") told="at most $((memory / 1024)) MiB, as a systemd scope"
  elif ulimit -v "$memory" 2>/dev/null; then
    told="at most $((memory / 1024)) MiB of address space for each process: systemd scopes cannot be had here"
  else
    echo 'grind: the memory of the build cannot be limited here' >&2
    exit 1
  fi
  if [[ ${NIX_REMOTE-} == daemon* || ($EUID != 0 && -S ${NIX_STATE_DIR:-/nix/var/nix}/daemon-socket/socket) ]]; then
    told+='; that holds for the evaluation, and builders run under nix-daemon, whose unit has its own limits'
  fi
fi
printf 'limits=%s\\n' "$told" >"$GITHUB_OUTPUT"
[[ ! $printed ]] || exec >"$printed"
exec "${limit[@]}" "$@"
"""


class Built(NamedTuple):
    """What was built."""

    name: str
    """A store path, or the line that the `build` command left."""
    workspace: str
    """The checkout on the host."""
    limits: str
    seconds: float


class Building:
    """A build on the host. Where nothing that a switch may be using is in its way, the checkout is made
    while the host is asked how it stands; the build itself begins when that is known to be well."""

    def __init__(self, inputs: ActivateInputs) -> None:
        self._in = inputs
        self._opening: asyncio.Task[Lane] | None = None
        self._following: asyncio.Task[None] | None = None

    def prepare(self) -> None:
        """Make the checkout beside whatever is done next. A switch that commands of grind.toml make
        runs where the change is checked out, so there the checkout waits for its turn."""
        if self._in.config.kind == "nixos":
            self._opening = asyncio.create_task(_open(self._in))

    async def build(self) -> Built:
        """Build. Raises GrindError with the end of the build's log when it fails; nothing of the host
        has been touched then."""
        inputs = self._in
        if self._opening is None:
            self._opening = asyncio.create_task(_open(inputs))
        lane = await self._opening
        paths = lane.paths
        link, built = f"{paths.cache}/activate-system", f"{paths.temp}/grind-built"
        begun = inputs.clock.now()
        try:
            await lane.submit([_task(inputs, link, built)], final=True)
            inputs.record(
                ActivateBuilding(
                    activation=inputs.activation, what=_what(inputs), limits=_asked(inputs)
                )
            )
            over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._following = asyncio.create_task(_follow(inputs, lane, over))
            inputs.ready()
            await asyncio.wait((self._following, over), return_when=asyncio.FIRST_COMPLETED)
            if not over.done():
                await self._following
        except BaseException:
            await lane.kill()
            raise
        limits = (await lane.read(_BUILD, "output")).decode("utf-8", "replace")
        return Built(
            name=await _name(inputs, lane, built),
            workspace=paths.workspace,
            limits=limits.strip().removeprefix("limits="),
            seconds=inputs.clock.now() - begun,
        )

    async def close(self) -> None:
        """End a lane that was opened in vain, however far that has come. One that has built ends by
        itself: what the build left running is ended there."""
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError, GrindError):
                await self._following
        elif self._opening is not None:
            self._opening.cancel()
            with contextlib.suppress(asyncio.CancelledError, GrindError):
                await self._opening
            with contextlib.suppress(GrindError):  # why it was in vain is what is told
                await self._in.host.abandon(self._in.activation)


async def _open(inputs: ActivateInputs) -> Lane:
    """Send the snapshot to the host, and check it out there."""
    host = inputs.host
    async with sending(host, await inputs.prepared(), inputs.modules) as arrival:
        lane = await host.lane(
            LaneSpec(
                run=inputs.activation,
                key=KEY,
                repository=arrival.place,
                name=inputs.name,
                timeout=inputs.config.build_within + 120,
            )
        )
        await arrival.there()
    paths = lane.paths
    env = dict(host.environment) | {
        "HOME": paths.home,
        "XDG_CACHE_HOME": f"{paths.cache}/xdg",
        "TMPDIR": paths.temp,
        "CI": "true",
    }
    await lane.begin(tuple(env.items()), {})
    await lane.submit([_checkout(inputs)])
    return lane


def _checkout(inputs: ActivateInputs) -> StepTask:
    return StepTask(
        index=_CHECKOUT, checkout=Checkout(oid=inputs.commit, ref=f"refs/heads/{inputs.branch}")
    )


def _task(inputs: ActivateInputs, link: str, built: str) -> StepTask:
    config = inputs.config
    memory = str(kib_of(config.memory)) if config.memory else "0"
    head = ("bash", "--noprofile", "--norc", "-c", _LIMITED, "bash", memory)
    if config.kind == "commands":
        return StepTask(
            index=_BUILD,
            argv=(*head, "", "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "{0}"),
            script=config.build or "",
            env=(("GRIND_BUILT", built), ("GRIND_REVISION", inputs.commit)),
            timeout=config.build_within,
        )
    return StepTask(
        index=_BUILD,
        argv=(*head, built, *_nix(inputs, link)),
        timeout=config.build_within,
    )


def _nix(inputs: ActivateInputs, link: str) -> tuple[str, ...]:
    """The whole command, without a shell between its words."""
    config = inputs.config
    common = (*NIX, "build", "--print-build-logs", "--json", "--out-link", link)
    if config.flake is not None:
        folder, attribute = attribute_of(config.flake)
        return (*common, "--no-update-lock-file", f"./{folder}#{attribute}")
    if config.attribute is not None:
        return (*common, "--file", f"./{config.file}", config.attribute)
    return (
        *common,
        "--file",
        "<nixpkgs/nixos>",
        "--include",
        f"nixos-config=./{config.file}",
        "system",
    )


def _what(inputs: ActivateInputs) -> str:
    config = inputs.config
    if config.kind == "commands":
        return "the `build` command"
    return config.flake or " ".join(filter(None, (config.file, config.attribute)))


def _asked(inputs: ActivateInputs) -> str:
    return f"at most {inputs.config.memory}" if inputs.config.memory else "no limit on memory"


async def _follow(inputs: ActivateInputs, lane: Lane, over: asyncio.Future[None]) -> None:
    """Deliver the log, and fail with its end when the build does; `over` is done when it has built."""
    text, tail = LogText(), list[str]()
    log = inputs.logs.writer("build", _BUILD)
    try:
        async for event in lane.events():
            match event:
                case Output(_, _, data):
                    log.write(data)
                    tail = [*tail, *text.feed_bytes(data)][-_TAIL * 8 :]
                case Ended(index, exit_code, reason) if exit_code:
                    tail = [*tail, *text.finish()]
                    raise _failed(inputs, index, exit_code, reason, tail)
                case Ended(index) if index == _BUILD:
                    over.set_result(None)
                case LaneLost(reason) if not over.done():
                    raise GrindError(
                        f"the build on {inputs.host.name} was lost: {reason}; nothing was touched",
                        remedy="grind activate",
                        code=ExitCode.STEP_FAILED,
                    )
                case LaneDone() if not over.done():
                    raise GrindError(
                        f"the build on {inputs.host.name} was not run", code=ExitCode.STEP_FAILED
                    )
                case _:
                    pass
    finally:
        log.close()


def _failed(
    inputs: ActivateInputs, index: int, code: int, reason: str, tail: list[str]
) -> GrindError:
    what = "the checkout" if index == _CHECKOUT else _what(inputs)
    found = diagnosis("\n".join(tail), code, inputs.config)
    shown = "".join(f"\n  {line}" for line in tail[-_TAIL:])
    why = "took longer than `build_within` allows" if reason == "timeout" else f"exited {code}"
    return GrindError(
        f"{what} could not be built on {inputs.host.name} ({why}); nothing of the host was touched"
        + (f"\n{found.text}" if found.text else "")
        + shown,
        remedy=found.remedy or "mend it, then grind activate",
        code=ExitCode.STEP_FAILED,
    )


async def _name(inputs: ActivateInputs, lane: Lane, built: str) -> str:
    content = await lane.file(built, 65536) or b""
    if inputs.config.kind == "nixos":
        return _system(inputs, content)
    name = content.decode("utf-8", "replace").strip()
    if not name or len(name.splitlines()) != 1 or not name.isprintable():
        raise GrindError(
            "the `build` command must write one line, which names what it built, to the file in "
            f"GRIND_BUILT; it wrote {len(content)} bytes; nothing of the host was touched",
            remedy='such as: echo "$GRIND_REVISION" >"$GRIND_BUILT"',
            code=ExitCode.STEP_FAILED,
        )
    return name


def _system(inputs: ActivateInputs, printed: bytes) -> str:
    """Return the store path in what `nix build --json` printed: `[{"outputs": {"out": PATH}}]`."""
    try:
        path = json.loads(printed)[0]["outputs"]["out"]
    except (ValueError, LookupError, TypeError):
        path = None
    if not isinstance(path, str) or not path.startswith("/") or not path.isprintable():
        raise GrindError(
            f"nix does not say what {_what(inputs)} was built to; nothing of the host was touched",
            remedy='`flake` of [activate]: ".#nixosConfigurations.NAME"',
            code=ExitCode.STEP_FAILED,
        )
    return path

"""Build what shall run, on the host, from a clean checkout of the snapshot, before anything is touched."""

from __future__ import annotations

from typing import NamedTuple

from grind.core.activateconfig import attribute_of
from grind.core.errors import ExitCode, GrindError
from grind.core.hostevents import ActivateBuilding
from grind.core.nixbuild import diagnosis
from grind.core.room import kib_of
from grind.core.task import Checkout, StepTask
from grind.core.texts import LogText
from grind.flows.activation.inputs import ActivateInputs
from grind.ports import Ended, Lane, LaneDone, LaneLost, LaneSpec, Output

KEY = "activate"
NIX = ("nix", "--extra-experimental-features", "nix-command flakes")
_CHECKOUT, _BUILD = 0, 1
_TAIL = 25

# The limit is set here, on the host, because only there it shows what can be had. Constant text: what is
# run are the arguments.
_LIMITED = """\
memory=$1
shift
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


async def build(inputs: ActivateInputs) -> Built:
    """Check the snapshot out on the host and build. Raises GrindError with the end of the build's log
    when it fails; nothing of the host has been touched then."""
    config, host = inputs.config, inputs.host
    repository = await host.receive(inputs.repository, inputs.modules)
    lane = await host.lane(
        LaneSpec(
            run=inputs.activation,
            key=KEY,
            repository=repository,
            name=inputs.name,
            timeout=config.build_within + 120,
        )
    )
    begun = inputs.clock.now()
    paths = lane.paths
    env = dict(host.environment) | {
        "HOME": paths.home,
        "XDG_CACHE_HOME": f"{paths.cache}/xdg",
        "TMPDIR": paths.temp,
        "CI": "true",
    }
    link, built = f"{paths.cache}/activate-system", f"{paths.temp}/grind-built"
    await lane.begin(tuple(env.items()), {})
    await lane.submit([_checkout(inputs), _task(inputs, link, built)], final=True)
    inputs.record(
        ActivateBuilding(activation=inputs.activation, what=_what(inputs), limits=_asked(inputs))
    )
    try:
        await _follow(inputs, lane)
    except BaseException:
        await lane.kill()
        raise
    limits = (await lane.read(_BUILD, "output")).decode("utf-8", "replace")
    return Built(
        name=await _name(inputs, lane, link, built),
        workspace=paths.workspace,
        limits=limits.strip().removeprefix("limits="),
        seconds=inputs.clock.now() - begun,
    )


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
            argv=(*head, "bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "{0}"),
            script=config.build or "",
            env=(("GRIND_BUILT", built), ("GRIND_REVISION", inputs.commit)),
            timeout=config.build_within,
        )
    return StepTask(
        index=_BUILD,
        argv=(*head, *_nix(inputs, link)),
        timeout=config.build_within,
    )


def _nix(inputs: ActivateInputs, link: str) -> tuple[str, ...]:
    """The whole command, without a shell between its words."""
    config = inputs.config
    common = (*NIX, "build", "--print-build-logs", "--out-link", link)
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


async def _follow(inputs: ActivateInputs, lane: Lane) -> None:
    """Deliver the log, and fail with its end when the build does."""
    text, tail = LogText(), list[str]()
    log = inputs.logs.writer("build", _BUILD)
    ended: Ended | None = None
    try:
        async for event in lane.events():
            match event:
                case Output(_, _, data):
                    log.write(data)
                    tail = [*tail, *text.feed_bytes(data)][-_TAIL * 8 :]
                case Ended(index, exit_code, reason) if exit_code:
                    tail = [*tail, *text.finish()]
                    raise _failed(inputs, index, exit_code, reason, tail)
                case Ended():
                    ended = event
                case LaneLost(reason):
                    raise GrindError(
                        f"the build on {inputs.host.name} was lost: {reason}; nothing was touched",
                        remedy="grind activate",
                        code=ExitCode.STEP_FAILED,
                    )
                case LaneDone() if ended is None or ended.index != _BUILD:
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


async def _name(inputs: ActivateInputs, lane: Lane, link: str, built: str) -> str:
    if inputs.config.kind == "nixos":
        said = await inputs.host.run(("readlink", "-f", "--", link))
        return said.out.decode("utf-8", "replace").strip()
    content = await lane.file(built, 4096) or b""
    name = content.decode("utf-8", "replace").strip()
    if not name or len(name.splitlines()) != 1 or not name.isprintable():
        raise GrindError(
            "the `build` command must write one line, which names what it built, to the file in "
            f"GRIND_BUILT; it wrote {len(content)} bytes; nothing of the host was touched",
            remedy='such as: echo "$GRIND_REVISION" >"$GRIND_BUILT"',
            code=ExitCode.STEP_FAILED,
        )
    return name

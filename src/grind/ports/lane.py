"""One job on a host: what it needs, what it is told, what it tells."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from msgspec import Struct

from grind.core.task import StepTask


class LanePaths(NamedTuple):
    """Absolute paths on the host, for contexts such as `github.workspace` and `runner.temp`."""

    workspace: str
    home: str
    temp: str
    tool_cache: str
    events: str
    """Folder for `GITHUB_EVENT_PATH` and other files that the client writes for the job."""
    cache: str = ""
    """Download caches that all jobs of the repository share on the host."""
    artifacts: str = ""
    """What the jobs of this run hand on to each other."""


class LaneSpec(Struct, frozen=True, kw_only=True):
    """What a lane (one job) needs from the host before its first step."""

    run: str
    """Identifier of the run: [0-9a-z-]+."""
    key: str
    """Identifier of the job in the repository: [0-9A-Za-z._-]+, stable between runs, so that the
    checkout can be reused."""
    repository: str
    """Path on the host of the private repository that checkouts are made from. Its `refs/heads/*`
    and `refs/tags/*` are what a checkout with full history or tags shows as the remote's. The host
    keeps trees for shallow checkouts in the folder `trees` in it. Objects of submodules are looked
    for in `modules/<name>` in it, beside it, and beside the folder that it is in."""
    name: str
    """Last part of the workspace path, the repository's name, as on a runner."""
    timeout: float | None = None
    """Seconds for the whole lane, from `Lane.begin` on; when they are over, the lane is cancelled,
    with the reason `timeout` for the running step."""


class Started(Struct, frozen=True, tag="started"):
    """A step began. `at` is seconds since the epoch by the host's clock.

    What a process in the background says after its step has ended is output of the step that runs
    then. While a step in the background runs, the steps behind it start, say something and end.
    """

    index: int
    at: float


class Output(Struct, frozen=True, tag="output"):
    """Bytes of a step's combined standard output and error, at `offset` of its log."""

    index: int
    offset: int
    data: bytes


class Ended(Struct, frozen=True, tag="ended"):
    """A step ended. `reason` is `exit`, `timeout`, `cancelled` or `file-command`.

    All output of the step has been delivered before. `exit_code` is 128 + N for signal N.
    `file-command` means that a command file (GITHUB_ENV, …) was malformed, which fails the step:
    the exit code is then not 0. `detail` may also hold what GitHub would annotate without failing
    (NODE_OPTIONS in GITHUB_ENV). With the reasons `timeout` and `cancelled` the exit code is not 0.
    """

    index: int
    exit_code: int
    reason: str
    started: float
    ended: float
    detail: str = ""


class Passed(Struct, frozen=True, tag="passed"):
    """A queued step was not run because its condition was false on the host."""

    index: int


class Cancelled(Struct, frozen=True, tag="cancelled"):
    """The lane is cancelled: `reason` is `cancelled`, or `timeout` when its time is over. The step
    that runs now is being ended, unless its own condition holds in a cancelled job."""

    reason: str


class LaneDone(Struct, frozen=True, tag="done"):
    """The lane is finished: no process of it is left. `status` is success, failure or cancelled."""

    status: str


class LaneLost(Struct, frozen=True, tag="lost"):
    """The runner of the lane is gone without finishing (killed, rebooted, disk full)."""

    reason: str


LaneEvent: TypeAlias = Started | Output | Ended | Passed | Cancelled | LaneDone | LaneLost


class Lane(Protocol):
    """One job on a host: a queue of steps that the host works through by itself."""

    @property
    def paths(self) -> LanePaths:
        """Where the job lives on the host."""

    @property
    def resumed(self) -> bool:
        """Whether this lane existed already: its events are delivered again from the first."""

    async def begin(self, env: Sequence[tuple[str, str]], files: Mapping[str, bytes]) -> None:
        """Set the whole environment of the job and write `files` (name → bytes) into
        `paths.events`. Nothing of the caller's environment is inherited. No effect on a resumed
        lane that has begun. It holds for sure when the `submit` that follows has returned."""

    async def submit(self, tasks: Sequence[StepTask], *, final: bool = False) -> None:
        """Queue steps, in one atomic batch; `final` says that none will follow. A batch whose
        first index was queued before (a resumed lane) is not queued again."""

    def events(self) -> AsyncIterator[LaneEvent]:
        """Deliver every event of the lane once, in order, from the first, ending with `LaneDone`
        or `LaneLost`. Output is delivered while the step runs."""

    async def read(self, index: int, name: str) -> bytes:
        """Return a command file of an ended step: `env`, `output`, `path`, `state`, `summary`."""

    async def file(self, path: str, limit: int) -> bytes | None:
        """Return the beginning of a file of the job, at most `limit` bytes; a relative path starts
        at the workspace. None for what is no regular file, or cannot be read."""

    async def hash_files(self, step: int, arguments: Sequence[str]) -> str:
        """Return what `hashFiles(…)` says of the workspace now: the arguments are an option and
        patterns, as GitHub takes them. Asked again for the same step, it says the same again. Asked
        while no step runs. Raises GrindError when it cannot be answered."""

    async def cancel(self) -> None:
        """Cancel as GitHub does: mark the lane cancelled and end the running step (INT, then TERM,
        then KILL), unless its own condition is ALWAYS or CANCELLED; queued steps with these
        conditions still run, for five minutes at most. Cancelling again changes nothing: `kill` is
        what ends those. Returns when the host has taken note."""

    async def kill(self) -> None:
        """End everything now, including what the steps left running. Returns when it is gone."""

"""The few thick interfaces between the flows and the world.

A flow talks to these and to nothing else. Each is implemented by an adapter and by a fake that is a
named class; both pass the same contract tests (tests/contracts/).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias

from msgspec import Struct

# --- the host: where steps run -------------------------------------------------------------------


class Condition(StrEnum):
    """When a queued step runs, decided on the host from the status of the lane so far."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    NOT_CANCELLED = "not-cancelled"
    ALWAYS = "always"


class Checkout(Struct, frozen=True, kw_only=True):
    """What `actions/checkout` does, from the private repository of the run.

    `path` is relative to the workspace ("" for the workspace itself); `depth` 0 means all history
    with every branch and tag, otherwise that many commits; `ref` is the full ref that CI would see.
    """

    oid: str
    ref: str
    path: str = ""
    depth: int = 1
    clean: bool = True
    tags: bool = False
    submodules: str = "false"
    """`false`, `true` or `recursive`."""
    origin: str = ""
    """The URL that `git remote get-url origin` answers in the checkout; never with a credential."""


class StepTask(Struct, frozen=True, kw_only=True):
    """One step, ready to run: arguments and scripts travel as data, never as quoted text."""

    index: int
    """Unique in the lane, increasing in queueing order."""
    condition: Condition = Condition.SUCCESS
    argv: tuple[str, ...] = ()
    """The program; the argument part `{0}` stands for the path of the script file."""
    script: str = ""
    suffix: str = ".sh"
    env: tuple[tuple[str, str], ...] = ()
    """Laid over the lane's environment and over what earlier steps wrote to GITHUB_ENV."""
    cwd: str = ""
    """Absolute, or relative to the workspace."""
    continue_on_error: bool = False
    timeout: float | None = None
    """Seconds; the whole process group is ended after it."""
    checkout: Checkout | None = None
    """When set, the step is a checkout and `argv`/`script` are empty."""


class LanePaths(NamedTuple):
    """Absolute paths on the host, for contexts such as `github.workspace` and `runner.temp`."""

    workspace: str
    home: str
    temp: str
    tool_cache: str
    events: str
    """Folder for `GITHUB_EVENT_PATH` and other files that the client writes for the job."""


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
    """Seconds for the whole lane; when they are over, the lane is cancelled, with the reason
    `timeout` for the running step."""


class Started(Struct, frozen=True, tag="started"):
    """A step began. `at` is seconds since the epoch by the host's clock.

    What a process in the background says after its step has ended is output of the step that runs
    then.
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


class LaneDone(Struct, frozen=True, tag="done"):
    """The lane is finished: no process of it is left. `status` is success, failure or cancelled."""

    status: str


class LaneLost(Struct, frozen=True, tag="lost"):
    """The runner of the lane is gone without finishing (killed, rebooted, disk full)."""

    reason: str


LaneEvent: TypeAlias = Started | Output | Ended | Passed | LaneDone | LaneLost


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
        lane that has begun."""

    async def submit(self, tasks: Sequence[StepTask], *, final: bool = False) -> None:
        """Queue steps, in one atomic batch; `final` says that none will follow. A batch whose
        first index was queued before (a resumed lane) is not queued again."""

    def events(self) -> AsyncIterator[LaneEvent]:
        """Deliver every event of the lane once, in order, from the first, ending with `LaneDone`
        or `LaneLost`. Output is delivered while the step runs."""

    async def read(self, index: int, name: str) -> bytes:
        """Return a command file of an ended step: `env`, `output`, `path`, `state`, `summary`."""

    async def cancel(self) -> None:
        """Cancel as GitHub does: mark the lane cancelled and end the running step (INT, then TERM,
        then KILL), unless its own condition is ALWAYS or CANCELLED; queued steps with these
        conditions still run, for five minutes at most. Cancelling again changes nothing: `kill` is
        what ends those. Returns when the host has taken note."""

    async def kill(self) -> None:
        """End everything now, including what the steps left running. Returns when it is gone."""


class Completed(NamedTuple):
    """What a small command answered. `exit_code` is 127 when the program does not exist."""

    exit_code: int
    out: bytes
    err: bytes


class HostIdentity(Struct, frozen=True, kw_only=True):
    """Who a host is. `id` is stable over reboots and activations; `system` is recorded only."""

    id: str
    os: str
    architecture: str
    system: str = ""
    boot: str = ""


class Host(Protocol):
    """A machine on which steps run."""

    @property
    def name(self) -> str:
        """The name the user gave it."""

    async def identity(self) -> HostIdentity:
        """Return who this host is."""

    async def ask(self, queries: Mapping[str, Sequence[str]]) -> Mapping[str, Completed]:
        """Run small fact-finding commands (name → argv) side by side, in the environment that a
        job would have, each bounded to 20 seconds; one round trip."""

    async def lane(self, spec: LaneSpec) -> Lane:
        """Open the lane, or attach to it when it exists."""

    async def abandon(self, run: str) -> None:
        """End all lanes of a run and every process they started."""

    async def collect(self, max_age: float, keep: int) -> None:
        """Remove runs and checkouts that nothing has used for `max_age` seconds, but the newest
        `keep` runs, and nothing that still runs."""

    async def close(self) -> None:
        """Let go of connections; lanes go on."""


# --- time ----------------------------------------------------------------------------------------


class Clock(Protocol):
    """The time, as an argument."""

    def now(self) -> float:
        """Seconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

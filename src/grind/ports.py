"""The few thick interfaces between the flows and the world.

A flow talks to these and to nothing else. Each is implemented by an adapter and by a fake that is a
named class; both pass the same contract tests (tests/contracts/).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from msgspec import Struct

from grind.core.task import Checkout as Checkout
from grind.core.task import Condition as Condition
from grind.core.task import Control as Control
from grind.core.task import StepTask as StepTask
from grind.core.weburl import Address as Address

# --- the host: where steps run -------------------------------------------------------------------


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


class Passage(NamedTuple):
    """How a program on a host gets this process's own input and output."""

    argv: tuple[str, ...]
    """The command to run here; its exit code is the program's."""
    end: tuple[str, ...]
    """The command to run on the host that ends the program and what it started."""
    tidy: tuple[str, ...]
    """The command to run on the host when it is over."""


class Host(Protocol):
    """A machine on which steps run."""

    @property
    def name(self) -> str:
        """The name the user gave it."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What the host lends to every job from its own environment, PATH among it."""

    async def identity(self) -> HostIdentity:
        """Return who this host is."""

    async def ask(self, queries: Mapping[str, Sequence[str]]) -> Mapping[str, Completed]:
        """Run small fact-finding commands (name → argv) side by side, in the environment that a
        job would have, each bounded to 20 seconds; one round trip."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        data: bytes = b"",
        cwd: str = "/",
        env: Mapping[str, str] | None = None,
        seconds: float = 20.0,
    ) -> Completed:
        """Run one command on the host to its end, with `data` as its standard input.

        `env` is laid over what the host lends. Arguments, environment and data travel as data:
        nothing is quoted, nothing is expanded. For small answers: output is kept in memory. After
        `seconds` the command and what it started are killed, and the exit code is 124. A program
        that shall outlive the connection detaches itself (`setsid -f`). Raises UnreachableError
        when the host does not answer: whether the command ran is then not known.
        """

    async def keep(self, name: str, data: bytes) -> str:
        """Put a private file into the host's state folder, under its name and a digest of its
        content, and return its absolute path on the host. One that is there is not written again:
        what runs from it outlives an upgrade of grind. `name` is of [0-9A-Za-z._-]."""

    async def place(self, repository: str) -> str:
        """Return the path on the host at which `receive` will have put the private repository, so
        that lanes can be opened while it is on its way. Nothing may begin in them before it is there."""

    async def receive(self, repository: str, modules: Callable[[], Mapping[str, str]]) -> str:
        """Bring the private repository (a path here, made by `Repository.prepare`) to the host with
        its refs and all that they need, and return its path there, for `LaneSpec.repository`.
        `modules` says where the copies of submodules are here: name → git folder. On this machine the path is
        the same and nothing is copied."""

    def listen(self, tell: Callable[[str], None]) -> None:
        """Have `tell` called with a sentence when the host is not heard of any more, and when it is
        back. What runs there goes on meanwhile, and nothing of it is lost."""

    async def lane(self, spec: LaneSpec) -> Lane:
        """Open the lane, or attach to it when it exists."""

    async def abandon(self, run: str) -> None:
        """End all lanes of a run and every process they started."""

    async def collect(self, max_age: float, keep: int) -> None:
        """Remove runs and checkouts that nothing has used for `max_age` seconds, but the newest
        `keep` runs, and nothing that still runs."""

    async def close(self) -> None:
        """Let go of connections; lanes go on."""


# --- probing: what asks a service -----------------------------------------------------------------


class Exchanged(NamedTuple):
    """What came back on a connection."""

    raw: bytes
    """Everything that came, at most the limit."""
    ended: bool
    """Whether the other side has closed the connection after it."""
    at: float
    """When, by the clock of the place that asked: seconds since the epoch."""
    problem: str = ""
    """Why there is no more: refused, reset, out of time, a certificate that does not fit."""


class Prober(Protocol):
    """A place that services can be asked from."""

    @property
    def speaks_tls(self) -> bool:
        """Whether `exchange` can verify a certificate and encrypt from here."""

    async def exchange(
        self, address: Address, request: bytes, *, tls: bool, limit: int, seconds: float
    ) -> Exchanged:
        """Connect, send, and return what comes until the other side closes, the answer is whole,
        `limit` bytes are there, or the time is over. Raises UnreachableError when the place itself
        does not answer; a service that does not is a `problem`."""

    async def connect(self, address: Address, *, seconds: float) -> str:
        """Connect and close again; return why it did not work, or an empty string. Raises
        UnreachableError."""


class Passable(Host, Protocol):
    """A host that is somewhere else, on which a program can be run as if it were here."""

    async def passage(
        self, argv: Sequence[str], *, cwd: str, env: Mapping[str, str] | None = None
    ) -> Passage:
        """Return how to run a program there with this process's own input and output. Arguments and
        environment travel as data. The program runs once, when `argv` is run."""


# --- logs ----------------------------------------------------------------------------------------


class LogWriter(Protocol):
    """The masked log of one step, being written."""

    @property
    def path(self) -> str:
        """Where it is, relative to the folder of the release."""

    def write(self, data: bytes) -> None:
        """Append. Raises GrindError when the disk is full; what was written stays."""

    def close(self) -> None:
        """Close; twice does no harm."""


class LogStore(Protocol):
    """Where the masked logs of a run are kept."""

    def writer(self, job: str, step: int, kind: str = "log") -> LogWriter:
        """Start the log of a step, in place of what an earlier attempt left. `kind` `summary` is
        what the step wrote to its summary."""


# --- time ----------------------------------------------------------------------------------------


class Clock(Protocol):
    """The time, as an argument."""

    def now(self) -> float:
        """Seconds since the epoch."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


# --- the repository ------------------------------------------------------------------------------

# The values stand in core, so that the pre-push hook can use the adapter without this module.
from grind.core.repository import (  # noqa: E402
    Aim,
    Blob,
    ChangedFile,
    Commit,
    FollowResult,
    MergeResult,
    PushResult,
    Snapshot,
)


class Repository(Protocol):
    """The user's git repository, and grind's private one beside it.

    Synchronous: each answer takes a few git processes. Questions change nothing of the user's; only
    the methods that say so do. Everything after the snapshot names object ids.
    """

    @property
    def top(self) -> str | None:
        """Top of the working copy, absolute; None in a bare repository."""

    @property
    def git_dir(self) -> str:
        """The git folder of this working copy."""

    @property
    def common_dir(self) -> str:
        """The git folder that all working copies share."""

    @property
    def private(self) -> str:
        """Path of grind's own bare repository; it sees the objects of snapshots and the user's."""

    def snapshot(self, rev: str | None = None) -> Snapshot:
        """Take the snapshot of the working copy, or of a commit, tag or tree."""

    def tracked_paths(self, tree: str) -> tuple[str, ...]:
        """List every file of a tree."""

    def blobs(self, tree: str, prefixes: Sequence[str] = ()) -> tuple[Blob, ...]:
        """List the files of a tree, at or under the given literal paths when there are any."""

    def read(self, oids: Sequence[str]) -> Mapping[str, bytes]:
        """Read blobs by id."""

    def remote(self, configured: str | None = None) -> str | None:
        """Choose the remote: the configured one, else that of the current branch's upstream, else
        `origin`, else the only one. Raises GrindError when the configured one does not exist."""

    def remote_url(self, remote: str) -> str:
        """Return the remote's address without credentials."""

    def aim(self, remote: str | None = None, main: str | None = None) -> Aim:
        """Say where a push goes: what `remote`, `remote_url`, `main_branch` and `tip` say together,
        with few gits. The arguments are what is configured."""

    def main_branch(self, configured: str | None = None, remote: str | None = None) -> str:
        """Name the branch that changes land on: the configured one, else the remote's HEAD, else
        `main` or `master` as far as the remote has one, else the current branch."""

    def head_branch(self) -> str | None:
        """Name the branch that HEAD is on; None when it is detached."""

    def tip(self, remote: str, branch: str) -> str | None:
        """Return where the remote's branch was when git last looked; None when not there."""

    def fetch_upstream(self, remote: str, branch: str) -> str | None:
        """Fetch the remote's branch and return its commit; None when there is no such branch.
        Raises UnreachableError."""

    def fetch_commit(self, remote: str, oid: str) -> str:
        """Fetch one commit by its id, without its history, and return the id. Raises
        UnreachableError when the remote does not give it."""

    def merge_base(self, ours: str, theirs: str) -> str | None:
        """Return the best common ancestor of two commits."""

    def changed_paths(self, snapshot: Snapshot, upstream: str | None) -> tuple[str, ...] | None:
        """Return the paths that path filters look at: from the merge base with `upstream` (a
        commit), or from the first parent when the snapshot is of a revision. None when nothing
        differs or there is nothing to compare with; then filters count as matched."""

    def changed_files(
        self, snapshot: Snapshot, upstream: str | None
    ) -> tuple[ChangedFile, ...] | None:
        """Return what `changed_paths` compares, file by file, with renames as git finds them."""

    def resolve(self, rev: str) -> str:
        """Return the commit that a revision names. Raises GrindError when it names none."""

    def tree_of(self, commit: str) -> str:
        """Return the tree that a commit has, read anew; empty when the commit is not there."""

    def message(self, commit: str) -> str:
        """Return a commit's message."""

    def local_commits(self, base: str | None, head: str) -> tuple[Commit, ...]:
        """List the commits of `head` that `base` does not have, the oldest first."""

    def first_parents(self, head: str, limit: int) -> tuple[Commit, ...]:
        """List a commit and its line of first parents, the newest first, at most `limit`."""

    def prepare(self, snapshot: Snapshot, remote: str | None, branch: str) -> str:
        """Make the refs that checkouts need in the private repository, and return its path:
        `refs/grind/snap/<commit>`, the remote's branches as `refs/heads/*` (with `branch` at the
        snapshot: of several runs, the last one's) and `refs/tags/*`."""

    def submodule_repositories(self) -> Mapping[str, str]:
        """Return the user's copies of submodules: name → git folder."""

    def prune(self, days: float) -> int:
        """Drop snapshots that were not prepared for so many days; return how many."""

    def merge_tree(self, ours: str, theirs: str) -> MergeResult:
        """Merge two commits without a working copy; the tree is in the private repository."""

    def proposal(self, tree: str, parent: str) -> Snapshot:
        """Return the snapshot that has this tree on top of this commit: a merge or a squash that
        shall be proven before it exists."""

    def overlay(self, tree: str, base: str, paths: Sequence[str]) -> str:
        """Return a tree that has these paths (whole files) as `base` has them, or not at all where
        it has none, and everything else as `tree` has it."""

    def notes(self, tree: str) -> list[bytes]:
        """Return the receipts that are noted on a tree, an envelope each."""

    def noted_trees(self) -> list[str]:
        """List the trees that have receipts noted on them."""

    def note(self, tree: str, line: bytes) -> bool:
        """Note a receipt on a tree of the user's repository; False when it is there already."""

    def fetch_notes(self, remote: str) -> bool:
        """Unite the remote's receipts with ours; False when it has none. Raises UnreachableError."""

    def push_notes(self, remote: str) -> bool:
        """Push our receipts, united with what the remote has; False when there are none. Raises
        UnreachableError, RefusedError."""

    def commit(self, snapshot: Snapshot, message: str, *, hooks: bool = True) -> str:
        """Make one commit of the snapshot's tree on top of `snapshot.head`, in the user's
        repository, and return its id; no ref moves. Honours hooks, identity and signing; raises
        RefusedError when a hook declines or makes another tree of it."""

    def push(self, oid: str, remote: str, branch: str, expected: str | None) -> PushResult:
        """Push a commit to a branch that the remote has at `expected` (None: does not have). Can be
        repeated: what is there already is not pushed again."""

    def stage(self, oid: str, remote: str) -> None:
        """Push a commit to a temporary ref outside of heads and tags, so that the remote has it and
        no run starts. Can be repeated. Raises RefusedError, UnreachableError."""

    def unstage(self, oid: str, remote: str) -> None:
        """Remove that ref; one that is gone is fine."""

    def identity(self) -> str:
        """Return who commits here: `Name <address>`. Raises GrindError when git does not know."""

    def follow(self, snapshot: Snapshot, landed: str) -> FollowResult:
        """Move the local branch from `snapshot.head` to the commit that landed, and the index with
        it, when the working copy is still what was proven. Can be repeated."""


# --- the forge -----------------------------------------------------------------------------------

from grind.core.ci import CiJob, CiRun  # noqa: E402

Told = TypeVar("Told")


class Answer(NamedTuple, Generic[Told]):
    """What the forge told."""

    value: Told
    fresh: bool
    """False when it said that nothing has changed since it was last asked."""


class Cost(NamedTuple):
    """What asking has cost so far."""

    requests: int
    uncached: int
    """Those that counted against the limit."""
    remaining: int | None = None
    """How many more the forge allows until …"""
    reset_in: float | None = None
    """… so many seconds from now."""


class PushSeen(NamedTuple):
    """A push, as the forge remembers it."""

    before: str | None
    """Where the branch was before; None for nowhere."""
    at: float
    """Seconds since the epoch."""


class PullSeen(NamedTuple):
    """A pull request, as it is after it was opened or brought up to date."""

    number: int
    url: str
    opened: bool


class Forge(Protocol):
    """One repository at a forge that runs CI. Only `set_status` and `pull` change something there.

    Every method raises UnreachableError when there was no answer worth the name (that is not a
    verdict), LimitedError when the forge wants to be left alone for a while, and RefusedError when
    it lets this user see nothing.
    """

    @property
    def name(self) -> str:
        """Where it is: `github.com/owner/name`."""

    @property
    def cost(self) -> Cost:
        """What asking has cost."""

    async def runs_of_commit(self, sha: str) -> Answer[tuple[CiRun, ...]]:
        """List the runs of a commit, by a filter that may lag and flicker."""

    async def recent_runs(self, branch: str) -> Answer[tuple[CiRun, ...]]:
        """List the newest runs of a branch (of all, when empty), whatever their commit."""

    async def suites(self, sha: str) -> Answer[tuple[int, ...]]:
        """List the groups of runs of a commit, which may be known before the runs are listed."""

    async def runs_of_suite(self, suite: int) -> Answer[tuple[CiRun, ...]]:
        """List the runs of one group."""

    async def run(self, run: int) -> Answer[CiRun | None]:
        """Return a run as it is now; None when it was deleted."""

    async def jobs(self, run: int) -> Answer[tuple[CiJob, ...]]:
        """Return the jobs of a run's newest attempt; none for a run that was deleted."""

    async def jobs_of_attempt(self, run: int, attempt: int) -> Answer[tuple[CiJob, ...]]:
        """Return the jobs of one attempt; none when it is not there."""

    async def log(self, job: int) -> bytes | None:
        """Return a job's log, or its end when it is very long; None when there is none (yet)."""

    async def has_commit(self, sha: str) -> bool:
        """Whether the repository has the commit."""

    async def required_jobs(self, branch: str) -> frozenset[str]:
        """Return the names of the jobs that the branch's rules require, as far as one may see."""

    async def disabled_workflows(self) -> Mapping[str, str]:
        """Return the workflows that are switched off: path → state."""

    async def push_of(self, branch: str, sha: str) -> PushSeen | None:
        """Return the newest push that brought the branch to `sha`, as far as one may see."""

    async def set_status(self, sha: str, state: str, context: str, told: str) -> None:
        """Set a commit's status (`success`, `failure`, `pending`, `error`) under a context."""

    async def pull(self, branch: str, base: str, title: str, body: str) -> PullSeen:
        """Open the pull request of a branch, or bring the open one's words up to date."""

    async def close(self) -> None:
        """Let go of connections."""

"""The place that runs CI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, NamedTuple, Protocol, TypeVar

from grind.core.ci import CiJob, CiRun

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

"""What a forge says of CI, as plain values, and the verdicts on it.

Times are seconds since the epoch. Texts are the forge's own and hostile: clean before showing.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple

from msgspec import Struct

from grind.core.errors import ExitCode


class CiVerdict(StrEnum):
    """What became of one workflow, or of a whole commit, from the gravest to the best."""

    FAILED = "failed"
    STARTUP_FAILURE = "startup-failure"
    TIMED_OUT = "timed-out"
    ACTION_REQUIRED = "action-required"
    SUPERSEDED = "superseded"
    NOT_CREATED = "not-created"
    UNKNOWN = "unknown"
    HOLLOW = "hollow"
    FLAKY = "flaky"
    NONE_EXPECTED = "none-expected"
    CLEAN = "clean"

    @property
    def exit_code(self) -> ExitCode:
        """The documented exit code; only `clean` is 0."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    CiVerdict.FAILED: ExitCode.STEP_FAILED,
    CiVerdict.STARTUP_FAILURE: ExitCode.CI_STARTUP_FAILURE,
    CiVerdict.TIMED_OUT: ExitCode.CI_TIMED_OUT,
    CiVerdict.ACTION_REQUIRED: ExitCode.CI_ACTION_REQUIRED,
    CiVerdict.SUPERSEDED: ExitCode.CI_SUPERSEDED,
    CiVerdict.NOT_CREATED: ExitCode.CI_NOT_CREATED,
    CiVerdict.UNKNOWN: ExitCode.PAUSED,
    CiVerdict.HOLLOW: ExitCode.CI_HOLLOW,
    CiVerdict.FLAKY: ExitCode.CI_FLAKY,
    CiVerdict.NONE_EXPECTED: ExitCode.CI_NONE_EXPECTED,
    CiVerdict.CLEAN: ExitCode.DONE,
}
_ORDER = tuple(CiVerdict)


def worst(verdicts: Iterable[CiVerdict]) -> CiVerdict:
    """Return the gravest of several verdicts; of none, `none-expected`."""
    return min(verdicts, key=_ORDER.index, default=CiVerdict.NONE_EXPECTED)


class CiStep(Struct, frozen=True, kw_only=True):
    """A step of a job, numbered from 1 with the runner's own steps counted."""

    number: int
    name: str
    status: str
    conclusion: str | None = None
    started: float | None = None
    completed: float | None = None


class CiJob(Struct, frozen=True, kw_only=True):
    """A job of one attempt of a run."""

    id: int
    name: str
    status: str
    conclusion: str | None = None
    attempt: int = 1
    steps: tuple[CiStep, ...] = ()
    url: str = ""
    started: float | None = None
    completed: float | None = None

    @property
    def over(self) -> bool:
        """Whether it has its conclusion."""
        return self.status == "completed" and self.conclusion is not None


class CiRun(Struct, frozen=True, kw_only=True):
    """One run of one workflow, at its newest attempt."""

    id: int
    path: str
    """Path of the workflow's file in the repository, without `@ref`."""
    event: str
    sha: str
    branch: str
    """Branch or tag, short; empty when the forge does not say."""
    number: int
    """Counts the runs of the workflow."""
    attempt: int
    status: str
    conclusion: str | None
    created: float
    updated: float
    url: str = ""
    suite: int | None = None

    @property
    def over(self) -> bool:
        """Whether this attempt has its conclusion."""
        return self.status == "completed"


class Target(NamedTuple):
    """What is watched: runs of exactly this commit, by this event, on this branch."""

    sha: str
    """Forty (or sixty-four) hexadecimal digits: a shorter one would match nothing, and an empty one
    other people's runs."""
    event: str = "push"
    branch: str = ""
    """Short name of the branch or tag; empty for any."""

    def fits(self, run: CiRun) -> bool:
        """Whether a run is one of those."""
        here = not self.branch or not run.branch or run.branch == self.branch
        return run.sha == self.sha and run.event == self.event and here


class ExpectedJob(Struct, frozen=True, kw_only=True):
    """What the plan knows of a job of an expected workflow."""

    name: str
    """As it is shown; `*` stands for what only CI knows."""
    commands: tuple[str, ...] = ()
    """Names of the steps that run a command and gate; `*` as above."""
    proven: bool = False
    """Whether a command of it was executed here and was green."""
    decides: bool = False
    """Whether other jobs only run if this one's outputs say so."""
    verifier: str = ""
    """Name of the step that may find the tree proven by a trusted receipt (docs/action.md) …"""
    skips: tuple[str, ...] = ()
    """… and of the steps that are then skipped, as the workflow says."""
    skipped_by: str = ""
    """Name of the job whose verifier may let this whole job be skipped."""


class Expected(Struct, frozen=True):
    """A workflow that must run for the commit."""

    path: str
    jobs: tuple[ExpectedJob, ...] = ()
    """Empty when nothing is known of them."""


def matches(name: str, pattern: str) -> bool:
    """Whether a name is what a pattern with `*` says; everything else in it stands for itself."""
    return name == pattern or fnmatchcase(name, pattern.replace("[", "[[]").replace("?", "[?]"))


def covers(glob: str, path: str) -> bool:
    """Whether a glob on a file name or a path, as `[[ignore]]` has it, means this workflow."""
    return fnmatchcase(path, glob) or fnmatchcase(path.rpartition("/")[2], glob)

"""What happens, as values: the journal's lines, the faces' input, and the NDJSON stream.

An event that changes what is true is appended to the journal before and after the effect it speaks
of; `StepOutput` is shown and not journalled (the log file has it). Schema: `grind.events/1`, in
docs/schemas/events.json, made from these classes.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import Struct

from grind.core.health import ProbeRow
from grind.core.hostevents import HostEvent
from grind.core.loop import LoopEvent
from grind.core.undoevents import UndoEvent

EVENTS_SCHEMA = "grind.events/1"


class StepHead(Struct, frozen=True):
    """A step as the faces need it before it starts."""

    index: int
    name: str
    verdict: str
    gating: bool = True
    line: int = 0


class JobHead(Struct, frozen=True):
    """A job as the faces need it before it starts."""

    key: str
    name: str
    workflow: str
    verdict: str
    reason: str
    needs: tuple[str, ...]
    steps: tuple[StepHead, ...]


class RunStarted(Struct, frozen=True, tag="run.started", kw_only=True):
    """A run of checks begins (or is taken up again: `resumed`)."""

    run: str
    command: str
    tree: str
    commit: str
    digest: str
    host: str
    jobs: tuple[JobHead, ...]
    resumed: bool = False
    ground: str = ""
    """Digest over what the run hangs on besides tree and plan: the host's identity, and the tools
    that the plan asked for. Results are carried from one run into another only on the same ground."""


class JobStarted(Struct, frozen=True, tag="job.started"):
    """A job's first step is about to run."""

    job: str


class JobExpanded(Struct, frozen=True, tag="job.expanded"):
    """A job that hung on what others say is known now: these jobs stand for it from here on."""

    job: str
    jobs: tuple[JobHead, ...]


class StepStarted(Struct, frozen=True, tag="step.started"):
    """A step runs now."""

    job: str
    step: int
    name: str


class StepOutput(Struct, frozen=True, tag="step.output"):
    """A piece of a step's output, masked, decoded with replacement characters."""

    job: str
    step: int
    text: str


class Annotation(Struct, frozen=True, tag="annotation", kw_only=True):
    """A `::error file=…::` and its kin, printed by a step."""

    job: str
    step: int
    level: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    title: str = ""


class StepSummary(Struct, frozen=True, tag="step.summary", kw_only=True):
    """A step wrote to GITHUB_STEP_SUMMARY: Markdown, masked, for people to read."""

    job: str
    step: int
    path: str
    """Where it is kept, relative to the run's folder."""
    bytes: int
    lines: int


class StepEnded(Struct, frozen=True, tag="step.ended", kw_only=True):
    """A step has its result. `outcome` is before `continue-on-error`, `conclusion` after."""

    job: str
    step: int
    name: str
    verdict: str
    outcome: str
    conclusion: str
    gating: bool = True
    reason: str = ""
    exit_code: int | None = None
    duration: float = 0.0
    """Seconds."""
    log: str = ""
    """Path of the masked log, relative to the run's folder."""
    log_sha256: str = ""
    log_bytes: int = 0
    tests: int | None = None
    """Number of tests the step ran, when its output says so."""


class JobEnded(Struct, frozen=True, tag="job.ended", kw_only=True):
    """A job has its result: success, failure, cancelled, skipped, refused, unproven or lost."""

    job: str
    conclusion: str
    reason: str = ""
    duration: float = 0.0


class RunEnded(Struct, frozen=True, tag="run.ended", kw_only=True):
    """The run has its result: `green`, `partial`, `red`, `hollow` or `cancelled`."""

    run: str
    state: str
    exit_code: int
    executed: int
    failed: int
    refused: int
    open: tuple[str, ...] = ()
    """What keeps the run from being a full proof, a line each."""
    unproven: tuple[str, ...] = ()
    """What is left out by design, such as deployments; it does not block."""
    remedies: tuple[str, ...] = ()
    receipt: str = ""
    duration: float = 0.0
    cached: bool = False


class LandIntent(Struct, frozen=True, tag="land.intent", kw_only=True):
    """About to commit and push exactly this tree."""

    tree: str
    remote: str
    branch: str
    expected: str | None
    """What the remote's branch must still be; None when it must not exist."""
    message: str = ""


class LandCommitted(Struct, frozen=True, tag="land.committed"):
    """The commit object exists in the user's repository."""

    tree: str
    oid: str


class LandPushed(Struct, frozen=True, tag="land.pushed"):
    """The remote took the commit."""

    tree: str
    oid: str
    remote: str
    branch: str


class LandFailed(Struct, frozen=True, tag="land.failed"):
    """The push did not happen."""

    tree: str
    reason: str


class LandStep(Struct, frozen=True, tag="land.step", kw_only=True):
    """Something that belongs to a landing beside the push itself: about to be done, done, or failed.

    `staged` is the push to a temporary ref, `unstaged` its end; `status` the commit status, `notes`
    the receipts, `pull` the pull request.
    """

    what: str
    state: str
    """`intent`, `done` or `failed`."""
    oid: str
    detail: str = ""


class Accepted(Struct, frozen=True, tag="gate.accepted", kw_only=True):
    """Somebody said yes to rules that are weaker than those of the main branch."""

    tree: str
    reason: str
    by: str
    lines: tuple[str, ...]


class Note(Struct, frozen=True, tag="note"):
    """A sentence for a person: `info`, `warning` or `error`."""

    level: str
    text: str


class WatchStarted(Struct, frozen=True, tag="watch.started", kw_only=True):
    """CI is watched for exactly this commit."""

    forge: str
    """Where: `github.com/owner/name`."""
    commit: str
    event: str
    branch: str
    expected: tuple[str, ...]
    """Paths of the workflows that must run."""
    left_out: tuple[str, ...] = ()
    """What does not count, and why, a line each."""
    since: float = 0.0
    """When the commit was pushed, or first watched: seconds since the epoch."""
    resumed: bool = False


class CiRunSeen(Struct, frozen=True, tag="ci.run", kw_only=True):
    """A run of a workflow has appeared or changed."""

    workflow: str
    run: int
    attempt: int
    status: str
    conclusion: str | None = None
    url: str = ""
    expected: bool = True


class CiJobSeen(Struct, frozen=True, tag="ci.job", kw_only=True):
    """A job of a run has appeared or changed."""

    workflow: str
    run: int
    job: str
    status: str
    conclusion: str | None = None
    step: str = ""
    """The step that runs now."""
    number: int = 0
    """Its number, from 1."""
    duration: float = 0.0
    """Seconds, when it is over."""


class CiStepFailed(Struct, frozen=True, tag="ci.failed", kw_only=True):
    """A step is red in CI, and this is what was known of it here."""

    workflow: str
    run: int
    job: str
    step: str
    conclusion: str
    url: str = ""
    log: str = ""
    """Path of its part of the job's log, relative to the watch's folder; empty without one."""
    local: str = ""
    """The plan's verdict on the step."""
    told: str = ""
    """What the proof said of it, in a sentence."""
    suggestion: str = ""
    """Lines for grind.toml that would have caught it."""


class WatchRow(Struct, frozen=True, kw_only=True):
    """What became of one workflow: see `grind.core.ci.CiVerdict`."""

    workflow: str
    verdict: str
    reason: str = ""
    settled: bool = True
    expected: bool = True
    run: int | None = None
    attempt: int = 0
    url: str = ""


class WatchEnded(Struct, frozen=True, tag="watch.ended", kw_only=True):
    """The watch has its result."""

    commit: str
    verdict: str
    exit_code: int
    workflows: tuple[WatchRow, ...]
    reason: str = ""
    """Why it ended before everything was settled; empty otherwise."""
    requests: int = 0
    """How many requests it cost …"""
    uncached: int = 0
    """… and how many of them counted against the forge's limit."""
    duration: float = 0.0


class ProbesStarted(Struct, frozen=True, tag="probes.started", kw_only=True):
    """Probes are asked from now on."""

    host: str
    probes: tuple[str, ...]
    purpose: str = ""
    """For what: `probe`, `activate`, `verify`, `rollback`."""


class ProbeLooked(Struct, frozen=True, tag="probe.looked", kw_only=True):
    """What a probe sees has changed, or it has come to its end."""

    probe: str
    place: str
    green: bool
    got: str
    problem: str = ""
    looks: int = 0
    greens: int = 0
    """Green looks in a row so far …"""
    wanted: int = 0
    """… of so many."""


class ProbesEnded(Struct, frozen=True, tag="probes.ended", kw_only=True):
    """All probes have their verdict."""

    host: str
    healthy: bool
    rows: tuple[ProbeRow, ...]
    seconds: float
    purpose: str = ""


Event: TypeAlias = (
    RunStarted
    | JobStarted
    | JobExpanded
    | StepStarted
    | StepOutput
    | Annotation
    | StepSummary
    | StepEnded
    | JobEnded
    | RunEnded
    | LandIntent
    | LandCommitted
    | LandPushed
    | LandFailed
    | LandStep
    | Accepted
    | Note
    | WatchStarted
    | CiRunSeen
    | CiJobSeen
    | CiStepFailed
    | WatchEnded
    | HostEvent
    | ProbesStarted
    | ProbeLooked
    | ProbesEnded
    | UndoEvent
    | LoopEvent
)


class Entry(Struct, frozen=True):
    """One line of the journal and of the NDJSON stream."""

    schema: str
    seq: int
    at: float
    """Seconds since the epoch."""
    event: Event


def encode(entry: Entry) -> bytes:
    """Return the entry as one line of JSON, newline included."""
    return msgspec.json.encode(entry) + b"\n"


def decode(line: bytes) -> Entry:
    """Read one line.

    Raises msgspec.DecodeError or msgspec.ValidationError for a torn or foreign line.
    """
    return msgspec.json.decode(line, type=Entry)

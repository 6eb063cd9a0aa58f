"""What happens, as values: the journal's lines, the faces' input, and the NDJSON stream.

An event that changes what is true is appended to the journal before and after the effect it speaks
of; `StepOutput` is shown and not journalled (the log file has it). Schema: `grind.events/1`, in
docs/schemas/events.json, made from these classes.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec
from msgspec import Struct

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


class JobStarted(Struct, frozen=True, tag="job.started"):
    """A job's first step is about to run."""

    job: str


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
    unproven: tuple[str, ...] = ()
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


class Note(Struct, frozen=True, tag="note"):
    """A sentence for a person: `info`, `warning` or `error`."""

    level: str
    text: str


Event: TypeAlias = (
    RunStarted
    | JobStarted
    | StepStarted
    | StepOutput
    | Annotation
    | StepEnded
    | JobEnded
    | RunEnded
    | LandIntent
    | LandCommitted
    | LandPushed
    | LandFailed
    | Note
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

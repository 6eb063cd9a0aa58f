"""GitHub's JSON as it is, and as `grind.core.ci` has it. Unknown fields are passed over."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from msgspec import Struct

from grind.core.ci import CiJob, CiRun, CiStep
from grind.core.errors import UnreachableError

Kind = TypeVar("Kind")
_PATH = re.compile(r"^(?P<path>.*?\.ya?ml)(?:@.*)?$")


class Run(Struct):
    """`workflow-run`."""

    id: int
    path: str
    event: str
    head_sha: str
    head_branch: str | None
    run_number: int
    status: str | None
    conclusion: str | None
    created_at: datetime
    updated_at: datetime
    html_url: str = ""
    run_attempt: int = 1
    check_suite_id: int | None = None


class Runs(Struct):
    """The list of runs."""

    total_count: int
    workflow_runs: list[Run]


class Step(Struct):
    """A step of `job`."""

    name: str
    number: int
    status: str
    conclusion: str | None
    started_at: datetime | None = None
    completed_at: datetime | None = None


class Job(Struct):
    """`job`."""

    id: int
    name: str
    status: str
    conclusion: str | None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    html_url: str | None = None
    run_attempt: int = 1
    steps: list[Step] = []


class Jobs(Struct):
    """The list of jobs."""

    total_count: int
    jobs: list[Job]


class App(Struct):
    """`integration`."""

    slug: str = ""


class Suite(Struct):
    """`check-suite`."""

    id: int
    app: App | None = None


class Suites(Struct):
    """The list of check suites."""

    total_count: int
    check_suites: list[Suite]


class Workflow(Struct):
    """`workflow`."""

    path: str
    state: str


class Workflows(Struct):
    """The list of workflows."""

    total_count: int
    workflows: list[Workflow]


class Activity(Struct):
    """`activity`."""

    before: str
    after: str
    timestamp: datetime


class Pull(Struct):
    """A pull request."""

    number: int
    html_url: str


class Check(Struct):
    """A required check of a rule."""

    context: str


class Parameters(Struct):
    """What a rule says; only required checks are read."""

    required_status_checks: list[Check] = []


class Rule(Struct):
    """`repository-rule-detailed`."""

    type: str
    parameters: Parameters | None = None


class Contexts(Struct):
    """The required checks of a protected branch."""

    contexts: list[str] = []


class Protection(Struct):
    """`branch-protection`."""

    required_status_checks: Contexts | None = None


class Branch(Struct):
    """`branch-with-protection`."""

    protection: Protection | None = None


def read(data: bytes, kind: type[Kind]) -> Kind:
    """Decode an answer. Raises UnreachableError for what is none."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise UnreachableError(f"GitHub's answer cannot be read: {error}") from None


def run_of(run: Run, repository: str) -> CiRun:
    """Return a run; `repository` is `owner/name`, for paths that name it."""
    return CiRun(
        id=run.id,
        path=path_of(run.path, repository),
        event=run.event,
        sha=run.head_sha,
        branch=run.head_branch or "",
        number=run.run_number,
        attempt=run.run_attempt,
        status=run.status or "unknown",
        conclusion=run.conclusion,
        created=_seconds(run.created_at) or 0.0,
        updated=_seconds(run.updated_at) or 0.0,
        url=run.html_url,
        suite=run.check_suite_id,
    )


def path_of(path: str, repository: str) -> str:
    """Return a workflow's path in its repository: GitHub may put the repository before it and
    `@ref` behind it. A workflow of another repository keeps its whole name."""
    match = _PATH.match(path)
    plain = match["path"] if match else path
    prefix = f"{repository}/"
    return plain[len(prefix) :] if plain.lower().startswith(prefix.lower()) else plain


def job_of(job: Job) -> CiJob:
    """Return a job."""
    return CiJob(
        id=job.id,
        name=job.name,
        status=job.status,
        conclusion=job.conclusion,
        attempt=job.run_attempt,
        steps=tuple(_step(step) for step in job.steps),
        url=job.html_url or "",
        started=_seconds(job.started_at),
        completed=_seconds(job.completed_at),
    )


def _step(step: Step) -> CiStep:
    return CiStep(
        number=step.number,
        name=step.name,
        status=step.status,
        conclusion=step.conclusion,
        started=_seconds(step.started_at),
        completed=_seconds(step.completed_at),
    )


def _seconds(at: datetime | None) -> float | None:
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()

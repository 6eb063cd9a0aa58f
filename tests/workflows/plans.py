"""Workflows as text to plans, on a host whose answers stand here."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

from grind.core.config import Config, load
from grind.core.plan import JobPlan, Plan
from grind.core.repository import ChangedFile
from grind.workflows.changes import Changes
from grind.workflows.checks import check_jobs
from grind.workflows.contexts import Situation
from grind.workflows.facts import Answer, Facts
from grind.workflows.lower import Request, lower
from grind.workflows.reader import read_workflow
from grind.workflows.syntax import Workflow
from grind.workflows.triggers import Event

LABELS = frozenset({"linux", "x64", "self-hosted"})
COMMIT = "c" * 40
PYTHON = Answer(0, "Python 3.11.2\n")
HOST: Mapping[tuple[str, ...], Answer] = {
    ("python3", "--version"): PYTHON,
    ("python3.11", "--version"): PYTHON,
    ("python", "--version"): PYTHON,
    ("node", "--version"): Answer(0, "v20.11.0\n"),
    ("cargo", "--version"): Answer(0, "cargo 1.79.0 (ffa9cf99a 2024-06-03)\n"),
    ("bash", "-c", "jq --version"): Answer(0, "jq-1.6\n"),
}
SITUATION = Situation(
    event="push",
    ref="refs/heads/main",
    sha=COMMIT,
    before="b" * 40,
    message="Change it",
    repository="owner/project",
    default_branch="main",
    actor="somebody",
)


def read(text: str, path: str = ".github/workflows/ci.yml") -> Workflow:
    """Read a workflow that has no problem."""
    reading = read_workflow(path, dedent(text).encode())
    assert reading.workflow is not None, reading.problems
    assert not reading.problems, reading.problems
    return reading.workflow


def request_of(
    *workflows: Workflow,
    config: str = "",
    paths: tuple[str, ...] | None = None,
    message: str = "Change it",
    event: str = "push",
    repository: str = "owner/project",
    answers: Mapping[tuple[str, ...], Answer] = HOST,
    files: Mapping[str, str] | None = None,
) -> Request:
    """`files` are other files of the snapshot, by path."""
    import msgspec

    held = {path: dedent(text) for path, text in (files or {}).items()}

    situation = msgspec.structs.replace(
        SITUATION, event=event, message=message, repository=repository
    )
    return Request(
        workflows=workflows,
        situation=situation,
        event=Event(name=event, ref=situation.ref, paths=paths, message=message, head=COMMIT),
        config=load("grind.toml", dedent(config).encode()) if config else Config(),
        facts=Facts(answers, read=held.get, changes=lambda: changes_of(paths, event)),
        labels=LABELS,
        tree="7" * 40,
        commit=COMMIT,
        base=None,
    )


def changes_of(paths: tuple[str, ...] | None, event: str = "push") -> Changes:
    """These paths, each with an edit, on the main branch."""
    return Changes(
        files=tuple(ChangedFile("M", path) for path in paths) if paths else None,
        event=event,
        heads=frozenset({COMMIT, SITUATION.ref, "main"}),
        bases=frozenset({"main", "refs/heads/main", SITUATION.before}),
    )


def settled(request: Request) -> Plan:
    """Lower until the host has been asked everything; what it does not have answers 127."""
    answers = dict(request.facts._answers)
    for _ in range(8):
        facts = Facts(
            answers,
            read=request.facts.read,
            repository=request.situation.repository,
            artifacts=True,
            changes=request.facts.changes,
        )
        plan = lower(request._replace(facts=facts))
        if not facts.wanted:
            return plan
        answers |= {argv: Answer(127) for argv in facts.wanted}
    raise AssertionError("the plan does not settle")


def plan_of(text: str, **more: object) -> Plan:
    return settled(request_of(read(text), **more))  # type: ignore[arg-type]


def steps_job(steps: str, head: str = "") -> JobPlan:
    """Lower one job `j` with these steps (YAML, unindented)."""
    body = "\n".join("      " + line for line in dedent(steps).strip().splitlines())
    extra = "\n".join("    " + line for line in dedent(head).strip().splitlines())
    text = f"on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n{extra}\n    steps:\n{body}\n"
    return plan_of(text).job("ci.yml/j")


def checks_of(config: str, changed: tuple[str, ...] | None = None) -> Plan:
    return check_jobs(request_of(config=config), changed)

"""What GitHub would know and grind does not is unknown, and never null."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from grind.workflows import contexts
from grind.workflows.expressions import UNKNOWN, UnknownValueError, evaluate
from grind.workflows.jobenv import event_file
from tests.workflows.plans import SITUATION


def ask(source: str, event: str = "push", **more: str) -> Any:
    situation = msgspec.structs.replace(SITUATION, event=event, **more)
    github = contexts.github(
        situation, workflow="CI", workflow_path=".github/workflows/ci.yml", job="j", extra={}
    )
    known = {
        "github": github,
        "inputs": contexts.inputs(situation),
        "vars": contexts.variables(),
        "runner": contexts.runner(situation, {}, hosted=True),
    }
    try:
        return evaluate(source, known)
    except UnknownValueError:
        return UNKNOWN


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("github.ref_name", "main"),
        ("github.ref_type", "branch"),
        ("github.repository_owner", "owner"),
        ("github.event.head_commit.message", "Change it"),
        ("github.event.repository.default_branch", "main"),
        ("github.event.repository.fork", UNKNOWN),
        ("github.event.repository.archived", UNKNOWN),
        ("github.event.repository.owner.login", "owner"),
        ("github.event.repository.owner.type", UNKNOWN),
        ("github.event.pull_request", None),
        ("github.event.inputs.x", None),
        ("github.event.sender.login", UNKNOWN),
        ("github.run_number", UNKNOWN),
        ("github.token", UNKNOWN),
        ("github.base_ref", ""),
        ("github.no_such_key", None),
        ("inputs.x", None),
        ("vars.X", UNKNOWN),
        ("runner.os", "Linux"),
        ("runner.temp", UNKNOWN),
    ],
)
def test_a_push(source: str, answer: object) -> None:
    assert ask(source) == answer


@pytest.mark.parametrize(
    ("source", "event"),
    [
        ("github.event.pull_request.number", "pull_request"),
        ("github.base_ref", "pull_request"),
        ("github.event.inputs.x", "workflow_dispatch"),
        ("inputs.x", "workflow_dispatch"),
    ],
)
def test_what_only_the_event_itself_would_tell(source: str, event: str) -> None:
    assert ask(source, event) is UNKNOWN


@pytest.mark.parametrize(
    ("ref", "name", "kind"),
    [
        ("refs/heads/a/b", "a/b", "branch"),
        ("refs/tags/v1", "v1", "tag"),
        ("refs/pull/1/merge", "1/merge", "branch"),
    ],
)
def test_refs(ref: str, name: str, kind: str) -> None:
    assert ask("github.ref_name", ref=ref) == name
    assert ask("github.ref_type", ref=ref) == kind


def test_the_file_of_the_event_has_what_is_known_alone() -> None:
    event = json.loads(event_file(SITUATION))
    assert event["after"] == SITUATION.sha
    assert event["repository"]["full_name"] == "owner/project"
    assert "sender" not in event
    assert "fork" not in event["repository"]

"""The stand-in itself: it can say no, and it fetches what it holds itself to."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.github.openapi import Contract, ContractError
from tests.github.standin import ROOT, TOKEN, GitHub, Job, Reply
from tests.github.watching import CI, OTHER, SHA

HEADERS = {"accept": "application/vnd.github+json", "user-agent": "t", "authorization": "Bearer x"}


def ask(github: GitHub, path: str, **headers: str) -> Reply:
    given = HEADERS | {"authorization": f"Bearer {TOKEN}"} | headers
    return github.answer(ROOT + path, given)


@pytest.mark.parametrize(
    "target",
    [
        "/actions/runs?head_shaa=1",
        "/actions/runs?per_page=many",
        "/actions/runs/7?filter=latest",
        "/actions/runs/7/jobs?filter=newest",
        "/actions/rums",
    ],
)
def test_a_request_that_github_does_not_know_is_a_violation(github: GitHub, target: str) -> None:
    assert ask(github, target).status == 599
    assert len(github.violations) == 1


def test_an_answer_that_github_would_not_give_is_a_violation(github: GitHub) -> None:
    run = github.run(CI, SHA, Job("test"))
    assert ask(github, f"/actions/runs/{run.id}").status == 200
    run.event = None  # type: ignore[assignment]
    assert ask(github, f"/actions/runs/{run.id}").status == 599
    assert "event" in github.violations[0] or "None is not" in github.violations[0]


def test_null_is_taken_where_github_says_nullable_and_nowhere_else(contract: Contract) -> None:
    template = "/repos/{owner}/{repo}/actions/runs/{run_id}"
    body = contract.smallest(contract.schema("workflow-run"))
    contract.check_answer(template, 200, body | {"conclusion": None})
    with pytest.raises(ContractError, match="head_sha"):
        contract.check_answer(template, 200, body | {"head_sha": None})
    with pytest.raises(ContractError, match="required property"):
        contract.check_answer(template, 200, {k: v for k, v in body.items() if k != "path"})


def listed(reply: Reply) -> list[Any]:
    return [run["id"] for run in reply.body["workflow_runs"]]


def test_an_empty_sha_gives_other_peoples_runs_and_a_short_one_none(github: GitHub) -> None:
    own, other = github.run(CI, SHA), github.run(CI, OTHER)
    assert listed(ask(github, f"/actions/runs?head_sha={SHA}")) == [own.id]
    assert sorted(listed(ask(github, "/actions/runs?head_sha="))) == [own.id, other.id]
    assert listed(ask(github, f"/actions/runs?head_sha={SHA[:10]}")) == []


def test_a_304_is_free_for_those_with_a_token_only(github: GitHub) -> None:
    run = github.run(CI, SHA, Job("test"))
    etag = ask(github, f"/actions/runs/{run.id}").headers["etag"]
    before = github.remaining
    with_token = {"if-none-match": etag}
    assert ask(github, f"/actions/runs/{run.id}", **with_token).status == 304
    assert github.remaining == before
    assert ask(github, f"/actions/runs/{run.id}", authorization="", **with_token).status == 304
    assert github.remaining == before - 1


def test_the_description_is_cut_and_has_no_addresses_of_registries(contract: Contract) -> None:
    text = json.dumps(contract._paths)
    assert len(contract._paths) == 14
    assert "registry" not in text

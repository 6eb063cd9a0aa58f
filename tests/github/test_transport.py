"""How GitHub is asked: limits, refusals, silence, redirects, tokens. None of it is a verdict."""

from __future__ import annotations

import asyncio
import copy
import os
import pickle
import stat
from collections import Counter
from pathlib import Path

import pytest

from grind.adapters.github.address import Address, address_of
from grind.adapters.github.forge import GitHubForge
from grind.adapters.github.tokens import Token, find_token
from grind.core import events as e
from grind.core.errors import GrindError, RefusedError, UnreachableError
from grind.flows.watch import Patience
from tests.github.standin import NAME, OWNER, ROOT, TOKEN, GitHub, Job, Reply, Step, error
from tests.github.watching import CI, LINT, SHA, Watcher

LONG = Job("test", (Step("Set up job", 2), Step("Run make test", 1180)))


def push(github: GitHub, *jobs: Job) -> None:
    github.push(SHA)
    github.run(CI, SHA, *(jobs or (Job("test"),)), after=1)


# --- how much is asked ---------------------------------------------------------------------------


def test_a_watch_of_twenty_minutes_costs_few_requests(github: GitHub, watcher: Watcher) -> None:
    push(github, LONG)
    github.run(LINT, SHA, LONG, after=30)
    ended = watcher.watch(CI, LINT)
    assert ended.verdict == "clean"
    assert 1190 <= ended.duration <= 1260
    assert (ended.requests, ended.uncached) == (len(github.requests), len(github.uncached))
    assert ended.requests <= 180
    assert ended.uncached <= 16


@pytest.mark.parametrize(
    ("workflows", "apart", "requests", "counted"),
    [(1, 0, 90, 9), (3, 0, 260, 17), (3, 30, 250, 24)],
)
def test_it_costs_what_the_page_says(
    github: GitHub, watcher: Watcher, workflows: int, apart: int, requests: int, counted: int
) -> None:
    """docs/watch.md, "What it asks, and with what"."""
    names = [f".github/workflows/{number}.yml" for number in range(workflows)]
    github.push(SHA)
    for number, name in enumerate(names):
        github.run(name, SHA, LONG, after=1 + number * apart)
    ended = watcher.watch(*names)
    assert (ended.requests, ended.uncached) == (requests, counted)
    page = (Path(__file__).parents[2] / "docs" / "watch.md").read_text()
    assert f"{requests} requests with {counted}" in page or f"{requests} with {counted}" in page


def test_at_most_one_answer_counts_for_a_run_and_a_poll(github: GitHub, watcher: Watcher) -> None:
    """Whatever happens: many steps, a re-run, a failure."""
    busy = Job("busy", tuple(Step(f"Run step {n}", 7) for n in range(60)), "failure", log=b"x\n")
    github.push(SHA)
    run = github.run(CI, SHA, busy, conclusion="failure")
    run.rerun(500, busy._replace(conclusion="success"))
    github.run(LINT, SHA, busy._replace(conclusion="success"))
    watcher.watch(CI, LINT)
    polls = Counter(
        (request.poll, request.path.split("/")[6])
        for request in github.uncached
        if "/actions/runs/" in request.path
    )
    assert len(polls) >= 40
    assert set(polls.values()) == {1}


def test_completion_is_noticed_within_one_poll(github: GitHub, watcher: Watcher) -> None:
    push(github, LONG)
    watcher.watch(CI)
    over = github.runs[0].attempts[0].ends
    assert watcher.clock.now() - over <= 30


def test_polls_grow_from_three_to_thirty_seconds(github: GitHub, watcher: Watcher) -> None:
    push(github, LONG)
    watcher.watch(CI)
    naps = [nap for nap in watcher.clock.naps if nap]
    assert naps[:4] == [3, 4.5, 6.75, 10.125]
    assert naps == sorted(naps)
    assert naps[-1] == 30


def test_what_has_not_changed_is_free(github: GitHub, watcher: Watcher) -> None:
    push(github, LONG)
    before = github.remaining
    ended = watcher.watch(CI)
    statuses = [request.status for request in github.requests]
    assert statuses.count(304) > 40
    assert before - github.remaining == ended.uncached == statuses.count(200)


def test_without_a_token_the_limit_is_made_to_last(github: GitHub, watcher: Watcher) -> None:
    watcher.token = None
    github.remaining, github.reset = 60, watcher.clock.now() + 3600
    push(github, LONG)
    ended = watcher.watch(CI)
    assert ended.verdict == "clean"
    assert github.remaining > 0
    assert all("authorization" not in request.headers for request in github.requests)


# --- limits --------------------------------------------------------------------------------------


def test_the_primary_limit_is_waited_for(github: GitHub, watcher: Watcher) -> None:
    push(github, LONG)
    github.remaining, github.reset = 3, watcher.clock.now() + 700
    ended = watcher.watch(CI)
    assert ended.verdict == "clean"
    refused = [request for request in github.requests if request.status == 403]
    assert len(refused) <= 1
    assert len(refused) == sum("limit" in note for note in watcher.notes)


def test_the_primary_limit_used_up_by_others(github: GitHub, watcher: Watcher) -> None:
    push(github)
    github.remaining, github.reset = 0, watcher.clock.now() + 700
    assert watcher.watch(CI).verdict == "clean"
    assert len([r for r in github.requests if r.status == 403]) == 1
    assert github.requests[1].at >= 700 + github.requests[0].at


@pytest.mark.parametrize("status", [403, 429])
def test_the_secondary_limit_is_obeyed(github: GitHub, watcher: Watcher, status: int) -> None:
    push(github, LONG)
    told = "You have exceeded a secondary rate limit."
    github.fail("/actions", error(status, told, retry_after="90"), 60, 120)
    ended = watcher.watch(CI)
    assert ended.verdict == "clean"
    limited = [n for n, request in enumerate(github.requests) if request.status == status]
    assert len(limited) == 1
    assert github.requests[limited[0] + 1].at - github.requests[limited[0]].at == 90
    assert any("secondary rate limit" in note and "90 s" in note for note in watcher.notes)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 60),
        ({"retry_after": "soon"}, 60),
        ({"retry_after": "0"}, 1),
        ({"retry_after": "999999"}, 3600),
    ],
)
def test_a_secondary_limit_without_a_good_time(
    github: GitHub, watcher: Watcher, headers: dict[str, str], seconds: float
) -> None:
    push(github)
    told = "You have exceeded a secondary rate limit."
    github.fail("/actions/runs", error(403, told, **headers), 0, 0.5)
    watcher.watch(CI)
    assert watcher.clock.naps[0] == seconds


def test_a_limit_that_ends_after_the_time_to_wait_is_not_waited_for(
    github: GitHub, watcher: Watcher
) -> None:
    push(github)
    github.remaining, github.reset = 0, watcher.clock.now() + 3000
    watcher.patience = Patience(total=600)
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.exit_code) == ("unknown", 75)
    assert "limit" in ended.reason
    assert watcher.clock.passed == 0


# --- silence -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, {"total_count": 0, "workflow_runs": []}, cut=True),
        error(500, "Server Error"),
        error(502, "Bad Gateway"),
        error(503, "No server is currently available"),
    ],
    ids=["cut", "500", "502", "503"],
)
def test_a_forge_that_is_away_for_a_while_changes_nothing(
    github: GitHub, watcher: Watcher, reply: Reply
) -> None:
    push(github, LONG)
    github.fail("/actions/runs", reply, 0, 400)
    ended = watcher.watch(CI)
    assert ended.verdict == "clean"
    assert [note for note in watcher.notes if "trying again" in note]
    assert [note for note in watcher.notes if "answers again" in note]


def test_a_forge_that_stays_away_is_unreachable_and_no_verdict(
    github: GitHub, watcher: Watcher
) -> None:
    push(github)
    github.fail("/", error(500, "Server Error"))
    with pytest.raises(UnreachableError) as raised:
        watcher.watch(CI)
    assert raised.value.code == 7
    assert 900 <= watcher.clock.passed <= 960
    assert watcher.told(e.WatchEnded) == []


def test_nobody_listens(watcher: Watcher) -> None:
    watcher.api = "http://127.0.0.1:1"
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1 does not answer"):
        watcher.watch(CI)


def test_an_answer_that_is_not_json_is_no_answer(github: GitHub, watcher: Watcher) -> None:
    push(github)
    body = {"total_count": 0, "workflow_runs": []}
    github.fail("/actions/runs", Reply(200, body, raw=b"<html>proxy says hello"), 0, 100)
    assert watcher.watch(CI).verdict == "clean"


# --- refusals ------------------------------------------------------------------------------------


def test_a_wrong_token(github: GitHub, watcher: Watcher) -> None:
    push(github)
    watcher.token = "ghp_wrong"
    with pytest.raises(RefusedError, match="does not accept the token from the test") as raised:
        watcher.watch(CI)
    assert raised.value.code == 3
    assert "ghp_wrong" not in raised.value.message + raised.value.remedy


def test_a_private_repository_without_a_token(github: GitHub, watcher: Watcher) -> None:
    push(github)
    github.private = True
    watcher.token = None
    with pytest.raises(RefusedError, match="no such repository with no token") as raised:
        watcher.watch(CI)
    assert "GRIND_GITHUB_TOKEN" in raised.value.remedy


def test_a_token_that_may_not_read_actions(github: GitHub, watcher: Watcher) -> None:
    push(github)
    github.fail("/actions", error(403, "Resource not accessible by personal access token"))
    with pytest.raises(RefusedError, match="Resource not accessible"):
        watcher.watch(CI)


def test_a_token_that_may_not_read_checks_nor_rules_is_enough(
    github: GitHub, watcher: Watcher
) -> None:
    github.push(SHA)
    github.fail("check-suites", error(403, "Resource not accessible by personal access token"))
    github.fail("branches", error(404, "Not Found"))
    github.run(CI, SHA, Job("lint"), Job("test", (), "skipped"), after=60)
    assert watcher.watch(CI).verdict == "clean"


def test_one_odd_refusal_in_the_middle_is_survived(github: GitHub, watcher: Watcher) -> None:
    push(github, LONG)
    github.fail("/actions", error(404, "Not Found"), 300, 315)
    assert watcher.watch(CI).verdict == "clean"


def test_a_token_that_is_revoked_meanwhile_ends_the_watch(github: GitHub, watcher: Watcher) -> None:
    push(github, LONG)
    github.fail("/", error(401, "Bad credentials"), 300)
    with pytest.raises(RefusedError):
        watcher.watch(CI)


# --- redirects -----------------------------------------------------------------------------------


def test_a_renamed_repository_is_followed_at_the_same_api(github: GitHub, watcher: Watcher) -> None:
    async def ask() -> bool:
        forge = GitHubForge(
            Address("github.com", watcher.api, "octo", "old", True), Token(TOKEN, "the test")
        )
        try:
            return await forge.has_commit(SHA)
        finally:
            await forge.close()

    github.push(SHA)
    moved = Reply(301, {"message": "Moved"}, {"location": f"{ROOT}/git/commits/{SHA}"})
    github.fail("/octo/old/", moved)
    assert asyncio.run(ask()) is True


def test_an_answer_that_leads_to_another_host_gets_no_token(
    github: GitHub, watcher: Watcher
) -> None:
    push(github)
    elsewhere = f"{github.blob_url}/repos/x/y/branches/main"
    github.run(LINT, SHA, Job("a"), Job("b", (), "skipped"))
    moved = Reply(301, {"message": "Moved"}, {"location": elsewhere})
    github.fail(f"{ROOT}/branches/main", moved)
    assert watcher.watch(CI, LINT).verdict == "clean"
    assert watcher.server.log_headers == []


# --- addresses -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "api", "shown"),
    [
        ("https://github.com/o/r.git", "https://api.github.com", "github.com/o/r"),
        ("git@github.com:o/r.git", "https://api.github.com", "github.com/o/r"),
        ("ssh://git@github.com/o/r", "https://api.github.com", "github.com/o/r"),
        ("ssh://git@ssh.github.com:443/o/r.git", "https://api.github.com", "github.com/o/r"),
        ("https://git.corp/o/r/", "https://git.corp/api/v3", "git.corp/o/r"),
        ("git@git.corp:o/r.git", "https://git.corp/api/v3", "git.corp/o/r"),
        ("https://acme.ghe.com/o/r", "https://api.acme.ghe.com", "acme.ghe.com/o/r"),
    ],
)
def test_addresses(url: str, api: str, shown: str) -> None:
    address = address_of(url, {})
    assert (address.api, address.shown) == (api, shown)


@pytest.mark.parametrize(
    "url", ["", "/srv/git/r.git", "file:///srv/o/r", "https://github.com/o", "git@h:../r",
            "https://github.com/o/r/x", "https://github.com/o/..", "git@h:o/r?x=1"]
)  # fmt: skip
def test_what_is_no_repository_at_github(url: str) -> None:
    with pytest.raises(GrindError, match="does not name a repository"):
        address_of(url, {})


@pytest.mark.parametrize("api", ["http://git.corp/api", "https://u:p@h/api", "https://h/?x=1", "h"])
def test_an_api_that_would_leak(api: str) -> None:
    with pytest.raises(GrindError) as raised:
        address_of("https://github.com/o/r", {}, api)
    assert "u:p" not in raised.value.message


def test_an_enterprise_server_has_a_base_path(github: GitHub, watcher: Watcher) -> None:
    push(github)
    watcher.api = f"{watcher.server.url}/api/v3"
    assert watcher.watch(CI).verdict == "clean"


# --- tokens --------------------------------------------------------------------------------------


def find(url: str, environ: dict[str, str], api: str | None = None) -> str | None:
    token = asyncio.run(find_token(address_of(url, environ, api), environ))
    return token.header()["Authorization"] if token else None


PUBLIC = "https://github.com/o/r"


def gh(tmp_path: Path, script: str) -> str:
    program = tmp_path / "gh"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return f"{tmp_path}:{os.environ['PATH']}"


def test_the_order_of_tokens(tmp_path: Path) -> None:
    path = gh(tmp_path, 'echo "from-gh-for-$4"')
    names = ["GRIND_GITHUB_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"]
    environ = {name: name.lower() for name in names} | {"PATH": path}
    for name in names:
        assert find(PUBLIC, environ) == f"Bearer {name.lower()}"
        environ[name] = ""
    assert find(PUBLIC, environ) == "Bearer from-gh-for-github.com"
    assert find(PUBLIC, {"PATH": gh(tmp_path, "echo no oauth token >&2; exit 1")}) is None
    assert find(PUBLIC, {"PATH": str(tmp_path / "nothing")}) is None


def test_a_token_of_the_environment_is_not_for_any_host(tmp_path: Path) -> None:
    """The remote of a cloned repository may name any host."""
    path = gh(tmp_path, "exit 1")
    environ = {"GITHUB_TOKEN": "t", "GRIND_GITHUB_TOKEN": "t", "PATH": path}
    evil = "https://evil.example/o/r"
    assert find(evil, environ) is None
    assert find(evil, environ, "https://evil.example/api/v3") == "Bearer t"
    runner = {"GITHUB_SERVER_URL": "https://git.corp", "GITHUB_API_URL": "https://git.corp/api/v3"}
    assert find("https://git.corp/o/r", environ | runner) == "Bearer t"
    assert find(evil, environ | runner) is None


def test_a_token_is_never_shown() -> None:
    token = Token("ghp_secret", "GH_TOKEN")
    assert "ghp_secret" not in f"{token!r} {token!s} {token}"
    for bad in ("a b", "a\nb: c", "", "é"):
        with pytest.raises(GrindError) as raised:
            Token(bad, "GH_TOKEN")
        assert not bad or bad not in raised.value.message
    for store in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            store(token)


def test_no_event_and_no_note_holds_the_token(github: GitHub, watcher: Watcher) -> None:
    push(github, LONG)
    github.fail("/actions/runs", error(500, f"oops {OWNER}/{NAME}"), 100, 300)
    watcher.watch(CI)
    assert TOKEN not in repr(watcher.events)

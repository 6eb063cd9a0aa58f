"""The demo's stand-in for GitHub: what it answers is what GitHub may answer."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from grind.adapters.github.address import address_of
from grind.adapters.github.forge import GitHubForge
from grind.adapters.github.tokens import Token
from grind.commands import demo, demo_watch
from grind.commands.demoforge import DemoForge, Reply
from grind.core.errors import ExitCode
from tests.github.openapi import Contract
from tests.github.watching import CI, OTHER, SHA
from tests.repositories import OWN, SETTINGS, Repository

FAILED = subprocess.CompletedProcess([], 3, "looks for it\nno such tool\n")


class Held(DemoForge):
    """The stand-in, each of whose answers is held to GitHub's description."""

    def __init__(self, contract: Contract) -> None:
        super().__init__(demo_watch.OWNER, demo_watch.NAME)
        self._contract = contract
        self.violations: list[str] = []
        self.answered: set[tuple[str, int]] = set()

    def answer(self, target: str) -> Reply:
        reply = super().answer(target)
        split = urlsplit(target)
        if split.path.startswith("/logs/"):  # the store of logs is not the API
            return reply
        try:
            template, holes = self._contract.template(split.path)
            query = dict(parse_qsl(split.query, keep_blank_values=True))
            asked = {name: unquote(value) for name, value in holes.items()}
            self._contract.check_request(template, asked, query)
            self._contract.check_answer(template, reply.status, reply.body)
        except Exception as problem:
            self.violations.append(f"{target}: {problem}")
        else:
            name = template.removeprefix("/repos/{owner}/{repo}/")
            self.answered.add((name, reply.status))
        return reply


@pytest.fixture
def held(contract: Contract) -> Iterator[Held]:
    forge = Held(contract)
    assert forge.start() == ""
    yield forge
    forge.stop()
    assert forge.violations == []


def client(held: Held) -> GitHubForge:
    address = address_of(f"https://{demo_watch.REPOSITORY}", {}, held.url)
    return GitHubForge(address, Token("made-up", "the test"))


def test_every_question_of_the_adapter_has_an_answer_that_github_may_give(held: Held) -> None:
    clean = held.run(CI, OTHER, *demo_watch.jobs_in_ci(None))
    red = held.run(CI, SHA, *demo_watch.jobs_in_ci(FAILED))

    async def ask() -> None:
        forge = client(held)
        (run,) = (await forge.runs_of_commit(SHA)).value
        assert (run.id, run.path, run.event, run.conclusion) == (red.id, CI, "push", "failure")
        assert not (await forge.runs_of_commit(SHA)).fresh, "what is not changed is told as such"
        assert [one.id for one in (await forge.recent_runs("")).value] == [red.id, clean.id]
        assert [one.id for one in (await forge.recent_runs("main")).value] == [red.id, clean.id]
        assert (await forge.recent_runs("other")).value == ()
        (suite,) = (await forge.suites(SHA)).value
        assert [one.id for one in (await forge.runs_of_suite(suite)).value] == [red.id]
        assert (await forge.run(clean.id)).value is not None
        assert (await forge.run(7)).value is None
        lint, *rest = (await forge.jobs(red.id)).value
        assert (lint.name, lint.conclusion) == ("lint", "failure")
        assert {job.conclusion for job in rest} == {"skipped"}
        assert {job.conclusion for job in (await forge.jobs(clean.id)).value} == {"success"}
        log = await forge.log(lint.id)
        assert log is not None
        assert log.splitlines()[-1].endswith(b"Z ##[error]Process completed with exit code 3.")
        assert await forge.log(5) is None
        assert await forge.has_commit(SHA)
        assert not await forge.has_commit("5" * 40)
        assert await forge.required_jobs("main") == frozenset()
        assert await forge.disabled_workflows() == {}
        assert await forge.push_of("main", SHA) is None
        await forge.close()

    asyncio.run(ask())
    answered = {name for name, status in held.answered if status in (200, 302)}
    assert answered == {
        "actions/runs",
        "actions/runs/{run_id}",
        "actions/runs/{run_id}/jobs",
        "actions/jobs/{job_id}/logs",
        "actions/workflows",
        "commits/{ref}/check-suites",
        "git/commits/{commit_sha}",
        "rules/branches/{branch}",
    }


def test_the_contract_is_not_passed_by_anything(contract: Contract) -> None:
    forge = Held(contract)
    forge.run(CI, None)  # type: ignore[arg-type]
    forge.answer("/repos/newcomer/greet/actions/runs?head_shaa=1")
    forge.answer("/repos/newcomer/greet/actions/runs")
    assert len(forge.violations) == 2
    assert "head_sha" in forge.violations[1] or "None is not" in forge.violations[1]


def test_a_late_run_is_in_no_list_until_it_was_asked_for(held: Held) -> None:
    held.run(CI, SHA, *demo_watch.jobs_in_ci(None), late=0.0)

    async def ask() -> None:
        forge = client(held)
        assert (await forge.recent_runs("")).value == ()
        assert (await forge.suites(SHA)).value == ()
        assert (await forge.runs_of_commit(SHA)).value == (), "the first question"
        assert len((await forge.runs_of_commit(SHA)).value) == 1
        assert len((await forge.recent_runs("")).value) == 1
        await forge.close()

    asyncio.run(ask())


class Stage:
    """What a chapter says and types."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.typed: list[tuple[str, ...]] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def grind(self, *argv: str, expect: ExitCode = ExitCode.DONE) -> None:
        self.typed.append(argv)


def test_without_a_port_the_chapter_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DemoForge, "address", "192.0.2.1")  # no machine has it: it is for texts
    stage, env = Stage(), {"HOME": "h"}
    demo_watch.play(stage, tmp_path, env)
    (said,) = stage.said
    assert said.startswith("The chapter about CI's own runs is left out: no port can be had here (")
    assert (stage.typed, env) == ([], {"HOME": "h"})


@pytest.fixture
def sample(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "greet")
    repository.git("remote", "add", "origin", "git@stand-in.invalid:newcomer/greet.git")
    repository.commit({CI: demo.WORKFLOW, "grind.toml": demo_watch.CONFIG}, "Begin")
    return repository


def grind(sample: Repository, *argv: str, **env: str) -> subprocess.CompletedProcess[str]:
    own = {"HOME": str(sample.folder.parent), "GIT_SSH_COMMAND": "false", "LANG": "C.UTF-8"}
    return subprocess.run(
        [sys.executable, "-m", "grind", *argv],
        cwd=sample.folder,
        env=OWN | SETTINGS | own | env,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_ci_is_said_to_run_is_what_the_workflow_says(sample: Repository) -> None:
    plan = json.loads(grind(sample, "plan", "--json").stdout)
    planned = {(job["name"], step["name"]) for job in plan["jobs"] for step in job["steps"]}
    for jobs in (demo_watch.jobs_in_ci(None), demo_watch.jobs_in_ci(FAILED)):
        own = ("Set up job", "Complete job")
        told = {(job.name, s.name) for job in jobs for s in job.steps if s.name not in own}
        skipped = {job.name for job in jobs if not job.steps}
        left = {row for row in planned if row[0].partition(" (")[0] not in skipped}
        assert told == left


def test_the_whole_watch_asks_nothing_that_is_not_answered_in_form(
    sample: Repository, held: Held
) -> None:
    env = {"GRIND_GITHUB_API": held.url, "GRIND_GITHUB_TOKEN": "made-up"}
    first = sample.git("rev-parse", "HEAD").strip()
    held.run(CI, first, *demo_watch.jobs_in_ci(None), late=0.0)
    clean = grind(sample, "watch", **env)
    assert (clean.returncode, clean.stderr) == (0, "")
    assert f"clean · CI of {first[:12]} · 1 workflow" in clean.stdout
    second = sample.commit({"tools.sh": "exit 3"}, "Break it")
    held.run(CI, second, *demo_watch.jobs_in_ci(FAILED))
    red = grind(sample, "watch", **env)
    assert (red.returncode, red.stderr) == (1, "")
    assert "✗ ci.yml › lint › Tools\n" in red.stdout
    assert "│ no such tool\n" in red.stdout
    assert "made-up" not in red.stdout


def test_the_port_is_let_go(contract: Contract) -> None:
    forge = Held(contract)
    assert forge.start() == ""
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{forge.url}/", timeout=10)
    forge.stop()
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(f"{forge.url}/", timeout=10)

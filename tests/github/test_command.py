"""`grind watch` from end to end: a real repository, a real process, the stand-in of GitHub."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grind.commands.watch import add_arguments, repository_url, watch_commit
from grind.core.receipt import Receipt, StepRecord, write_receipt
from grind.ui.arguments import parser_for
from grind.wiring import Session
from tests.github.standin import TOKEN, Job, Server, Step
from tests.github.test_red import RED
from tests.github.watching import CI, LINT
from tests.repositories import Repository

WORKFLOW = """\
on:
  push:
    branches: [main]
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - name: Unit tests
        run: make test
"""
TESTED = Job("test", (Step("Set up job", 1), Step("Unit tests"), Step("Complete job", 1)))
FILTERED = WORKFLOW.replace("branches: [main]", "paths: ['docs/**']")


class Place:
    """A repository whose remote is at the stand-in, and grind in it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.github = server.github
        self.repository = Repository(folder / "app")
        self.repository.git("remote", "add", "origin", "git@github.com:octo/app.git")
        self.first = self.repository.commit({CI: WORKFLOW, LINT: FILTERED}, "Begin")
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        self.environ = {
            "PATH": path,
            "HOME": str(folder),
            "GRIND_STATE_DIR": str(folder / "state"),
            "GRIND_GITHUB_API": server.url,
            "GH_TOKEN": TOKEN,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_SSH_COMMAND": "false",  # the remote's address is real, and is never to be reached
        }

    def commit(self, files: dict[str, str | None], message: str = "Change") -> str:
        """Commit and push."""
        before = self.repository.git("rev-parse", "HEAD").strip()
        made = self.repository.commit(files, message)
        self.github.push(made, before=before)
        return made

    def process(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run it as a user does, by the system's own clock: only for what need not be waited for.
        A minute would be a watch that hangs."""
        return subprocess.run(
            [sys.executable, "-m", "grind", "watch", *argv],
            cwd=self.repository.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def watch(self, *argv: str) -> int:
        """Run it in this process, by the stand-in's clock."""
        session = Session(str(self.repository.folder), self.environ)
        session.clock = self.github.clock  # type: ignore[assignment]
        parser = parser_for("watch", "")
        add_arguments(parser)
        args: argparse.Namespace = parser.parse_args(argv)
        commit = session.repository.resolve(args.commit)
        return asyncio.run(watch_commit(session, args, commit, session.store.watch(commit)))


@pytest.fixture
def place(server: Server, tmp_path: Path) -> Place:
    return Place(server, tmp_path)


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line)["event"] for line in text.splitlines()]


def last(text: str) -> dict[str, Any]:
    event = events(text)[-1]
    assert event["type"] == "watch.ended"
    return event


def test_a_clean_commit(place: Place) -> None:
    sha = place.commit({"src/a": "1"})
    place.github.run(CI, sha, TESTED)
    place.github.clock._now += 60
    done = place.process()
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == f"grind watch · commit {sha[:12]} · on github.com/octo/app"
    assert "info: expecting ci.yml" in lines
    assert "info: not counted: .github/workflows/lint.yml: no changed path matches" in done.stdout
    assert lines[-1].startswith(f"clean · CI of {sha[:12]} · 1 workflow · ")


def test_red_with_the_log_and_what_was_known_here(place: Place) -> None:
    sha = place.commit({"src/a": "1"})
    place.github.run(CI, sha, RED, conclusion="failure")
    place.github.clock._now += 60
    keep_receipt(place, sha)
    done = place.process()
    assert (done.returncode, done.stderr) == (1, "")
    assert "✗ ci.yml › test › Unit tests\n" in done.stdout
    assert "│ test_a ... FAILED\n" in done.stdout
    assert "here: not run here, the host was believed to have it: it has make\n" in done.stdout
    assert '→ in grind.toml:\n    [[verdict]]\n    workflow = "ci.yml"\n' in done.stdout
    verdict, after = done.stdout.splitlines()[-2:]
    assert verdict.startswith("failed · ")
    assert after.startswith("no rollback of the code: ")
    assert "\x1b" not in done.stdout
    assert TOKEN not in done.stdout


def keep_receipt(place: Place, sha: str, verdict: str = "satisfied-by-host") -> None:
    tree = place.repository.git("rev-parse", f"{sha}^{{tree}}").strip()
    step = StepRecord(
        job="ci.yml/test", step=1, name="Unit tests", verdict=verdict,
        conclusion="success", gating=True, reason="it has make",
    )  # fmt: skip
    proof = Receipt(
        tree=tree, commit=sha, digest="d", key="k", state="green", host="h", created=0.0,
        grind="0", steps=(step,),
    )  # fmt: skip
    session = Session(str(place.repository.folder), place.environ)
    session.store.save_receipt(tree, write_receipt(proof))


def test_a_job_that_ran_here_and_is_skipped_there_is_hollow(place: Place) -> None:
    sha = place.commit({"src/a": "1"})
    keep_receipt(place, sha, "executed")
    place.github.run(CI, sha, Job("other"), Job("test", (), "skipped"))
    place.github.clock._now += 60
    done = place.process("--json")
    assert done.returncode == 21
    assert last(done.stdout)["workflows"][0]["reason"] == "test was skipped, and ran here"


SKIPPING = WORKFLOW.replace(
    "      - name: Unit tests\n",
    "      - uses: acme/grind@v1\n        id: proof\n        with: {skip-proven: true}\n"
    "      - name: Unit tests\n        if: steps.proof.outputs.proven != 'true'\n",
)


@pytest.mark.parametrize(
    ("verified", "executed", "verdict"),
    [("success", True, "clean"), ("failure", True, "hollow"), ("success", False, "hollow")],
)
def test_a_step_that_a_receipt_lets_off_is_not_hollow(
    place: Place, verified: str, executed: bool, verdict: str
) -> None:
    """Only when the verifier succeeded, and the own receipt says that it ran here."""
    sha = place.commit({CI: SKIPPING, "src/a": "1"})
    keep_receipt(place, sha, "executed" if executed else "satisfied-by-host")
    steps = (
        Step("Set up job", 1),
        Step("Run actions/checkout@v4"),
        Step("Run acme/grind@v1", 1, verified),
        Step("Unit tests", 1, "skipped"),
    )
    place.github.run(CI, sha, Job("test", steps))
    place.github.clock._now += 60
    done = place.process("--json")
    assert last(done.stdout)["verdict"] == verdict, done


def test_path_filters_are_those_of_the_whole_push(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """A push of several commits: a path counts that an earlier one of them changed."""
    before = place.repository.git("rev-parse", "HEAD").strip()
    place.repository.commit({"docs/a": "1"}, "One")
    sha = place.repository.commit({"src/b": "1"}, "Two")
    place.github.push(sha, before=before)
    place.github.run(CI, sha, TESTED)
    assert place.watch("--json") == 27
    assert {
        row["workflow"]: row["verdict"] for row in last(capsys.readouterr().out)["workflows"]
    } == {
        CI: "clean",
        LINT: "not-created",
    }


def test_a_push_that_is_not_known_counts_filters_as_matched(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    sha = place.commit({"src/a": "1"})
    place.github.activity.clear()
    place.github.run(CI, sha, TESTED)
    place.github.run(LINT, sha, TESTED)
    assert place.watch() == 0
    assert "path filters count as matched" in capsys.readouterr().out


@pytest.mark.parametrize("configured", [False, True])
def test_skip_ci(place: Place, capsys: pytest.CaptureFixture[str], configured: bool) -> None:
    files: dict[str, str | None] = {"src/a": "1"}
    if configured:
        files["grind.toml"] = "[watch]\nallow_none = true\n"
    place.commit(files, "Mend a comment [skip ci]")
    assert place.watch("--json") == (0 if configured else 26)
    started, *_, ended = events(capsys.readouterr().out)
    assert (ended["verdict"], ended["workflows"]) == ("none-expected", [])
    assert "the commit message says '[skip ci]'" in started["left_out"][0]
    assert place.github.clock.passed < 60


def test_an_ignored_workflow_is_named_with_its_reason(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    ignore = '[[ignore]]\nworkflow = "ci.yml"\nreason = "moves to lint.yml"\n'
    sha = place.commit({"docs/a": "1", "grind.toml": ignore})
    place.github.run(CI, sha, RED, conclusion="failure")
    place.github.run(LINT, sha, TESTED)
    assert place.watch() == 0
    assert "not counted: .github/workflows/ci.yml: ignored in grind.toml: moves to" in (
        capsys.readouterr().out
    )


def test_a_workflow_that_cannot_be_read_counts_as_expected(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    sha = place.commit({CI: "on: push\njobs: {test: {runs-on: x, stepz: []}}\n", "docs/a": "1"})
    place.github.run(CI, sha, conclusion="failure")
    place.github.run(LINT, sha, TESTED)
    assert place.watch() == 25
    out = capsys.readouterr().out
    assert "not understood, so it counts as expected" in out
    assert "startup-failure" in out


def test_a_watch_that_was_cut_off_is_taken_up(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    sha = place.commit({"src/a": "1"})
    place.github.activity.clear()
    assert place.watch("--timeout", "14m", "--json") == 75
    place.github.run(CI, sha, TESTED, after=5)
    place.github.run(LINT, sha, TESTED, after=9)
    capsys.readouterr()
    assert place.watch("--json") == 0
    started = events(capsys.readouterr().out)[0]
    assert started["resumed"] is True
    assert started["since"] == pytest.approx(place.github.clock.now() - place.github.clock.passed)


def test_a_watch_that_came_to_its_end_is_not_taken_up(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was watched before it was pushed; now it is pushed, and has its fifteen minutes."""
    sha = place.repository.commit({"src/a": "1"}, "Not pushed")
    assert place.watch("--json") == 27
    place.github.commits.add(sha)
    place.github.clock._now += 1000
    place.github.run(CI, sha, TESTED, after=100)
    place.github.run(LINT, sha, TESTED, after=100)
    assert place.watch("--json") == 0


def test_two_watches_of_one_commit_at_once(place: Place) -> None:
    sha = place.commit({"src/a": "1"})
    session = Session(str(place.repository.folder), place.environ)
    with session.watch_lock(session.store.watch(sha)):
        done = place.process()
    assert done.returncode == 3
    assert "busy: grind watch" in done.stderr


@pytest.mark.parametrize("json_wanted", [False, True])
def test_a_wrong_token_is_told_by_its_source(place: Place, json_wanted: bool) -> None:
    place.commit({"src/a": "1"})
    place.environ["GH_TOKEN"] = "ghp_wrong"
    done = place.process(*(["--json"] if json_wanted else []))
    assert done.returncode == 3
    assert "does not accept the token from GH_TOKEN" in done.stderr + done.stdout
    assert "ghp_wrong" not in done.stderr + done.stdout


def test_a_remote_that_is_not_at_github(place: Place) -> None:
    place.repository.git("remote", "set-url", "origin", "/srv/git/app.git")
    done = place.process()
    assert done.returncode == 2
    assert "does not name a repository at GitHub" in done.stderr


def test_what_is_kept_is_private(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    sha = place.commit({"src/a": "1"})
    place.github.run(CI, sha, RED, conclusion="failure")
    assert place.watch("--json") == 1
    failed = next(e for e in events(capsys.readouterr().out) if e["type"] == "ci.failed")
    folder = place.repository.folder / ".git" / "grind" / "watches" / sha
    assert (folder / failed["log"]).read_bytes().startswith(b"##[group]Run make test")
    assert folder.stat().st_mode & 0o077 == 0
    assert TOKEN.encode() not in (folder / "journal.ndjson").read_bytes()


@pytest.mark.parametrize("given", ["soon", "0s", "-3m", "5"])
def test_a_time_that_is_none(place: Place, given: str) -> None:
    done = place.process(f"--timeout={given}")
    assert done.returncode == 2
    assert "length of time" in done.stderr


def test_the_repository_may_be_named() -> None:
    assert repository_url("o/r", "x") == "https://github.com/o/r"
    assert repository_url("git.corp/o/r", "x") == "https://git.corp/o/r"
    assert repository_url(None, "git@h:o/r") == "git@h:o/r"

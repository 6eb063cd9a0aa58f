"""The short way to "proven already": it is only taken while nothing that decides has changed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

WORKFLOW = """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: test -e a
"""
HEAVY = {"msgspec", "asyncio", "yaml", "rich", "pathlib", "dataclasses", "tomllib", "inspect"}


class World:
    def __init__(self, tmp: Path) -> None:
        self.work = tmp / "work"
        self.home = tmp / "home"
        self.home.mkdir()
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "GRIND_STATE_DIR": str(tmp / "state"),
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.org",
        }
        self.git("init", "-q", "-b", "main", str(self.work), at=tmp)
        self.git("init", "-q", "--bare", "-b", "main", str(tmp / "remote.git"), at=tmp)
        (self.work / ".github/workflows").mkdir(parents=True)
        (self.work / ".github/workflows/ci.yml").write_text(WORKFLOW)
        (self.work / "a").write_text("a\n")
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "first")
        self.git("remote", "add", "origin", str(tmp / "remote.git"))
        self.git("push", "-q", "-u", "origin", "main")

    def git(self, *argv: str, at: Path | None = None) -> None:
        subprocess.run(["git", *argv], cwd=at or self.work, env=self.env, check=True)

    def check(self, *argv: str) -> dict[str, object]:
        """Run `grind check`; return its last event, and which modules it imported."""
        code = (
            "import sys, json; from grind.cli import run\n"
            "code = run(sys.argv[1:])\n"
            "sys.stderr.write(json.dumps(sorted(sys.modules)))\n"
            "sys.exit(code)"
        )
        done = subprocess.run(
            [
                *(sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"),
                *("check", "--json", *argv),
            ],
            cwd=self.work,
            env=self.env,
            capture_output=True,
            text=True,
            check=False,
        )
        last = json.loads(done.stdout.splitlines()[-1])
        return last.get("event", last) | {
            "code": done.returncode,
            "modules": set(json.loads(done.stderr)),
        }

    def is_short(self) -> bool:
        answer = self.check()
        assert answer["code"] == 0
        modules = answer["modules"]
        assert isinstance(modules, set)
        return "msgspec" not in modules


@pytest.fixture
def proven(tmp_path: Path) -> World:
    world = World(tmp_path)
    assert world.check()["state"] == "green"
    world.check()
    assert world.is_short()
    return world


def test_the_short_way_imports_nothing_heavy(proven: World) -> None:
    answer = proven.check()
    assert answer["cached"] is True
    modules = answer["modules"]
    assert isinstance(modules, set)
    assert not modules & HEAVY


def _move_ref(world: World) -> None:
    world.git("update-ref", "refs/remotes/origin/main", "HEAD~0")
    world.git("commit", "-q", "--allow-empty", "-m", "second")
    world.git("update-ref", "refs/remotes/origin/main", "HEAD")


def _set_url(world: World) -> None:
    world.git("remote", "set-url", "origin", "https://example.org/who/what.git")


def _global(world: World) -> None:
    (world.home / ".gitconfig").write_text("[user]\n\tname = b\n")


def _include(world: World) -> None:
    (world.home / ".gitconfig").write_text("[include]\n\tpath = other\n")


def _branch(world: World) -> None:
    world.git("switch", "-q", "-c", "topic")


@pytest.mark.parametrize("change", [_move_ref, _set_url, _global, _include, _branch])
def test_what_decides_has_changed(proven: World, change: Callable[[World], None]) -> None:
    change(proven)
    assert not proven.is_short()


def test_another_tree_is_another_question(proven: World) -> None:
    (proven.work / "a").unlink()
    answer = proven.check()
    assert (answer["code"], answer["state"]) == (1, "red")
    (proven.work / "a").write_text("a\n")
    assert proven.is_short()


def test_a_tool_that_changed_is_asked_again(proven: World, tmp_path: Path) -> None:
    (proven.work / ".github/workflows/ci.yml").write_text(
        WORKFLOW.replace(
            "      - run: test -e a\n",
            "      - run: test -e a\n        shell: mine {0}\n",
        )
    )
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "mine").write_text('#!/bin/sh\nexec bash -e "$1"\n')
    (tools / "mine").chmod(0o755)
    proven.env["PATH"] = f"{tools}:{proven.env['PATH']}"
    assert proven.check()["state"] == "green"
    proven.check()
    assert proven.is_short()
    (tools / "mine").write_text('#!/bin/sh\n# another one\nexec bash -e "$1"\n')
    assert not proven.is_short()


def test_the_machine_s_configuration_wherever_git_keeps_it(proven: World, tmp_path: Path) -> None:
    """It is in /etc for a distribution's git, and elsewhere for those of Nix and Homebrew. Here a
    git on the PATH looks elsewhere, as a wrapper may make it; grind is not told."""
    real = shutil.which("git", path=proven.env["PATH"])
    tools, config = tmp_path / "tools", tmp_path / "etc" / "gitconfig"
    tools.mkdir()
    config.parent.mkdir()
    git = tools / "git"
    git.write_text(f'#!/bin/sh\nexport GIT_CONFIG_SYSTEM={config}\nexec {real} "$@"\n')
    git.chmod(0o755)
    proven.env["PATH"] = f"{tools}:{proven.env['PATH']}"
    assert not proven.is_short(), "another git may read other files"
    assert proven.is_short()
    config.write_text("[remote]\n\tpushDefault = origin\n")
    assert not proven.is_short()
    assert proven.is_short()
    git.write_text(git.read_text() + "# another one\n")
    assert not proven.is_short()


def test_a_git_that_does_not_say_where_it_keeps_it(proven: World, tmp_path: Path) -> None:
    real = shutil.which("git", path=proven.env["PATH"])
    tools = tmp_path / "tools"
    tools.mkdir()
    git = tools / "git"
    git.write_text(
        f'#!/bin/sh\ncase "$*" in *"config --system --edit") exit 1 ;; esac\nexec {real} "$@"\n'
    )
    git.chmod(0o755)
    proven.env["PATH"] = f"{tools}:{proven.env['PATH']}"
    assert not proven.is_short()
    assert not proven.is_short(), "nothing may be remembered"


def test_a_receipt_that_is_gone_or_expired(proven: World) -> None:
    receipts = proven.work / ".git/grind/receipts"
    [hit] = receipts.glob("*.hit")
    old = json.loads(hit.read_text())
    hit.write_text(json.dumps(old | {"created": old["created"] - 400 * 86400}))
    assert not proven.is_short()
    hit.write_text(hit.read_text()[:40])
    assert not proven.is_short()
    for file in receipts.glob("*.json"):
        file.unlink()
    answer = proven.check()
    assert answer.get("cached") is not True
    assert answer["state"] == "green"


def test_it_is_not_taken_for_another_question(proven: World) -> None:
    for argv in (["--again"], ["--event", "pull_request"], ["--ref", "topic"]):
        modules = proven.check(*argv)["modules"]
        assert isinstance(modules, set)
        assert "msgspec" in modules, argv

"""Real repositories in temporary folders."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from grind.adapters.git.repository import GitRepository


def environment(home: Path) -> dict[str, str]:
    """An environment in which git has no configuration but what a test sets."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GIT_", "GITHUB_", "SSH_"))}
    env |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "LC_ALL": "C"}
    env |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
    return env


class Repo:
    """A working copy, driven by real git."""

    def __init__(self, path: Path, env: dict[str, str]) -> None:
        self.path = path
        self.env = env

    def git(self, *args: str | bytes, data: bytes | None = None, **env: str) -> str:
        done = subprocess.run(
            ["git", *args],
            cwd=self.path,
            env={**self.env, **env},
            input=data,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, (args, done.stderr)
        return done.stdout.decode("utf-8", "backslashreplace").rstrip("\n")

    def write(self, name: str | bytes, content: str | bytes = "") -> Path:
        path = Path(os.fsdecode(os.path.join(os.fsencode(self.path), os.fsencode(name))))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def commit(self, message: str = "work") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def ask(self, folder: str = "") -> GitRepository:
        return GitRepository(str(self.path / folder), self.env)

    def files(self, tree: str) -> dict[str, str]:
        """Content of a tree that grind made, by path."""
        repository = self.ask()
        blobs = repository.blobs(tree)
        contents = repository.read([blob.oid for blob in blobs])
        return {blob.path: contents[blob.oid].decode("latin-1") for blob in blobs}


MakeRepo = Callable[..., Repo]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"
        '[protocol "file"]\n\tallow = always\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n'
    )
    return environment(home)


@pytest.fixture
def make(tmp_path: Path, env: dict[str, str]) -> MakeRepo:
    def build(name: str = "repo", *init: str) -> Repo:
        path = tmp_path / name
        path.mkdir(parents=True)
        repo = Repo(path, env)
        repo.git("init", "-q", *init)
        return repo

    return build


@pytest.fixture
def repo(make: MakeRepo) -> Repo:
    """One commit with three files."""
    repo = make()
    repo.write("a.txt", "a\n")
    repo.write("dir/b.txt", "b\n")
    repo.write(".github/workflows/ci.yml", "on: push\n")
    repo.commit("first")
    return repo


def frozen(repo: Repo) -> dict[str, tuple[bytes, int]]:
    """Every file of the git folder with its bytes, except grind's own; the index with its time."""
    git_dir = Path(repo.git("rev-parse", "--path-format=absolute", "--git-common-dir"))
    state = {}
    for folder, folders, names in os.walk(git_dir):
        if Path(folder) == git_dir and "grind" in folders:
            folders.remove("grind")
        for name in names:
            path = Path(folder) / name
            when = path.stat().st_mtime_ns if name == "index" else 0
            state[str(path.relative_to(git_dir))] = (path.read_bytes(), when)
    return state

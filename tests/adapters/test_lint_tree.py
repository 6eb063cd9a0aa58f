"""Trees from real git, and the caches."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from grind.adapters.lint_cache import HitCache
from grind.adapters.lint_tree import Folder, WorkTree, changed, revision, toplevel, write
from grind.adapters.shfmt import Shfmt
from grind.core.errors import GrindError


def git(root: Path, *argv: str) -> str:
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    env |= {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@example.com",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@example.com",
    }
    done = subprocess.run(["git", "-C", str(root), *argv], capture_output=True, env=env, check=True)
    return done.stdout.decode()


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q", "-b", "main")
    (root / "a.sh").write_text("old\n")
    (root / "tool").write_text("#!/bin/sh\n")
    (root / "tool").chmod(0o755)
    (root / "link").symlink_to("a.sh")
    (root / ".gitignore").write_text("ignored\n")
    git(root, "add", "-A")
    git(root, "commit", "-qm", "first")
    (root / "new.sh").write_text("new\n")
    (root / "ignored").write_text("x\n")
    (root / "a.sh").write_text("edited\n")
    return root


def test_a_working_copy(repo: Path) -> None:
    tree = WorkTree(str(repo))
    entries = {e.path: e for e in tree.entries()}
    assert sorted(entries) == [".gitignore", "a.sh", "link", "new.sh", "tool"]
    assert entries["tool"].executable
    assert not entries["new.sh"].tracked
    assert not entries["link"].regular
    assert tree.read("a.sh") == b"edited\n"
    assert tree.read("link") is None
    assert tree.exists("ignored")


def test_a_revision_has_only_what_was_committed(repo: Path) -> None:
    with revision(str(repo), "HEAD") as tree:
        assert sorted(e.path for e in tree.entries()) == [".gitignore", "a.sh", "link", "tool"]
        assert tree.read("a.sh") == b"old\n"
        assert tree.read("tool") == b"#!/bin/sh\n"
        assert tree.read("new.sh") is None
        assert not tree.exists("ignored")


@pytest.mark.parametrize("name", ["nope", "--help", "HEAD:a.sh"])
def test_what_is_no_commit_is_refused(repo: Path, name: str) -> None:
    with pytest.raises(GrindError, match="no commit"), revision(str(repo), name):
        pass


def test_what_changed_since_a_base(repo: Path) -> None:
    assert changed(str(repo), "HEAD") == {"a.sh", "new.sh"}
    git(repo, "commit", "-qam", "second")
    assert changed(str(repo), "HEAD~1") == {"a.sh", "new.sh"}
    assert changed(str(repo), "HEAD") == {"new.sh"}


def test_names_that_are_no_utf8_and_a_folder_without_git(tmp_path: Path) -> None:
    name = os.fsdecode(b"n\xff.sh")
    (tmp_path / name).write_text("ls\n")
    loop = tmp_path / "loop"
    loop.symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(tmp_path / "pipe.sh")
    assert toplevel(str(tmp_path)) is None
    tree = Folder(str(tmp_path))
    found = {e.path: e.regular for e in tree.entries()}
    assert found[name]
    assert not found["pipe.sh"]
    assert tree.read(name) == b"ls\n"
    assert tree.read("pipe.sh") is None


def test_names_that_are_no_utf8_in_git(repo: Path) -> None:
    name = os.fsdecode(b"n\xff.sh")
    (repo / name).write_text("ls\n")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "odd")
    assert name in [e.path for e in WorkTree(str(repo)).entries()]
    with revision(str(repo), "HEAD") as tree:
        assert tree.read(name) == b"ls\n"


def test_a_file_that_vanishes_is_none(repo: Path) -> None:
    tree = WorkTree(str(repo))
    tree.entries()
    (repo / "a.sh").unlink()
    assert tree.read("a.sh") is None


def test_git_variables_of_a_hook_do_not_point_elsewhere(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "nowhere"))
    assert toplevel(str(repo)) == str(repo)
    assert [e.path for e in WorkTree(str(repo)).entries()]


def test_writing_a_fix_keeps_the_mode_and_tells_git_of_new_files(repo: Path) -> None:
    write(str(repo), "tool", b"#!/bin/sh\nls\n", new=False)
    assert (repo / "tool").stat().st_mode & 0o777 == 0o755
    write(str(repo), "scripts/made.sh", b"ls\n", new=True)
    assert "scripts/made.sh" in git(repo, "ls-files")
    assert not [p for p in repo.rglob("*") if ".grind-" in p.name]


def test_hits_are_kept_by_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = HitCache("/repo")
    cache.put(b"a", b"1")
    cache.put(b"b", b"2")
    cache.save(complete=True)
    again = HitCache("/repo")
    assert again.get(b"a") == b"1"
    again.save(complete=True)
    assert HitCache("/repo").get(b"b") is None
    assert HitCache("/other").get(b"a") is None
    assert (tmp_path / "grind" / "lint").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("data", [b"", b"junk", b"\xff" * 100])
def test_a_broken_cache_is_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    cache = HitCache("/repo")
    cache.put(b"a", b"1")
    cache.save(complete=True)
    Path(cache.path).write_bytes(data)
    assert HitCache("/repo").get(b"a") is None


def test_shfmt_answers_or_refuses() -> None:
    shfmt = Shfmt()
    tree = shfmt(b"ls -l\n")
    assert tree is not None
    assert b"CallExpr" in tree
    assert shfmt(b"if then ((\n") is None

"""The host's own workspace: forwarded only when nothing of its own is in it, read without a trace."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from grind.adapters.git.repository import GitRepository
from grind.adapters.hostlock import HostLock
from grind.adapters.workspace import Workspace
from grind.core.workspace import Blocked, Current, Forwarded, Taken
from tests.contracts.rig import PATH, Rig
from tests.contracts.test_host_lock import locks_of


class Clones:
    """A remote, the host's clone, and another operator's clone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.env = {
            "PATH": PATH,
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@example.org",
        }
        self.remote = folder / "remote.git"
        self.there = folder / "work space 'quoted'"
        self.other = folder / "other"
        self.git("init", "-q", "--bare", "-b", "main", str(self.remote), at=folder)
        self.git("clone", "-q", str(self.remote), str(self.other), at=folder)
        self.write(self.other, {"a": "a\n", "kept": "k\n", ".gitignore": "ignored\n"})
        self.push("first")
        self.git("clone", "-q", str(self.remote), str(self.there), at=folder)

    def git(self, *argv: str, at: Path) -> str:
        done = subprocess.run(
            ["git", *argv], cwd=at, env=self.env, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, at: Path, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            (at / name).write_text(text)

    def push(self, message: str) -> str:
        """The other operator commits and pushes."""
        self.git("add", "-A", at=self.other)
        self.git("commit", "-q", "--allow-empty", "-m", message, at=self.other)
        self.git("push", "-q", "origin", "HEAD:main", at=self.other)
        return self.head(self.other)

    def head(self, at: Path) -> str:
        return self.git("rev-parse", "HEAD", at=at)

    def status(self) -> str:
        return self.git("status", "--porcelain", at=self.there)


@pytest.fixture
def clones(tmp_path: Path) -> Clones:
    (tmp_path / "clones").mkdir()
    return Clones(tmp_path / "clones")


@pytest.fixture
def workspace(rig: Rig, clones: Clones) -> Workspace:
    shutil.rmtree(locks_of(rig), ignore_errors=True)
    return Workspace(rig.host, str(clones.there), {"HOME": clones.env["HOME"]})


def forward(rig: Rig, workspace: Workspace, remote: str = "origin", main: str = "main") -> object:
    return rig.go(workspace.forward(remote, main, "ada@laptop"))


def test_forwarded_and_then_current(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    old = clones.head(clones.there)
    assert forward(rig, workspace) == Current(old)
    clones.write(clones.other, {"a": "b\n"})
    clones.push("second")
    new = clones.push("third")
    assert forward(rig, workspace) == Forwarded(old, new, 2)
    assert clones.head(clones.there) == new
    assert (clones.there / "a").read_text() == "b\n"
    assert forward(rig, workspace) == Current(new)
    assert rig.go(HostLock(rig.host).all()) == {}


@pytest.mark.parametrize("files", [{"a": "edited\n"}, {"new 'file'\n": "x"}])
def test_edits_are_named_and_kept(
    rig: Rig, clones: Clones, workspace: Workspace, files: dict[str, str]
) -> None:
    clones.push("second")
    old = clones.head(clones.there)
    clones.write(clones.there, files)
    answer = forward(rig, workspace)
    assert isinstance(answer, Blocked)
    assert answer.kind == "dirty"
    assert len(answer.there) == 1
    assert next(iter(files)).strip() in answer.there[0]
    assert clones.head(clones.there) == old
    assert all((clones.there / name).read_text() == text for name, text in files.items())


def test_ignored_files_are_in_nobodys_way(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    clones.write(clones.there, {"ignored": "x"})
    new = clones.push("second")
    answer = forward(rig, workspace)
    assert isinstance(answer, Forwarded)
    assert answer.new == new


def test_commits_of_its_own_are_named(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    clones.git("commit", "-q", "--allow-empty", "-m", "made $(here)", at=clones.there)
    clones.push("second")
    own = clones.head(clones.there)
    answer = forward(rig, workspace)
    assert isinstance(answer, Blocked)
    assert (answer.kind, "made $(here)" in answer.there[0]) == ("ahead", True)
    assert clones.head(clones.there) == own


def test_another_branch_is_left_alone(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    clones.git("switch", "-q", "-c", "topic", at=clones.there)
    assert forward(rig, workspace) == Blocked("branch", ("topic",))
    clones.git("switch", "-q", "--detach", at=clones.there)
    assert forward(rig, workspace) == Blocked("branch", ("a detached HEAD",))


def test_what_is_not_there(rig: Rig, clones: Clones, workspace: Workspace, tmp_path: Path) -> None:
    def kind(answer: object) -> str:
        assert isinstance(answer, Blocked)
        return answer.kind

    assert kind(forward(rig, workspace, remote="upstream")) == "remote"
    assert kind(forward(rig, workspace, main="trunk")) == "branch"
    clones.git("remote", "set-url", "origin", str(tmp_path / "gone"), at=clones.there)
    assert kind(forward(rig, workspace)) == "fetch"
    (tmp_path / "plain").mkdir()
    for path in (tmp_path / "plain", tmp_path / "nowhere"):
        assert kind(forward(rig, Workspace(rig.host, str(path), {}))) == "none"
    clones.git("init", "-q", str(tmp_path / "fresh"), at=tmp_path)
    assert kind(forward(rig, Workspace(rig.host, str(tmp_path / "fresh"), {}))) == "empty"


def test_two_at_once(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    lock = HostLock(rig.host)
    token = rig.go(lock.take("activation", os.getpid(), who="bob@box", what="grind sync"))
    answer = forward(rig, workspace)
    assert isinstance(answer, Blocked)
    assert (answer.kind, "bob@box" in answer.there[0]) == ("busy", True)
    rig.go(lock.free("activation", token))
    assert isinstance(forward(rig, workspace), Current)


def test_a_sync_that_died_is_told_of(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    process = subprocess.Popen(["sleep", "1000"])
    rig.go(HostLock(rig.host).take("activation", process.pid, who="bob@box", what="grind sync"))
    process.kill()
    process.wait()
    assert isinstance(forward(rig, workspace), Current)
    assert "by bob@box, ended in the middle" in workspace.notes[0]


def test_not_while_the_host_is_activated(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    lock = HostLock(rig.host)
    process = subprocess.Popen(["sleep", "1000"])
    what = "grind activate 20260101-000000-abcdef"
    token = rig.go(
        lock.take("activation", process.pid, who="bob@box", what=what, origin="10.0.0.7")
    )
    clones.push("second")
    before = clones.head(clones.there)
    answer = forward(rig, workspace)
    assert isinstance(answer, Blocked)
    assert answer.kind == "busy"
    assert answer.there[0].startswith(f"{what} by bob@box from 10.0.0.7 (pid {process.pid} there, ")
    process.kill()
    process.wait()
    answer = forward(rig, workspace)
    assert isinstance(answer, Blocked)
    assert (answer.kind, answer.there[1]) == ("stale", token)
    assert "may be half done" in answer.there[0]
    assert clones.head(clones.there) == before
    rig.go(lock.free_stale(token))
    assert isinstance(forward(rig, workspace), Forwarded)


# --- the snapshot of what is edited there --------------------------------------------------------


def edit(clones: Clones) -> None:
    """Everything that a snapshot must see."""
    there = clones.there
    clones.write(
        there, {"a": "edited\n", "new ' file\n": "n", "ignored": "not seen", "forced": "f"}
    )
    (there / "kept").unlink()
    (there / "link").symlink_to("a")
    (there / "program").write_text("#!/bin/sh\n")
    (there / "program").chmod(0o755)
    clones.write(there, {"hidden": "1\n"})
    clones.git("add", "-f", "ignored", "hidden", at=there)
    clones.git("update-index", "--assume-unchanged", "hidden", at=there)
    clones.write(there, {"hidden": "2\n"})


def print_of(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "grind" not in path.parts
    }


def take(rig: Rig, workspace: Workspace, haves: tuple[str, ...] = ()) -> Taken:
    taken = rig.go(workspace.snapshot(haves))
    assert isinstance(taken, Taken)
    return taken


def test_the_same_commit_as_grind_itself_would_make(
    rig: Rig, clones: Clones, workspace: Workspace
) -> None:
    edit(clones)
    before = print_of(clones.there)
    taken = take(rig, workspace)
    assert print_of(clones.there) == before, "something was left, or touched"
    own = GitRepository(str(clones.there), clones.env).snapshot()
    assert (taken.commit, taken.tree, taken.head) == (own.commit, own.tree, own.head)
    assert taken.branch == "main"


def test_it_arrives_whole(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    edit(clones)
    client = GitRepository(str(clones.other), clones.env)
    taken = take(rig, workspace, client.known_commits())
    client.receive(taken.pack, taken.commit, taken.tree)
    paths = client.tracked_paths(taken.tree)
    assert set(paths) >= {"a", "new ' file\n", "link", "program", "ignored", "hidden", "forced"}
    assert "kept" not in paths
    blobs = {blob.path: blob.oid for blob in client.blobs(taken.tree)}
    assert client.read([blobs["hidden"]])[blobs["hidden"]] == b"2\n"
    assert len(taken.pack) < 4096, "what both have was sent"


def test_nothing_edited_is_head_itself(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    taken = take(rig, workspace)
    assert taken.commit == taken.head == clones.head(clones.there)


def test_own_commits_come_along(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    clones.git("commit", "-q", "--allow-empty", "-m", "made there", at=clones.there)
    clones.write(clones.there, {"a": "more\n"})
    client = GitRepository(str(clones.other), clones.env)
    taken = take(rig, workspace, client.known_commits())
    client.receive(taken.pack, taken.commit, taken.tree)
    client.take_into_users(taken.head)
    assert clones.git("log", "-1", "--format=%s", taken.head, at=clones.other) == "made there"


def test_a_damaged_pack_is_not_taken(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    edit(clones)
    client = GitRepository(str(clones.other), clones.env)
    taken = take(rig, workspace, client.known_commits())
    for pack in (taken.pack[:-1], taken.pack[:-30] + bytes(30), b""):
        with pytest.raises(Exception, match=r"taking objects over|index-pack"):
            client.receive(pack, taken.commit, taken.tree)
    with pytest.raises(Exception, match="sent no commit"):
        client.receive(taken.pack, taken.commit, "0" * 40)


def test_conflicts_are_named(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    clones.write(clones.other, {"a": "one\n"})
    clones.push("one")
    clones.write(clones.there, {"a": "two\n"})
    clones.git("commit", "-q", "-a", "-m", "two", at=clones.there)
    clones.git("fetch", "-q", at=clones.there)
    with pytest.raises(subprocess.CalledProcessError):
        clones.git("merge", "-q", "origin/main", at=clones.there)
    assert rig.go(workspace.snapshot(())) == Blocked("conflicts", ("a",))


# --- after landing -------------------------------------------------------------------------------


def landed(clones: Clones, taken: Taken) -> str:
    """Somebody lands exactly what was taken."""
    clones.git("fetch", "-q", str(clones.there), taken.head, at=clones.other)
    commit = clones.git(
        "commit-tree", taken.tree, "-p", taken.head, "-m", "landed", at=clones.other
    )
    clones.git("push", "-q", "origin", f"{commit}:refs/heads/main", at=clones.other)
    return commit


def settle(rig: Rig, workspace: Workspace, tree: str) -> object:
    return rig.go(workspace.settle("origin", "main", "ada@laptop", tree))


def test_what_has_landed_is_no_edit_any_more(
    rig: Rig, clones: Clones, workspace: Workspace
) -> None:
    edit(clones)
    client = GitRepository(str(clones.other), clones.env)
    taken = take(rig, workspace)
    client.receive(taken.pack, taken.commit, taken.tree)
    client.take_into_users(taken.commit)
    commit = landed(clones, taken)
    files = {path: (clones.there / path).read_bytes() for path in ("a", "hidden", "forced")}
    assert settle(rig, workspace, taken.tree) == Forwarded(taken.head, commit, 1)
    assert clones.head(clones.there) == commit
    assert clones.status() == ""
    assert {path: (clones.there / path).read_bytes() for path in files} == files


def test_what_was_edited_after_the_proof_stays(
    rig: Rig, clones: Clones, workspace: Workspace
) -> None:
    edit(clones)
    client = GitRepository(str(clones.other), clones.env)
    taken = take(rig, workspace)
    client.receive(taken.pack, taken.commit, taken.tree)
    client.take_into_users(taken.commit)
    landed(clones, taken)
    clones.write(clones.there, {"a": "edited again\n"})
    answer = settle(rig, workspace, taken.tree)
    assert isinstance(answer, Blocked)
    assert answer.kind == "dirty"
    assert clones.head(clones.there) == taken.head
    assert (clones.there / "a").read_text() == "edited again\n"


def test_a_clean_workspace_is_forwarded(rig: Rig, clones: Clones, workspace: Workspace) -> None:
    new = clones.push("second")
    answer = settle(rig, workspace, clones.git("rev-parse", f"{new}^{{tree}}", at=clones.other))
    assert isinstance(answer, Forwarded)
    assert clones.head(clones.there) == new

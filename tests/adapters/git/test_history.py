"""Remotes, the main branch, what changed, and what is only here."""

from __future__ import annotations

from pathlib import Path

import pytest

from grind.core.errors import GrindError

from .conftest import MakeRepo, Repo


def test_choosing_the_remote(repo: Repo) -> None:
    repository = repo.ask()
    assert repository.remote() is None
    repo.git("remote", "add", "only", "https://example.org/x.git")
    assert repository.remote() == "only"
    repo.git("remote", "add", "second", "https://example.org/y.git")
    assert repository.remote() is None
    repo.git("remote", "add", "origin", "https://example.org/z.git")
    assert repository.remote() == "origin"
    repo.git("config", "branch.main.remote", "second")
    assert repository.remote() == "second"
    repo.git("config", "branch.main.remote", ".")
    assert repository.remote() == "origin"
    assert repository.remote("only") == "only"
    with pytest.raises(GrindError, match=r"no git remote absent \(there is: only, origin, second"):
        repository.remote("absent")


@pytest.mark.parametrize(
    "config",
    [
        "[remote]\n\tpushDefault = a.b\n",
        '[remote "a.b"]\n\turl = https://example.org/o/r\n',
        '[remote "a.b"]\n\turl = one\n\turl = two\n',
        '[remote "a.b"]\n\tfetch = +refs/heads/*:refs/remotes/x/*\n\turl = one\n',
        '[remote "Case"]\n\turl = one\n[remote "case"]\n\turl = two\n',
        '[remote "a.b"]\n\turl = short:o/r\n[url "https://example.org/"]\n\tinsteadOf = short:\n',
        '[remote "ü ü"]\n\turl = "line\\nbreak"\n',
        '[remote "a.b"]\n\tproxy = x\n',
        '[branch "main"]\n\tremote = a.b\n[remote "a.b"]\n\turl = one\n[remote "c"]\n\turl = two\n',
    ],
)
def test_remotes_are_those_that_git_lists(repo: Repo, config: str) -> None:
    with open(repo.path / ".git" / "config", "a") as file:
        file.write(config)
    listed = repo.git("remote").splitlines()
    repository = repo.ask()
    for name in listed:
        assert repository.remote(name) == name
        address = repo.git("remote", "get-url", "--", name)
        assert repository.remote_url(name) == address
        assert repository.aim(name, "main")[:2] == (name, address)
    with pytest.raises(GrindError, match="no git remote"):
        repository.remote("absent")
    chosen = repository.remote()
    assert chosen in (listed if len(listed) == 1 else ["a.b", None] if listed else [None])
    expected = repo.git("remote", "get-url", "--", chosen) if chosen else ""
    assert repository.aim(None, "main")[:2] == (chosen, expected)


def test_choosing_the_main_branch(repo: Repo) -> None:
    repository = repo.ask()
    repo.git("checkout", "-q", "-b", "topic")
    assert repository.main_branch() == "topic"
    assert repository.main_branch(None, "origin") == "topic"
    head = repo.git("rev-parse", "HEAD")
    repo.git("update-ref", "refs/remotes/origin/master", head)
    assert repository.main_branch(None, "origin") == "master"
    repo.git("update-ref", "refs/remotes/origin/main", head)
    assert repository.main_branch(None, "origin") == "main"
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/dev/x")
    assert repository.main_branch(None, "origin") == "dev/x"
    assert repository.main_branch("named", "origin") == "named"
    repo.git("checkout", "-q", "--detach")
    assert repository.head_branch() is None
    with pytest.raises(GrindError, match="HEAD is detached"):
        repository.main_branch()


def test_the_branch_without_commits(make: MakeRepo) -> None:
    repo = make("repo", "-b", "trunk")
    assert repo.ask().main_branch() == repo.ask().head_branch() == "trunk"
    assert repo.ask().tip("origin", "trunk") is None


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://user:pa%40ss@example.org/o/r.git", "https://example.org/o/r.git"),
        ("https://ghp_token@example.org:8443/o/r", "https://example.org:8443/o/r"),
        ("https://a:b@c@example.org/o/r", "https://example.org/o/r"),
        ("https://example.org/o/r@v1", "https://example.org/o/r@v1"),
        ("ssh://git:secret@example.org/o/r.git", "ssh://git@example.org/o/r.git"),
        ("git@example.org:o/r.git", "git@example.org:o/r.git"),
        ("/srv/git/with space.git", "/srv/git/with space.git"),
    ],
)
def test_addresses_hold_no_credentials(repo: Repo, address: str, shown: str) -> None:
    repo.git("remote", "add", "origin", address)
    assert repo.ask().remote_url("origin") == shown


def test_changed_paths(repo: Repo) -> None:
    repository = repo.ask()
    first = repo.git("rev-parse", "HEAD")
    assert repository.changed_paths(repository.snapshot(), first) is None
    assert repository.changed_paths(repository.snapshot(), None) is None
    assert repository.changed_paths(repository.snapshot("HEAD"), None) is None
    repo.git("mv", "a.txt", "renamed.txt")
    second = repo.commit()
    repo.git("checkout", "-q", "-b", "upstream", first)
    repo.write("theirs", "t\n")
    upstream = repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("new\nline", "n\n")
    snapshot = repository.snapshot()
    assert repository.changed_paths(snapshot, upstream) == ("a.txt", "new\nline", "renamed.txt")
    assert repository.changed_paths(snapshot, second) == ("new\nline",)
    assert repository.changed_paths(repository.snapshot("HEAD"), upstream) == (
        "a.txt",
        "renamed.txt",
    )
    assert repository.merge_base(second, upstream) == first
    lonely = repo.git("commit-tree", "-m", "lonely", "HEAD^{tree}")
    assert repository.changed_paths(snapshot, lonely) is None
    assert repository.merge_base(second, lonely) is None


def test_local_commits(repo: Repo) -> None:
    base = repo.git("rev-parse", "HEAD")
    repository = repo.ask()
    assert repository.local_commits(base, base) == ()
    repo.git("config", "log.showSignature", "true")
    oids = [repo.commit(subject) for subject in ("Say: ü\n\nbody\n", "\x1b[31mred", "third")]
    found = repository.local_commits(base, oids[-1])
    assert [commit.oid for commit in found] == oids
    assert [commit.subject for commit in found] == ["Say: ü", "\x1b[31mred", "third"]
    assert found[0].parents == (base,)
    assert found[0].tree == repo.git("rev-parse", "HEAD^{tree}")
    assert len(repository.local_commits(None, oids[-1])) == 4


def test_fetching(repo: Repo, tmp_path: Path) -> None:
    bare = tmp_path / "remote.git"
    repo.git("clone", "-q", "--bare", ".", str(bare))
    repo.git("remote", "add", "origin", str(bare))
    repository = repo.ask()
    assert repository.tip("origin", "main") is None
    assert repository.fetch_upstream("origin", "main") == repo.git("rev-parse", "main")
    assert repository.fetch_upstream("origin", "absent") is None

"""One `git log` of real repositories, also of those that want to be misread."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from grind.adapters.git_history import GitHistory
from grind.core.errors import ExitCode, GrindError
from tests.repositories import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")


def test_commits_newest_first(repository: Repository) -> None:
    first = repository.commit({"a": "1", "b": "1"}, "one", at=1_700_000_000)
    second = repository.commit({"a": "2", "b": None}, "two\n\nbody", at=1_700_000_060)
    found = list(GitHistory(repository.folder).commits())
    assert [commit.oid for commit in found] == [second, first]
    assert [commit.time for commit in found] == [1_700_000_060, 1_700_000_000]
    assert [commit.subject for commit in found] == [b"two", b"one"]
    assert [commit.paths for commit in found] == [(b"a", b"b"), (b"a", b"b")]
    assert [commit.author for commit in found] == [b"Ada", b"Ada"]


def test_hostile_names_subjects_and_authors(repository: Repository) -> None:
    names = ["new\nline", "\n", "\x1b[31mred", "-n", "ü", 'q"uote', "tab\t", "a\\b"]
    raw = os.fsdecode(b"\xff\xfe")
    oid = repository.commit(
        dict.fromkeys([*names, raw], "1"), "\x1b]0;title\x07 \u202eback", author="E\x1bve <> \x01"
    )
    [commit] = GitHistory(repository.folder).commits()
    assert commit.oid == oid
    assert set(commit.paths) == {os.fsencode(name) for name in [*names, raw]}
    assert b"\x1b]0;title" in commit.subject


def test_the_users_configuration_changes_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.commit({"a": "1", "b": "1"}, "one")
    plain = list(GitHistory(repository.folder).commits())
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{ran}'\n")
    program.chmod(0o755)
    order = tmp_path / "order"
    order.write_text("b\na\n")
    for setting, value in {
        "log.showSignature": "true",
        "gpg.program": str(program),
        "log.showRoot": "false",
        "log.date": "relative",
        "diff.orderFile": str(order),
        "diff.relative": "true",
        "core.quotePath": "true",
        "i18n.logOutputEncoding": "UTF-16",
        "color.ui": "always",
        "format.pretty": "full",
        "notes.displayRef": "*",
        "core.pager": str(program),
    }.items():
        repository.git("config", setting, value)
    assert list(GitHistory(repository.folder).commits()) == plain
    assert not ran.exists()


def test_a_signature_is_not_looked_at(repository: Repository, tmp_path: Path) -> None:
    """`log.showSignature` would run the program that the repository names."""
    repository.commit({"a": "1"}, "one")
    body = repository.git("cat-file", "commit", "HEAD")
    head, _, message = body.partition("\n\n")
    armour = "gpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----"
    signed = repository.git(
        "hash-object", "-t", "commit", "-w", "--stdin", stdin=f"{head}\n{armour}\n\n{message}\n"
    )
    repository.git("reset", "-q", "--soft", signed.strip())
    ran = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{ran}'\nexit 1\n")
    program.chmod(0o755)
    repository.git("config", "log.showSignature", "true")
    repository.git("config", "gpg.program", str(program))
    repository.git("log", "-1")
    assert ran.exists(), "the trap does not work"
    ran.unlink()
    assert [c.oid for c in GitHistory(repository.folder).commits()] == [signed.strip()]
    assert not ran.exists()


def test_merges_are_left_out_and_their_parents_are_not(repository: Repository) -> None:
    repository.commit({"a": "1"}, "one")
    repository.git("checkout", "-q", "-b", "side")
    repository.commit({"b": "1"}, "side")
    repository.git("checkout", "-q", "main")
    repository.commit({"c": "1"}, "main")
    repository.git("merge", "-q", "--no-edit", "side")
    assert {c.subject for c in GitHistory(repository.folder).commits()} == {
        b"one",
        b"side",
        b"main",
    }


def test_a_rename_touches_both_names(repository: Repository) -> None:
    repository.commit({"a": "the same text"}, "one")
    repository.commit({"a": None, "b": "the same text"}, "two")
    assert [c.paths for c in GitHistory(repository.folder).commits()] == [(b"a", b"b"), (b"a",)]


def test_limit_and_a_commit_without_files(repository: Repository) -> None:
    repository.commit({"a": "1"}, "one")
    repository.commit({}, "two")
    [commit] = GitHistory(repository.folder).commits(limit=1)
    assert (commit.subject, commit.paths) == (b"two", ())


def test_a_folder_below_the_top_sees_the_whole(repository: Repository) -> None:
    repository.commit({"below/a": "1", "b": "1"}, "one")
    [commit] = GitHistory(repository.folder / "below").commits()
    assert commit.paths == (b"b", b"below/a")


def test_no_repository(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "none"):
        with pytest.raises(GrindError, match="no history") as caught:
            GitHistory(folder).is_shallow()
        assert (caught.value.code, caught.value.remedy) == (
            ExitCode.USAGE,
            "run it inside a git repository",
        )


def test_no_commit_yet(repository: Repository) -> None:
    with pytest.raises(GrindError, match="no commit yet"):
        GitHistory(repository.folder).is_shallow()


def test_no_git(repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GrindError, match="git is not on the PATH"):
        GitHistory(repository.folder).is_shallow()


def test_shallow(repository: Repository, tmp_path: Path) -> None:
    for number in range(3):
        repository.commit({"a": str(number)}, str(number))
    assert GitHistory(repository.folder).is_shallow() is False
    clone = tmp_path / "clone"
    subprocess.run(
        ["git", "clone", "-q", "--depth=1", f"file://{repository.folder}", str(clone)], check=True
    )
    assert GitHistory(clone).is_shallow() is True


def test_a_broken_repository_is_not_counted_in_part(repository: Repository) -> None:
    for number in range(3):
        repository.commit({"a": str(number)}, str(number))
    broken = repository.git("rev-parse", "HEAD~1^{tree}").strip()
    (repository.folder / ".git" / "objects" / broken[:2] / broken[2:]).unlink()
    with pytest.raises(GrindError, match="git log failed"):
        list(GitHistory(repository.folder).commits())


def children() -> set[str]:
    tasks = Path("/proc/self/task").iterdir()
    return {pid for task in tasks for pid in (task / "children").read_text().split()}


def test_who_stops_early_leaves_nothing_running(repository: Repository) -> None:
    repository.commit({"a": "1"}, "one")
    repository.commit({"a": "2"}, "two")
    before = children()
    commits = GitHistory(repository.folder).commits()
    assert next(commits).subject == b"two"
    assert children() > before
    commits.close()  # type: ignore[attr-defined]
    assert children() == before

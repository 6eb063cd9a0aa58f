"""The snapshot: exactly what would be pushed, and nothing of the user's touched."""

from __future__ import annotations

from .conftest import Repo, frozen


def test_nothing_changed_is_head(repo: Repo) -> None:
    snapshot = repo.ask().snapshot()
    assert snapshot.commit == snapshot.head == repo.git("rev-parse", "HEAD")
    assert snapshot.tree == repo.git("rev-parse", "HEAD^{tree}")
    assert snapshot.committed
    assert snapshot.parent is None


def test_edits_new_files_and_deletions(repo: Repo) -> None:
    repo.write(".gitignore", "*.log\n")
    repo.write("a.txt", "edited\n")
    repo.write("new file", "new\n")
    repo.write("build.log", "not pushed\n")
    (repo.path / "dir/b.txt").unlink()
    before = frozen(repo)
    snapshot = repo.ask().snapshot()
    assert frozen(repo) == before
    assert repo.files(snapshot.tree) == {
        ".github/workflows/ci.yml": "on: push\n",
        ".gitignore": "*.log\n",
        "a.txt": "edited\n",
        "new file": "new\n",
    }
    assert (snapshot.new, snapshot.modified, snapshot.deleted) == ((".gitignore", "new file"), 1, 1)
    assert snapshot.parent == snapshot.head == repo.git("rev-parse", "HEAD")
    assert snapshot.commit not in repo.git("rev-list", "--all")


def test_the_same_tree_has_the_same_commit(repo: Repo) -> None:
    repo.write("a.txt", "edited\n")
    first = repo.ask().snapshot()
    repo.git("add", "-A")
    assert repo.ask().snapshot() == first

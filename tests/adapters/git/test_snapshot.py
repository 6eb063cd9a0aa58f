"""The snapshot: exactly what would be pushed, and nothing of the user's touched."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from grind.adapters.git.repository import GitRepository
from grind.core.errors import GrindError
from grind.core.repository import Submodule

from .conftest import MakeRepo, Repo, frozen


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


def test_force_added_and_uncached_files(repo: Repo) -> None:
    repo.write(".gitignore", "*.log\n")
    repo.write("kept.log", "kept\n")
    repo.write("gone.log", "gone\n")
    repo.git("add", "-f", "kept.log", "gone.log")
    repo.commit()
    repo.git("rm", "-q", "--cached", "gone.log")
    repo.write("forced.log", "forced\n")
    repo.git("add", "-f", "forced.log")
    files = repo.files(repo.ask().snapshot().tree)
    assert {name for name in files if name.endswith(".log")} == {"kept.log", "forced.log"}


def test_intent_to_add(repo: Repo) -> None:
    repo.write("meant", "content\n")
    repo.git("add", "-N", "meant")
    repo.write("dropped", "content\n")
    repo.git("add", "-N", "dropped")
    (repo.path / "dropped").unlink()
    files = repo.files(repo.ask().snapshot().tree)
    assert files["meant"] == "content\n"
    assert "dropped" not in files


def test_staged_then_edited_and_staged_then_deleted(repo: Repo) -> None:
    repo.write("a.txt", "staged\n")
    repo.write("brief", "staged\n")
    repo.git("add", "-A")
    repo.write("a.txt", "edited\n")
    (repo.path / "brief").unlink()
    snapshot = repo.ask().snapshot()
    files = repo.files(snapshot.tree)
    assert files["a.txt"] == "edited\n"
    assert "brief" not in files
    assert (snapshot.new, snapshot.modified, snapshot.deleted) == ((), 1, 0)


def test_conflicts_are_named(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "other")
    repo.write("a.txt", "theirs\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("a.txt", "ours\n")
    repo.commit()
    subprocess.run(["git", "merge", "-q", "other"], cwd=repo.path, env=repo.env, check=False)
    for split in ("false", "true"):
        repo.git(
            "-c", f"core.splitIndex={split}", "update-index", "--assume-unchanged", "dir/b.txt"
        )
        with pytest.raises(GrindError, match=r"conflicts .*a\.txt"):
            repo.ask().snapshot()


def hide_assume(repo: Repo) -> None:
    repo.git("update-index", "--assume-unchanged", "a.txt")


def hide_skip(repo: Repo) -> None:
    repo.git("update-index", "--skip-worktree", "a.txt")


def hide_ignore_stat(repo: Repo) -> None:
    repo.git("config", "core.ignoreStat", "true")
    repo.git("reset", "-q", "--hard")
    repo.write("a.txt", "x\n")
    repo.git("checkout", "a.txt")


def hide_fsmonitor(repo: Repo) -> None:
    hook = repo.write(".git/fsmonitor", "#!/bin/sh\nprintf 'token\\0'\n")
    hook.chmod(0o755)
    repo.git("config", "core.fsmonitor", str(hook))
    repo.git("update-index", "--fsmonitor")
    repo.git("status")
    repo.git("status")


def hide_untracked_cache(repo: Repo) -> None:
    repo.git("update-index", "--force-untracked-cache")
    repo.git("status")


def hide_minimal_stat(repo: Repo) -> None:
    repo.git("config", "core.checkStat", "minimal")
    repo.git("config", "core.trustctime", "false")


def hide_split(repo: Repo) -> None:
    repo.git("config", "core.splitIndex", "true")
    repo.git("update-index", "--split-index")
    repo.git("update-index", "--assume-unchanged", "a.txt")


def hide_version_4(repo: Repo) -> None:
    repo.git("update-index", "--index-version", "4")
    repo.git("update-index", "--assume-unchanged", "a.txt")


def hide_expected_outside(repo: Repo) -> None:
    repo.git("config", "sparse.expectFilesOutsideOfPatterns", "true")
    repo.git("sparse-checkout", "set", "dir")
    repo.write("a.txt", "a\n")


HIDINGS = [
    hide_assume,
    hide_skip,
    hide_ignore_stat,
    hide_fsmonitor,
    hide_untracked_cache,
    hide_minimal_stat,
    hide_split,
    hide_version_4,
    hide_expected_outside,
]


@pytest.mark.parametrize("again", [False, True], ids=["first", "cached"])
@pytest.mark.parametrize("hide", HIDINGS, ids=lambda hide: hide.__name__)
def test_no_setting_hides_an_edit(repo: Repo, hide: Callable[[Repo], None], again: bool) -> None:
    old = 1_000_000_000_000_000_000
    os.utime(repo.path / "a.txt", ns=(old, old))
    repo.git("update-index", "-q", "--refresh")
    hide(repo)
    if again:
        repo.ask().snapshot()
    with open(repo.path / "a.txt", "r+") as file:  # same inode, same size, same time
        file.write("z\n")
    os.utime(repo.path / "a.txt", ns=(old, old))
    repo.write("new", "n\n")
    before = frozen(repo)
    for _ in range(2):
        files = repo.files(repo.ask().snapshot().tree)
        assert (files["a.txt"], files["new"]) == ("z\n", "n\n")
    assert frozen(repo) == before


def test_a_sparse_checkout_keeps_what_is_absent(repo: Repo) -> None:
    tree = repo.git("rev-parse", "HEAD^{tree}")
    for more in ((), ("--sparse-index",)):
        repo.git("sparse-checkout", "set", "--cone", *more, ".github")
        assert not (repo.path / "dir").exists()
        assert repo.ask().snapshot().tree == tree
        repo.write("dir/new", "outside the cone\n")
        files = repo.files(repo.ask().snapshot().tree)
        assert files["dir/new"] == "outside the cone\n"
        assert files["dir/b.txt"] == "b\n"
        (repo.path / "dir/new").unlink()
        (repo.path / "dir").rmdir()


def test_a_hidden_file_that_comes_into_being_is_seen(repo: Repo) -> None:
    repo.git("update-index", "--skip-worktree", "a.txt")
    (repo.path / "a.txt").unlink()
    assert repo.ask().snapshot().committed
    repo.write("a.txt", "here\n")
    assert repo.files(repo.ask().snapshot().tree)["a.txt"] == "here\n"


def test_without_commits(make: MakeRepo) -> None:
    repo = make()
    empty = repo.ask().snapshot()
    assert (empty.head, empty.parent, empty.new) == (None, None, ())
    repo.write("first", "1\n")
    snapshot = repo.ask().snapshot()
    assert (snapshot.head, snapshot.parent, snapshot.new) == (None, None, ("first",))
    assert not snapshot.committed
    assert repo.ask().snapshot().commit == snapshot.commit


def test_linked_worktree_subfolder_and_detached_head(repo: Repo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    linked = Repo(tmp_path / "linked", repo.env)
    linked.write("dir/b.txt", "linked\n")
    repo.write("a.txt", "main\n")
    snapshot = linked.ask("dir").snapshot()
    assert linked.files(snapshot.tree)["dir/b.txt"] == "linked\n"
    assert linked.files(snapshot.tree)["a.txt"] == "a\n"
    assert repo.files(repo.ask().snapshot().tree)["a.txt"] == "main\n"
    assert linked.ask().private == repo.ask().private


def test_variables_of_a_surrounding_git_are_ignored(repo: Repo, make: MakeRepo) -> None:
    other = make("other")
    repo.env["GIT_DIR"] = str(other.path / ".git")
    repo.env["GIT_INDEX_FILE"] = str(other.path / "index")
    asked = repo.ask()
    del repo.env["GIT_DIR"], repo.env["GIT_INDEX_FILE"]
    assert asked.git_dir == str(repo.path / ".git")
    assert asked.snapshot().head == repo.git("rev-parse", "HEAD")


def test_a_separate_git_folder_with_core_worktree(repo: Repo, tmp_path: Path) -> None:
    bare = tmp_path / "elsewhere.git"
    repo.git("config", "core.worktree", str(repo.path))
    (repo.path / ".git").rename(bare)
    repo.write("a.txt", "edited\n")
    snapshot = Repo(bare, repo.env).ask().snapshot()
    assert (snapshot.new, snapshot.modified) == ((), 1)


def test_a_bare_repository_has_revisions_only(repo: Repo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", ".", str(tmp_path / "bare.git"))
    asked = Repo(tmp_path / "bare.git", repo.env).ask()
    assert asked.top is None
    assert asked.snapshot("main").commit == repo.git("rev-parse", "HEAD")
    with pytest.raises(GrindError, match="no working copy"):
        asked.snapshot()


def test_not_a_repository(tmp_path: Path, env: dict[str, str]) -> None:
    env["GIT_CEILING_DIRECTORIES"] = str(tmp_path.parent)
    with pytest.raises(GrindError, match="not in a git repository"):
        GitRepository(str(tmp_path), env)
    with pytest.raises(GrindError, match="does not exist"):
        GitRepository(str(tmp_path / "absent"), env)


def test_sha256(make: MakeRepo) -> None:
    repo = make("repo", "--object-format=sha256")
    repo.write("a", "a\n")
    repo.commit()
    repo.git("update-index", "--assume-unchanged", "a")
    repo.write("a", "b\n")
    snapshot = repo.ask().snapshot()
    assert len(snapshot.commit) == 64
    assert repo.files(snapshot.tree) == {"a": "b\n"}


HOSTILE = [
    b"new\nline",
    b'quo"te',
    b"-rf",
    b"--",
    b"tab\t",
    b"\xff\xfe",
    b"a b/ c",
    b"*",
    b":(top)",
]


@pytest.mark.parametrize("tracked", [False, True])
def test_hostile_names(repo: Repo, tracked: bool) -> None:
    for name in HOSTILE:
        repo.write(name, "before\n")
    if tracked:
        repo.commit()
        for name in HOSTILE:
            repo.write(name, "after\n")
    snapshot = repo.ask().snapshot()
    names = {os.fsdecode(name) for name in HOSTILE}
    assert names <= set(repo.ask().tracked_paths(snapshot.tree))
    assert set(snapshot.new) == (set() if tracked else names)
    assert repo.files(snapshot.tree)[os.fsdecode(b"\xff\xfe")] == (
        "after\n" if tracked else "before\n"
    )


def test_hostile_folder_name(make: MakeRepo) -> None:
    repo = make('x\n"y:z\n--grind')
    repo.write("a", "a\n")
    assert repo.files(repo.ask().snapshot().tree) == {"a": "a\n"}


def test_submodules_are_named(repo: Repo, make: MakeRepo) -> None:
    inner = make("inner")
    inner.write("i", "i\n")
    first = inner.commit()
    repo.git("submodule", "--quiet", "add", str(inner.path), "sub")
    repo.commit()
    assert repo.ask().snapshot().submodules == (Submodule("sub", first, False),)
    repo.write("sub/i", "edited\n")
    snapshot = repo.ask().snapshot()
    assert snapshot.submodules == (Submodule("sub", first, True),)
    assert snapshot.committed
    Repo(repo.path / "sub", repo.env).commit()
    moved = Repo(repo.path / "sub", repo.env).git("rev-parse", "HEAD")
    assert repo.ask().snapshot().submodules == (Submodule("sub", moved, False),)
    repo.git("submodule", "--quiet", "deinit", "-f", "sub")
    assert repo.ask().snapshot().submodules == (Submodule("sub", first, None),)


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 3\n".format("0" * 64)


def test_lfs_pointers_are_named(repo: Repo) -> None:
    repo.write("old.bin", POINTER)
    repo.write("plain.bin", "no pointer\n")
    repo.write("sub/deep.bin", POINTER)
    repo.commit()
    assert repo.ask().snapshot().lfs == ()  # nothing says so, and they are not part of the change
    repo.write("new.txt", POINTER)
    assert repo.ask().snapshot().lfs == ("new.txt",)
    repo.write(".gitattributes", "*.bin filter=lfs\n")
    repo.git("config", "filter.lfs.clean", "cat")
    assert repo.ask().snapshot().lfs == ("new.txt", "old.bin", "sub/deep.bin")
    repo.commit()
    assert repo.ask().snapshot("HEAD").lfs == ("old.bin", "sub/deep.bin")


def test_revisions(repo: Repo) -> None:
    first = repo.git("rev-parse", "HEAD")
    repo.write("a.txt", "second\n")
    second = repo.commit()
    repo.git("tag", "-a", "-m", "v1", "v1")
    repo.write("a.txt", "not looked at\n")
    before = frozen(repo)
    for rev in ("HEAD", "v1", "main", second, second[:10]):
        snapshot = repo.ask().snapshot(rev)
        assert (snapshot.commit, snapshot.parent, snapshot.of_rev) == (second, first, True)
        assert repo.files(snapshot.tree)["a.txt"] == "second\n"
    bare = repo.ask().snapshot("HEAD^{tree}")
    assert (bare.tree, bare.head, bare.parent) == (snapshot.tree, None, None)
    assert bare.commit == repo.ask().snapshot("HEAD:").commit
    assert frozen(repo) == before


@pytest.mark.parametrize(
    "rev", ["", "absent", "--all", "HEAD:a.txt", "HEAD\nmain", "-x", "a b", "\0"]
)
def test_what_is_no_revision(repo: Repo, rev: str) -> None:
    with pytest.raises(GrindError, match="is not a commit"):
        repo.ask().snapshot(rev)


def test_an_unreadable_file_is_never_left_out(repo: Repo) -> None:
    repo.git("config", "filter.broken.clean", "false")
    repo.git("config", "filter.broken.required", "true")
    repo.write(".gitattributes", "*.x filter=broken\n")
    repo.write("f.x", "f\n")
    with pytest.raises(GrindError, match="reading the working copy failed"):
        repo.ask().snapshot()


def test_replacements_are_not_pushed(repo: Repo) -> None:
    tree = repo.git("rev-parse", "HEAD^{tree}")
    head = repo.git("rev-parse", "HEAD")
    other = repo.git("commit-tree", repo.git("mktree", data=b""), "-m", "replacement")
    repo.git("replace", head, other)
    assert repo.ask().snapshot("HEAD").tree == tree


def test_hooks_of_the_user_do_not_run(repo: Repo) -> None:
    hook = repo.write(".git/hooks/post-index-change", "#!/bin/sh\ntouch ran\n")
    hook.chmod(0o755)
    repo.write("a.txt", "edited\n")
    repo.ask().snapshot()
    assert not (repo.path / "ran").exists()


def test_the_private_folder_is_private_and_clean(repo: Repo) -> None:
    repo.write("a.txt", "edited\n")
    repository = repo.ask()
    repository.snapshot()
    home = Path(repository.common_dir) / "grind"
    assert home.stat().st_mode & 0o777 == 0o700
    assert Path(repository.private).stat().st_mode & 0o777 == 0o700
    assert {path.name for path in home.iterdir()} <= {"repo", "index-main"}
    assert repo.git("status", "--porcelain") == " M a.txt"


def test_two_first_snapshots_at_once(repo: Repo) -> None:
    from concurrent.futures import ThreadPoolExecutor

    repo.write("a.txt", "edited\n")
    with ThreadPoolExecutor(4) as pool:
        results = {s.commit for s in pool.map(lambda _: repo.ask().snapshot(), range(8))}
    assert len(results) == 1
    home = Path(repo.ask().common_dir) / "grind"
    assert {path.name for path in home.iterdir()} <= {"repo", "index-main"}


def test_a_damaged_head_is_not_an_empty_repository(repo: Repo) -> None:
    repo.write(".git/refs/heads/main", "1" * 40 + "\n")
    with pytest.raises(GrindError, match="HEAD names is missing"):
        repo.ask().snapshot()


def test_an_unknown_extension_is_left_to_git(repo: Repo) -> None:
    """An index that says it needs understanding, and gets none, is not guessed at."""
    path = repo.path / ".git/index"
    data = path.read_bytes()[:-20] + b"what" + (0).to_bytes(4, "big")
    path.write_bytes(data + hashlib.sha1(data).digest())
    with pytest.raises(GrindError, match="reading the index failed"):
        repo.ask().snapshot()


def test_a_repository_inside(repo: Repo, make: MakeRepo) -> None:
    inner = make("repo/inner")
    with pytest.raises(GrindError, match="does not have a commit checked out"):
        repo.ask().snapshot()
    oid = inner.commit()
    assert repo.ask().snapshot().submodules == (Submodule("inner", oid, False),)

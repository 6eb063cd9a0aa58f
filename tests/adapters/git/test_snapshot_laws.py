"""Whatever was edited, staged, ignored and hidden: the tree is what a fresh `git add -A` gives."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from .conftest import Repo, environment, frozen

PATHS = ["a", "b.log", "d/a", "d/b.log", "d/e/c", "new\nline", "-rf", "f"]
OLD = 1_000_000_000

paths = st.sampled_from(PATHS)
texts = st.sampled_from(["one", "two", "six", "longer text", "with\r\nreturn\r\n"])
operations = st.one_of(
    st.tuples(st.just("write"), paths, texts),
    st.tuples(st.just("write back-dated"), paths, texts),
    st.tuples(st.just("write in place"), paths, texts),
    st.tuples(st.just("remove"), paths),
    st.tuples(st.just("link"), paths),
    st.tuples(st.just("executable"), paths),
    st.tuples(st.just("ignore"), st.sampled_from(["*.log", "d/", "", "!d/b.log"])),
    st.tuples(st.just("attributes"), st.sampled_from(["", "* text=auto", "*.log -text"])),
    st.tuples(st.just("git"), st.sampled_from(["add -A", "add -f d/b.log b.log", "reset -q"])),
    st.tuples(st.just("git"), st.sampled_from(["commit -qm more", "rm -rq --cached d", "status"])),
    st.tuples(st.just("git"), st.sampled_from(["add -N .", "stash -q", "checkout -q -- ."])),
    st.tuples(st.just("git"), st.sampled_from(["update-index --refresh -q"])),
    st.tuples(
        st.just("git"), st.sampled_from([f"update-index --index-version {n}" for n in (2, 4)])
    ),
    st.tuples(st.just("mark"), st.sampled_from(["--assume-unchanged", "--skip-worktree"]), paths),
    st.tuples(st.just("snapshot")),
)


def plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def apply(repo: Repo, operation: tuple[str, ...]) -> None:
    kind, *rest = operation
    if kind == "git":
        _quiet(repo, *rest[0].split())
        return
    if kind == "mark":
        _quiet(repo, "update-index", rest[0], "--", rest[1])
        return
    if kind == "snapshot":
        repo.ask().snapshot()
        return
    if kind in ("ignore", "attributes"):
        repo.write(f".git{kind}", rest[0] + "\n")
        return
    path = repo.path / rest[0]
    if kind == "remove":
        path.unlink(missing_ok=True)
    elif kind == "link" and not os.path.lexists(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to("target")
    elif kind == "executable" and plain(path):
        path.chmod(0o755)
    elif kind == "write in place" and plain(path):
        with open(path, "r+") as file:
            file.write(rest[1])
        os.utime(path, (OLD, OLD))
    elif kind.startswith("write") and not path.is_symlink():
        repo.write(rest[0], rest[1])
        if kind == "write back-dated":
            os.utime(path, (OLD, OLD))


def _quiet(repo: Repo, *args: str) -> None:
    """Run git where a refusal (nothing to commit) is as good as an answer."""
    import subprocess

    subprocess.run(["git", *args], cwd=repo.path, env=repo.env, check=False, capture_output=True)


def expected(repo: Repo, place: Path) -> str:
    """The tree by plain git, in a copy where nothing is hidden and no stat data fits."""
    shutil.copytree(repo.path, place, symlinks=True)
    copy = Repo(place, repo.env)
    hidden = [line for line in copy.git("ls-files", "-v", "-z").split("\0") if line]
    for line in hidden:
        tag, name = line[0], line[2:]
        if tag.islower():
            copy.git("update-index", "--no-assume-unchanged", "--", name)
        if tag in "sS" and os.path.lexists(place / name):
            copy.git("update-index", "--no-skip-worktree", "--", name)
    copy.git("add", "-A", "--sparse")
    return copy.git("write-tree")


@settings(max_examples=60, deadline=None)
@given(st.lists(operations, max_size=14), st.lists(operations, max_size=4))
def test_the_tree_is_what_a_fresh_add_gives(
    before: list[tuple[str, ...]], after: list[tuple[str, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        (home / ".gitconfig").write_text("[user]\nname = a\nemail = a@b\n[gc]\nauto = 0\n")
        path = Path(folder) / "repo"
        path.mkdir()
        repo = Repo(path, environment(home))
        repo.git("init", "-q")
        for name in PATHS[:5]:
            repo.write(name, "one")
            os.utime(path / name, (OLD, OLD))
        repo.commit()
        for operation in before:
            apply(repo, operation)
        repo.ask().snapshot()
        for operation in after:
            apply(repo, operation)
        state = frozen(repo)
        snapshot = repo.ask().snapshot()
        assert frozen(repo) == state
        assert repo.ask().snapshot() == snapshot
        assert snapshot.tree == expected(repo, Path(folder) / "copy")

"""Make the one commit of exactly the proven tree.

The commit is an object and nothing else: no ref of the user's moves before it is pushed (`follow`).
So what `git commit` does is done here with git's own parts: the hooks with `git hook run` (git >=
2.36), the message with `git stripspace`, the object and its signature with `git commit-tree`. A
temporary worktree would let `git commit` do it, but with HEAD detached, and the hooks that put a
ticket's number from the branch name into the message would fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from grind.adapters.git.arrivals import take_into_users
from grind.adapters.git.process import Git, config
from grind.adapters.git.site import Site
from grind.adapters.git.snapshot import parse_head
from grind.adapters.git.staging import HONEST, scratch_index
from grind.adapters.git.text import shown
from grind.core.errors import GrindError, RefusedError
from grind.core.repository import Snapshot

_IN_PROGRESS = {
    "MERGE_HEAD": "a merge",
    "CHERRY_PICK_HEAD": "a cherry-pick",
    "REVERT_HEAD": "a revert",
    "rebase-merge": "a rebase",
    "rebase-apply": "a rebase",
}
_UTF8 = config(i18n__commitEncoding="UTF-8")


def commit(site: Site, snapshot: Snapshot, message: str, *, hooks: bool = True) -> str:
    """Commit the snapshot's tree on top of `snapshot.head` and return the commit's id.

    Runs pre-commit, prepare-commit-msg and commit-msg (not when `hooks` is false), and honours
    identity, signing, clean-up and hooks path as git is configured; never opens an editor. The
    snapshot's objects come into the user's repository here. Nothing of the user's refs, index and
    files changes, except by their hooks. Returns HEAD when there is nothing to commit.

    Raises RefusedError when a hook declines or makes another tree of it, when a merge or the like
    is under way, or when the message is empty; GrindError when git cannot commit (no identity, no
    signing key).
    """
    if snapshot.committed:
        return snapshot.commit
    _refuse_in_progress(site)
    take_into_users(site, snapshot.commit)
    with scratch_index(site) as path, _message_file(path, message) as file:
        git = site.natural.with_env(GIT_INDEX_FILE=path, GIT_EDITOR=":")
        _run([*HONEST, "read-tree", snapshot.tree], git)
        if hooks:
            git.ask([*HONEST, "update-index", "-q", "--refresh"])  # so that hooks see no edits
            _hook(git, "pre-commit")
            _require_tree(git, snapshot.tree)
            _hook(git, "prepare-commit-msg", file, "message")
            _hook(git, "commit-msg", file)
            _require_tree(git, snapshot.tree)
        text = _cleaned(git, file)
        oid = _commit_tree(git, snapshot, text)
    made = parse_head(site.git.run(["cat-file", "--batch"], f"{oid}\n".encode()))
    if made is None or made.tree != snapshot.tree or made.parents != _parents(snapshot):
        raise GrindError(f"git made the commit {oid}, and it does not hold the proven tree")
    return oid


def identity(site: Site) -> str:
    """Return who commits here: `Name <address>`. Raises GrindError when git does not know."""
    said = os.fsdecode(site.natural.run(["var", "GIT_COMMITTER_IDENT"], doing="asking who you are"))
    return shown(said.rpartition(">")[0] + ">")


def _parents(snapshot: Snapshot) -> tuple[str, ...]:
    return (*((snapshot.head,) if snapshot.head else ()), *snapshot.merges)


def _refuse_in_progress(site: Site) -> None:
    for name, what in _IN_PROGRESS.items():
        if os.path.lexists(os.path.join(site.layout.git_dir, name)):
            raise RefusedError(
                f"{what} is in progress: a plain commit would forget it",
                remedy="finish it with git (or abort it), then run grind again",
            )


@contextmanager
def _message_file(index: str, message: str) -> Iterator[str]:
    path = os.path.join(os.path.dirname(index), f"message.{os.path.basename(index)}")
    try:
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(message if message.endswith("\n") else f"{message}\n")
        yield path
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)


def _run(args: list[str], git: Git, data: bytes | None = None) -> bytes:
    return git.run(args, data, doing="committing")


def _hook(git: Git, name: str, *args: str) -> None:
    answer = git.ask(["hook", "run", "--ignore-missing", name, "--", *args])
    if answer.code == 0:
        return
    words = shown(answer.err + answer.out)
    if "is not a git command" in words:
        raise GrindError(f"running hooks needs git 2.36 or later: {words}", remedy="update git")
    raise RefusedError(
        f"the {name} hook declined (exit code {answer.code}): {words}",
        remedy="mend what it complains about, and prove the change again",
    )


def _require_tree(git: Git, tree: str) -> None:
    found = _run([*HONEST, "write-tree"], git).decode().strip()
    if found == tree:
        return
    names = git.ask(["diff-tree", "-r", "--name-only", "--no-renames", tree, found]).out
    raise RefusedError(
        f"a commit hook changed what would be committed, which is not what was proven: "
        f"{shown(names).replace(chr(10), ', ')}",
        remedy="run the hook yourself, keep its changes, and prove the change again",
    )


def _cleaned(git: Git, file: str) -> bytes:
    """Clean the message up as `git commit -m` does: without an editor, `default` and `scissors`
    mean `whitespace` (git-commit's manual, --cleanup)."""
    with open(file, "rb") as source:
        text = source.read()
    mode = _run(["config", "--default=default", "--get", "commit.cleanup"], git).decode().strip()
    if mode != "verbatim":
        flags = ["--strip-comments"] if mode == "strip" else []
        text = _run(["stripspace", *flags], git, text)
    if not text.strip():
        raise RefusedError("the commit message is empty", remedy="grind land -m 'MESSAGE'")
    return text


def _commit_tree(git: Git, snapshot: Snapshot, text: bytes) -> str:
    asked = _run(["config", "--type=bool", "--default=false", "--get", "commit.gpgSign"], git)
    sign = ["-S"] if asked.strip() == b"true" else []
    parents = [part for oid in _parents(snapshot) for part in ("-p", oid)]
    args = [*_UTF8, "commit-tree", *sign, *parents, snapshot.tree]
    return _run(args, git, text).decode().strip()

"""The git repository; what it is asked and answers is in `grind.core.repository`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from grind.core.repository import (
    Aim,
    Blob,
    ChangedFile,
    Commit,
    FollowResult,
    MergeResult,
    PushResult,
    Snapshot,
)


class Repository(Protocol):
    """The user's git repository, and grind's private one beside it.

    Synchronous: each answer takes a few git processes. Questions change nothing of the user's; only
    the methods that say so do. Everything after the snapshot names object ids.
    """

    @property
    def top(self) -> str | None:
        """Top of the working copy, absolute; None in a bare repository."""

    @property
    def git_dir(self) -> str:
        """The git folder of this working copy."""

    @property
    def common_dir(self) -> str:
        """The git folder that all working copies share."""

    @property
    def private(self) -> str:
        """Path of grind's own bare repository; it sees the objects of snapshots and the user's."""

    def snapshot(self, rev: str | None = None) -> Snapshot:
        """Take the snapshot of the working copy, or of a commit, tag or tree."""

    def tracked_paths(self, tree: str) -> tuple[str, ...]:
        """List every file of a tree."""

    def blobs(self, tree: str, prefixes: Sequence[str] = ()) -> tuple[Blob, ...]:
        """List the files of a tree, at or under the given literal paths when there are any."""

    def read(self, oids: Sequence[str]) -> Mapping[str, bytes]:
        """Read blobs by id."""

    def remote(self, configured: str | None = None) -> str | None:
        """Choose the remote: the configured one, else that of the current branch's upstream, else
        `origin`, else the only one. Raises GrindError when the configured one does not exist."""

    def remote_url(self, remote: str) -> str:
        """Return the remote's address without credentials."""

    def aim(self, remote: str | None = None, main: str | None = None) -> Aim:
        """Say where a push goes: what `remote`, `remote_url`, `main_branch` and `tip` say together,
        with few gits. The arguments are what is configured."""

    def main_branch(self, configured: str | None = None, remote: str | None = None) -> str:
        """Name the branch that changes land on: the configured one, else the remote's HEAD, else
        `main` or `master` as far as the remote has one, else the current branch."""

    def head_branch(self) -> str | None:
        """Name the branch that HEAD is on; None when it is detached."""

    def tip(self, remote: str, branch: str) -> str | None:
        """Return where the remote's branch was when git last looked; None when not there."""

    def fetch_upstream(self, remote: str, branch: str) -> str | None:
        """Fetch the remote's branch and return its commit; None when there is no such branch.
        Raises UnreachableError."""

    def fetch_commit(self, remote: str, oid: str) -> str:
        """Fetch one commit by its id, without its history, and return the id. Raises
        UnreachableError when the remote does not give it."""

    def merge_base(self, ours: str, theirs: str) -> str | None:
        """Return the best common ancestor of two commits."""

    def changed_paths(self, snapshot: Snapshot, upstream: str | None) -> tuple[str, ...] | None:
        """Return the paths that path filters look at: from the merge base with `upstream` (a
        commit), or from the first parent when the snapshot is of a revision. None when nothing
        differs or there is nothing to compare with; then filters count as matched."""

    def changed_files(
        self, snapshot: Snapshot, upstream: str | None
    ) -> tuple[ChangedFile, ...] | None:
        """Return what `changed_paths` compares, file by file, with renames as git finds them."""

    def resolve(self, rev: str) -> str:
        """Return the commit that a revision names. Raises GrindError when it names none."""

    def tree_of(self, commit: str) -> str:
        """Return the tree that a commit has, read anew; empty when the commit is not there."""

    def message(self, commit: str) -> str:
        """Return a commit's message."""

    def local_commits(self, base: str | None, head: str) -> tuple[Commit, ...]:
        """List the commits of `head` that `base` does not have, the oldest first."""

    def first_parents(self, head: str, limit: int) -> tuple[Commit, ...]:
        """List a commit and its line of first parents, the newest first, at most `limit`."""

    def prepare(self, snapshot: Snapshot, remote: str | None, branch: str) -> str:
        """Make the refs that checkouts need in the private repository, and return its path:
        `refs/grind/snap/<commit>`, the remote's branches as `refs/heads/*` (with `branch` at the
        snapshot: of several runs, the last one's) and `refs/tags/*`."""

    def submodule_repositories(self) -> Mapping[str, str]:
        """Return the user's copies of submodules: name → git folder."""

    def prune(self, days: float) -> int:
        """Drop snapshots that were not prepared for so many days; return how many."""

    def merge_tree(self, ours: str, theirs: str) -> MergeResult:
        """Merge two commits without a working copy; the tree is in the private repository."""

    def proposal(self, tree: str, parent: str) -> Snapshot:
        """Return the snapshot that has this tree on top of this commit: a merge or a squash that
        shall be proven before it exists."""

    def overlay(self, tree: str, base: str, paths: Sequence[str]) -> str:
        """Return a tree that has these paths (whole files) as `base` has them, or not at all where
        it has none, and everything else as `tree` has it."""

    def notes(self, tree: str) -> list[bytes]:
        """Return the receipts that are noted on a tree, an envelope each."""

    def noted_trees(self) -> list[str]:
        """List the trees that have receipts noted on them."""

    def note(self, tree: str, line: bytes) -> bool:
        """Note a receipt on a tree of the user's repository; False when it is there already."""

    def fetch_notes(self, remote: str) -> bool:
        """Unite the remote's receipts with ours; False when it has none. Raises UnreachableError."""

    def push_notes(self, remote: str) -> bool:
        """Push our receipts, united with what the remote has; False when there are none. Raises
        UnreachableError, RefusedError."""

    def commit(self, snapshot: Snapshot, message: str, *, hooks: bool = True) -> str:
        """Make one commit of the snapshot's tree on top of `snapshot.head`, in the user's
        repository, and return its id; no ref moves. Honours hooks, identity and signing; raises
        RefusedError when a hook declines or makes another tree of it."""

    def push(self, oid: str, remote: str, branch: str, expected: str | None) -> PushResult:
        """Push a commit to a branch that the remote has at `expected` (None: does not have). Can be
        repeated: what is there already is not pushed again."""

    def stage(self, oid: str, remote: str) -> None:
        """Push a commit to a temporary ref outside of heads and tags, so that the remote has it and
        no run starts. Can be repeated. Raises RefusedError, UnreachableError."""

    def unstage(self, oid: str, remote: str) -> None:
        """Remove that ref; one that is gone is fine."""

    def identity(self) -> str:
        """Return who commits here: `Name <address>`. Raises GrindError when git does not know."""

    def follow(self, snapshot: Snapshot, landed: str) -> FollowResult:
        """Move the local branch from `snapshot.head` to the commit that landed, and the index with
        it, when the working copy is still what was proven. Can be repeated."""

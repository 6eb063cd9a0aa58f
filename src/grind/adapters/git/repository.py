"""The real `Repository`: one object with thin methods.

What a snapshot does not need is loaded by the methods that do: the pre-push hook starts here.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from grind.adapters.git import contents, snapshot
from grind.adapters.git.process import Answer, Git, zlist
from grind.adapters.git.site import Site
from grind.core.repository import Blob, Snapshot

if TYPE_CHECKING:
    from grind.adapters.git.spawn import Running
    from grind.core.repository import (
        Aim,
        ChangedFile,
        Commit,
        FollowResult,
        MergeResult,
        PushResult,
    )


class GitRepository:
    """The git repository that a folder lies in (`grind.ports.Repository`)."""

    def __init__(self, cwd: str, environ: Mapping[str, str], begun: Running | None = None) -> None:
        """Find it; raises GrindError when `cwd` is in none. `environ` is the process's own; `begun`
        is what `layout.start` returned for both."""
        self._site = Site(cwd, environ, begun)

    @property
    def top(self) -> str | None:
        """Top of the working copy; None in a bare repository."""
        return self._site.layout.top

    @property
    def git_dir(self) -> str:
        """The git folder of this working copy."""
        return self._site.layout.git_dir

    @property
    def common_dir(self) -> str:
        """The git folder that all working copies share."""
        return self._site.layout.common_dir

    @property
    def git(self) -> Git:
        """Git in the user's repository, for questions."""
        return self._site.git

    @property
    def private(self) -> str:
        """Path of grind's own bare repository, created on first use."""
        return self._site.private_path

    def snapshot(self, rev: str | None = None) -> Snapshot:
        """Take the snapshot of the working copy, or of a revision."""
        return snapshot.of_worktree(self._site) if rev is None else snapshot.of_rev(self._site, rev)

    def tracked_paths(self, tree: str) -> tuple[str, ...]:
        """List every file of a tree."""
        return tuple(os.fsdecode(item.name) for item in contents.items(self._site.private, tree))

    def blobs(self, tree: str, prefixes: Sequence[str] = ()) -> tuple[Blob, ...]:
        """List the files of a tree at or under the given paths; submodules are not files."""
        return tuple(
            Blob(os.fsdecode(item.name), item.oid, item.mode)
            for item in contents.items(self._site.private, tree, prefixes)
            if item.mode != contents.SUBMODULE
        )

    def read(self, oids: Sequence[str]) -> dict[str, bytes]:
        """Read blobs by id, in one git."""
        return contents.read(self._site.private, oids)

    # --- history and remotes ---------------------------------------------------------------------

    def remote(self, configured: str | None = None) -> str | None:
        """Choose the remote."""
        from grind.adapters.git import remotes

        return remotes.choose(self._site, remotes.settings(self._site), configured)

    def remote_url(self, remote: str) -> str:
        """Return the remote's address without credentials."""
        from grind.adapters.git import remotes

        return remotes.url(self._site, remotes.settings(self._site), remote)

    def aim(self, remote: str | None = None, main: str | None = None) -> Aim:
        """Say where a push goes."""
        from grind.adapters.git import remotes

        return remotes.aim(self._site, remote, main)

    @contextlib.contextmanager
    def asking_ahead(self) -> Iterator[None]:
        """Let git answer what `aim` and `head_branch` will ask while other things are done."""
        from grind.adapters.git import remotes

        with self._site.asking_ahead(remotes.SETTINGS, remotes.HEAD_BRANCH):
            yield

    def system_configuration(self) -> str | None:
        """Return where git keeps the machine's configuration; None when it does not say."""
        from grind.adapters.git import remotes

        return remotes.system_configuration(self._site)

    def main_branch(self, configured: str | None = None, remote: str | None = None) -> str:
        """Name the branch that changes land on."""
        from grind.adapters.git import remotes

        return remotes.main_branch(self._site, configured, remote)

    def head_branch(self) -> str | None:
        """Name the branch that HEAD is on."""
        from grind.adapters.git import remotes

        return remotes.head_branch(self._site)

    def tip(self, remote: str, branch: str) -> str | None:
        """Return where the remote's branch was when git last looked."""
        from grind.adapters.git import remotes

        return remotes.tip(self._site, remote, branch)

    def fetch_upstream(self, remote: str, branch: str) -> str | None:
        """Fetch the remote's branch and return its commit."""
        from grind.adapters.git import remotes

        return remotes.fetch(self._site, remote, branch)

    def fetch_commit(self, remote: str, oid: str) -> str:
        """Fetch one commit by its id, without its history."""
        from grind.adapters.git import remotes

        return remotes.fetch_commit(self._site, remote, oid)

    def merge_base(self, ours: str, theirs: str) -> str | None:
        """Return the best common ancestor."""
        from grind.adapters.git import history

        return history.merge_base(self._site, ours, theirs)

    def changed_paths(self, snapshot: Snapshot, upstream: str | None) -> tuple[str, ...] | None:
        """Return the paths that path filters look at."""
        from grind.adapters.git import history

        return history.changed_paths(self._site, snapshot, upstream)

    def changed_files(
        self, snapshot: Snapshot, upstream: str | None
    ) -> tuple[ChangedFile, ...] | None:
        """Return what has changed, file by file."""
        from grind.adapters.git import history

        return history.changed_files(self._site, snapshot, upstream)

    def resolve(self, rev: str) -> str:
        """Return the commit that a revision names."""
        from grind.adapters.git import history

        return history.resolve(self._site, rev)

    def tree_of(self, commit: str) -> str:
        """Return the tree that a commit has, read anew."""
        from grind.adapters.git import history

        return history.tree_of(self._site, commit)

    def message(self, commit: str) -> str:
        """Return a commit's message."""
        from grind.adapters.git import history

        return history.message(self._site, commit)

    def local_commits(self, base: str | None, head: str) -> tuple[Commit, ...]:
        """List the commits of `head` that `base` does not have, the oldest first."""
        from grind.adapters.git import history

        return history.local_commits(self._site, base, head)

    def lacking(self) -> str:
        """Say what the repository does not have of its history, or nothing."""
        from grind.adapters.git import checkouts

        return checkouts.lacking(self._site)

    def first_parents(self, head: str, limit: int) -> tuple[Commit, ...]:
        """List a commit and its line of first parents, the newest first."""
        from grind.adapters.git import history

        return history.first_parents(self._site, head, limit)

    def ignored_paths(self) -> tuple[str, ...]:
        """List what is in the working copy and ignored by git; a folder that is ignored as a whole
        ends in `/`. Empty where there is no working copy, or git cannot tell."""
        if self.top is None:
            return ()
        asked = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"]
        answer = Git(self.top, self._site.git.env).ask(asked)
        return tuple(os.fsdecode(name) for name in zlist(answer.out)) if not answer.code else ()

    # --- the private repository ------------------------------------------------------------------

    def prepare(self, snapshot: Snapshot, remote: str | None, branch: str) -> str:
        """Make the refs that checkouts need; return the private repository's path."""
        from grind.adapters.git import checkouts

        checkouts.prepare(self._site, snapshot, remote, branch)
        return self._site.private_path

    def submodule_repositories(self) -> dict[str, str]:
        """Return the user's copies of submodules: name → git folder."""
        from grind.adapters.git import checkouts

        return checkouts.submodule_repositories(self._site)

    def prune(self, days: float) -> int:
        """Drop old snapshots; return how many."""
        from grind.adapters.git import checkouts

        return checkouts.prune(self._site, days)

    # --- receipts that travel --------------------------------------------------------------------

    def notes(self, tree: str) -> list[bytes]:
        """Return the receipts that are noted on a tree."""
        from grind.adapters.git import notes

        return notes.read(self._site, tree)

    def noted_trees(self) -> list[str]:
        """List the trees that have receipts."""
        from grind.adapters.git import notes

        return notes.trees(self._site)

    def note(self, tree: str, line: bytes) -> bool:
        """Note a receipt on a tree; False when it is there already."""
        from grind.adapters.git import notes

        return notes.add(self._site, tree, line)

    def fetch_notes(self, remote: str) -> bool:
        """Unite the remote's receipts with ours; False when it has none."""
        from grind.adapters.git import notes

        return notes.fetch(self._site, remote)

    def push_notes(self, remote: str) -> bool:
        """Push our receipts; False when there are none."""
        from grind.adapters.git import notes

        return notes.push(self._site, remote)

    def overlay(self, tree: str, base: str, paths: Sequence[str]) -> str:
        """Return a tree that has these paths as `base` has them, and everything else as it is."""
        from grind.adapters.git import merging

        return merging.overlay(self._site, tree, base, paths)

    def known_commits(self) -> tuple[str, ...]:
        """Return commits that a host need not send."""
        from grind.adapters.git import arrivals

        return arrivals.known_commits(self._site)

    def receive(self, pack: bytes, commit: str, tree: str) -> None:
        """Take a host's objects into the private repository. Raises GrindError."""
        from grind.adapters.git import arrivals

        arrivals.receive(self._site, pack, commit, tree)

    def take_into_users(self, commit: str) -> None:
        """Bring a commit of the private repository into the user's; no ref moves."""
        from grind.adapters.git import arrivals

        arrivals.take_into_users(self._site, commit)

    # --- landing ---------------------------------------------------------------------------------

    def merge_tree(self, ours: str, theirs: str) -> MergeResult:
        """Merge two commits without a working copy."""
        from grind.adapters.git import merging

        return merging.merge_tree(self._site, ours, theirs)

    def proposal(self, tree: str, parent: str) -> Snapshot:
        """Return the snapshot that has this tree on top of this commit."""
        return snapshot.proposal(self._site, tree, parent)

    def commit(self, snapshot: Snapshot, message: str, *, hooks: bool = True) -> str:
        """Make the one commit of the snapshot's tree; no ref moves."""
        from grind.adapters.git import landing

        return landing.commit(self._site, snapshot, message, hooks=hooks)

    def push(self, oid: str, remote: str, branch: str, expected: str | None) -> PushResult:
        """Push a commit to a branch that is expected at a commit, or not to exist."""
        from grind.adapters.git import push

        return push.push(self._site, oid, remote, branch, expected)

    def pack(self, oid: str, known: str | None) -> bytes:
        """Return the objects of a commit that `known` does not have, as a pack."""
        from grind.adapters.git import push

        return push.pack(self._site, oid, known)

    def pushed(
        self, code: int, out: bytes, err: bytes, to: tuple[str, str, str, str | None]
    ) -> PushResult:
        """Return what became of a push that another git made, from what it said."""
        from grind.adapters.git import push

        return push.pushed(self._site, Answer(code, out, err), to)

    def stage(self, oid: str, remote: str) -> None:
        """Push a commit to a temporary ref of its own."""
        from grind.adapters.git import push

        push.stage(self._site, oid, remote)

    def unstage(self, oid: str, remote: str) -> None:
        """Remove that ref."""
        from grind.adapters.git import push

        push.unstage(self._site, oid, remote)

    def identity(self) -> str:
        """Return who commits here, as git has it: `Name <address>`."""
        from grind.adapters.git import landing

        return landing.identity(self._site)

    def follow(self, snapshot: Snapshot, landed: str) -> FollowResult:
        """Let the local branch and index follow, when nothing was edited meanwhile."""
        from grind.adapters.git import follow

        return follow.follow(self._site, snapshot, landed)

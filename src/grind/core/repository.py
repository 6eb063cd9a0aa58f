"""What a git repository is asked and answers, as plain values.

They stand here and not in `grind.ports`, because the pre-push hook makes snapshots and must not
pay for what the other ports import. Object ids are hexadecimal, 40 or 64 digits; paths are relative
to the top of the repository and decoded with `os.fsdecode`, so that any bytes survive.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias


class Submodule(NamedTuple):
    """A repository inside the tree, recorded by the id of its commit."""

    path: str
    oid: str
    dirty: bool | None
    """Whether its working copy has edits that `oid` does not hold; None when it is not there."""


class Snapshot(NamedTuple):
    """The tree that would be pushed, and a commit that holds it."""

    tree: str
    commit: str
    """HEAD when nothing differs from it, otherwise a commit made for this snapshot: the same tree
    on the same HEAD always has the same id."""
    parent: str | None
    """First parent of `commit`."""
    head: str | None
    """The commit the snapshot stands on: HEAD, or the commit that was asked for; None without."""
    new: tuple[str, ...] = ()
    """Files that `head` does not have."""
    modified: int = 0
    deleted: int = 0
    submodules: tuple[Submodule, ...] = ()
    lfs: tuple[str, ...] = ()
    """Files whose content in the tree is a Git LFS pointer."""
    merges: tuple[str, ...] = ()
    """Further parents of the commit that is to be made of it: a merge."""
    of_rev: bool = False
    """Made from a revision; nothing of the working copy was looked at."""

    @property
    def committed(self) -> bool:
        """Whether the tree is that of an existing commit, so that there is nothing to commit."""
        return self.commit == self.head


class Aim(NamedTuple):
    """Where a push would go, as far as the repository tells."""

    remote: str | None
    url: str
    main: str
    upstream: str | None
    """The commit of the remote's main branch, as last seen."""


class Blob(NamedTuple):
    """A file of a tree."""

    path: str
    oid: str
    mode: int
    """As git writes it: 0o100644, 0o100755, 0o120000 for a symbolic link."""


class ChangedFile(NamedTuple):
    """A file that differs between two trees."""

    status: str
    """As git's letter: A, D, M, R (found under another name), T."""
    path: str
    old: str = ""
    """Its path before, where it was found under another name."""
    submodule: bool = False


class Commit(NamedTuple):
    """A commit of the user's; `subject` is the first line of its message, as written."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    subject: str


class Pushed(NamedTuple):
    """The remote branch is at `oid` now, and was not before."""

    oid: str


class UpToDate(NamedTuple):
    """The remote branch was at `oid` already."""

    oid: str


class Stale(NamedTuple):
    """The remote branch is not where it was expected; `tip` is where it is, None for nowhere."""

    tip: str | None
    text: str


class HookDeclined(NamedTuple):
    """A hook said no: the user's own pre-push hook (`local`) or one of the server."""

    local: bool
    text: str


class PushRefused(NamedTuple):
    """Nothing was changed, for the reason in `text`: not a fast-forward, or the server says so."""

    text: str


class PushUnreachable(NamedTuple):
    """The remote did not answer, and it is not known to have the commit."""

    text: str


PushResult: TypeAlias = Pushed | UpToDate | Stale | HookDeclined | PushRefused | PushUnreachable
"""Texts are escaped and hold no credentials."""


class Followed(NamedTuple):
    """The local branch and index are where the pushed commit is."""

    branch: str | None
    """Full name of the ref; None for a detached HEAD."""


class LeftAlone(NamedTuple):
    """The local branch and index were not touched, and what to type to make them follow."""

    reason: str
    remedy: str


FollowResult: TypeAlias = Followed | LeftAlone


class Merged(NamedTuple):
    """Both sides fit together."""

    tree: str


class Conflicts(NamedTuple):
    """They do not; the paths that both changed."""

    paths: tuple[str, ...]


MergeResult: TypeAlias = Merged | Conflicts

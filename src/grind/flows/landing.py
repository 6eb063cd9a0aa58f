"""What a landing would push, and where: found out before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from grind.core.errors import ExitCode, GrindError, RefusedError
from grind.core.release import Release
from grind.core.repository import Aim, Commit, Snapshot
from grind.flows.basis import Basis
from grind.ports import Repository


class NothingToLandError(GrindError):
    """The remote has what there is."""


class MovedError(RefusedError):
    """The remote's branch has commits that the work does not stand on."""


class Landing(NamedTuple):
    """What would be pushed, and where."""

    snapshot: Snapshot
    remote: str
    branch: str
    expected: str | None
    """Where the remote's branch must still be."""
    commits: tuple[Commit, ...]
    """Local commits that go along, the oldest first; the last one is HEAD."""
    needs_commit: bool
    """Whether a commit of the snapshot's tree has to be made."""
    made: str | None = None
    """The commit of it that an earlier attempt made."""
    other: bool = False
    """Whether it is pushed to another branch than the main one."""
    main: str | None = None
    """Where the remote's main branch is: its rules are the ones that hold."""

    @property
    def arrived(self) -> bool:
        """Whether the remote has that commit: only the local branch is left to follow."""
        return self.made is not None and self.made == self.expected

    @property
    def unproven(self) -> tuple[Commit, ...]:
        """Commits in between: they are pushed with the proven one, and are not proven themselves."""
        return self.commits if self.needs_commit else self.commits[:-1]


def plan_landing(
    repository: Repository,
    basis: Basis,
    *,
    squash: bool,
    last: Release | None = None,
    branch: str | None = None,
    merges: str | None = None,
) -> Landing:
    """Find what would be pushed. Asks the remote where its branch is.

    `branch` is pushed to instead of the main one: the work has to stand on the main branch all the
    same, and on what is on that branch. `merges` is the local commit that the proven tree merges
    with the main branch.

    `last` is the last release as its journal tells: a landing of it that was cut off is gone on
    with, also when the remote has the commit already.

    Raises GrindError when there is nowhere to push, NothingToLandError, RefusedError when the remote
    has commits that the snapshot does not stand on, UnreachableError when it does not answer.
    """
    target, snapshot = basis.target, basis.snapshot
    if target.remote is None:
        raise GrindError("there is no remote to push to", remedy="git remote add origin URL")
    branch = branch or target.main
    main = tip = repository.fetch_upstream(target.remote, target.main)
    if branch != target.main:
        tip = repository.fetch_upstream(target.remote, branch)
    made = _made(repository, last, snapshot) if last is not None else None
    landing = Landing(
        snapshot=snapshot,
        remote=target.remote,
        branch=branch,
        expected=tip,
        commits=(),
        needs_commit=not snapshot.committed,
        made=made,
        main=main,
        other=branch != target.main,
    )
    if made is not None and made == tip != snapshot.head:
        return landing
    _require_ground(repository, target, snapshot, {target.main: main, branch: tip})
    if snapshot.head is not None:
        landing = landing._replace(commits=repository.local_commits(tip or main, snapshot.head))
    if squash and (tip or main) is not None:
        landing = _squashed(repository, landing, merges)
    if landing.snapshot.committed and landing.snapshot.head == tip:
        raise NothingToLandError(
            f"nothing to land: {target.remote}/{branch} is at {tip[:12] if tip else '-'} "
            "already, and nothing differs from it",
            code=ExitCode.DONE,
        )
    return landing


def _require_ground(
    repository: Repository, target: Aim, snapshot: Snapshot, tips: Mapping[str, str | None]
) -> None:
    """Raise RefusedError when a branch of the remote has commits that the work does not stand on.

    `tips` says where the branches are: the main one, and the one that is pushed to.
    """
    if snapshot.head is None:
        if any(tips.values()):
            raise RefusedError(
                f"{target.remote}/{target.main} has commits, and this repository has none",
                remedy=f"git fetch {target.remote} && git reset {target.remote}/{target.main}",
            )
        return
    for name, there in tips.items():
        if there is not None and repository.merge_base(there, snapshot.head) != there:
            raise MovedError(
                f"{target.remote}/{name} has moved on to {there[:12]}, which your work does "
                "not stand on; what was proven is not what would be there",
                remedy="`grind land --rebase` (or --merge) proves the merged tree and pushes "
                "it; `grind check --merged` only proves it",
            )


def _squashed(repository: Repository, landing: Landing, merges: str | None) -> Landing:
    """Return the landing as one commit on top of what the remote has."""
    snapshot = repository.proposal(landing.snapshot.tree, landing.expected or landing.main or "")
    commits: tuple[Commit, ...] = ()
    if merges is not None:
        snapshot = snapshot._replace(merges=(merges,))
        commits = repository.local_commits(landing.main, merges)
    return landing._replace(snapshot=snapshot, commits=commits, needs_commit=not snapshot.committed)


def _made(repository: Repository, last: Release, snapshot: Snapshot) -> str | None:
    """Return the commit that an earlier attempt made of this very snapshot, on top of its head."""
    if last.commit is None or last.intent is None or last.intent.tree != snapshot.tree:
        return None
    if snapshot.committed:
        return None
    try:
        commits = repository.local_commits(snapshot.head, last.commit)
        stands = snapshot.head is None or (
            repository.merge_base(snapshot.head, last.commit) == snapshot.head
        )
    except GrindError:
        return None  # git has collected it: it was never pushed
    return last.commit if stands and len(commits) == 1 else None

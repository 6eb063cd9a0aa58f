"""`grind land`: one commit of exactly the proven tree, pushed once, with a lease.

Everything names object ids: what is pushed is what was proven, whatever the branch or the working
copy do meanwhile. An intent is on disk before each effect; a land that was cut off is taken up where
the journal says it stopped, and nothing is pushed twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from grind.core import events as e
from grind.core.errors import ExitCode, GrindError, RefusedError, UnreachableError
from grind.core.gate import Decision
from grind.core.release import Release, State
from grind.core.repository import (
    Commit,
    Followed,
    FollowResult,
    HookDeclined,
    LeftAlone,
    Pushed,
    PushRefused,
    PushResult,
    PushUnreachable,
    Snapshot,
    Stale,
    UpToDate,
)
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
    main = tip = repository.fetch_upstream(target.remote, target.main)
    if branch is not None and branch != target.main:
        tip = repository.fetch_upstream(target.remote, branch)
    made = _made(repository, last, snapshot) if last is not None else None
    if made is not None and made == tip != snapshot.head:
        return Landing(
            snapshot,
            target.remote,
            branch or target.main,
            tip,
            (),
            True,
            made=made,
            main=main,
            other=branch not in (None, target.main),
        )
    if snapshot.head is not None:
        for name, there in ((target.main, main), (branch or target.main, tip)):
            if there is not None and repository.merge_base(there, snapshot.head) != there:
                raise MovedError(
                    f"{target.remote}/{name} has moved on to {there[:12]}, which your work does "
                    "not stand on; what was proven is not what would be there",
                    remedy="`grind land --rebase` (or --merge) proves the merged tree and pushes "
                    "it; `grind check --merged` only proves it",
                )
    elif tip is not None:
        raise RefusedError(
            f"{target.remote}/{target.main} has commits, and this repository has none",
            remedy=f"git fetch {target.remote} && git reset {target.remote}/{target.main}",
        )
    commits = repository.local_commits(tip or main, snapshot.head) if snapshot.head else ()
    if squash and (tip or main) is not None:
        snapshot = repository.proposal(snapshot.tree, tip or main or "")
        if merges is not None:
            snapshot = snapshot._replace(merges=(merges,))
            commits = repository.local_commits(main, merges)
        else:
            commits = ()
    if snapshot.committed and snapshot.head == tip:
        raise NothingToLandError(
            f"nothing to land: {target.remote}/{branch or target.main} is at {tip[:12] if tip else '-'} "
            "already, and nothing differs from it",
            code=ExitCode.DONE,
        )
    return Landing(
        snapshot=snapshot,
        remote=target.remote,
        branch=branch or target.main,
        expected=tip,
        commits=commits,
        needs_commit=not snapshot.committed,
        made=made,
        main=main,
        other=branch not in (None, target.main),
    )


def require_proof(decision: Decision) -> None:
    """Raise RefusedError, naming what is missing and the command that supplies it."""
    if not decision.ok:
        lines = "".join(f"\n  {one.line}" for one in decision.weakened)
        raise RefusedError(f"not landed: {decision.reason}{lines}", remedy=decision.remedy)


class Landed(NamedTuple):
    """What landed, and whether the local branch could follow."""

    oid: str
    follow: FollowResult
    pushed: bool
    """False when the remote had it already."""


def land(
    repository: Repository,
    landing: Landing,
    message: str | None,
    record: Callable[[e.Event], None],
    last: Release,
    before_push: Callable[[str], None] = lambda _: None,
    push: Callable[[str, str, str, str | None], PushResult] | None = None,
) -> Landed:
    """Commit (unless the snapshot is a commit already), push once, let the branch follow.

    `last` is the release as its journal tells: a commit that it made for this very landing is
    pushed instead of a second one. `before_push` is given the commit before the branch moves;
    `push` pushes from somewhere else, as `Repository.push` does from here.
    Raises RefusedError, UnreachableError.
    """
    if landing.arrived and landing.made is not None:
        return _arrived(repository, landing, landing.made, record, last)
    record(
        e.LandIntent(
            tree=landing.snapshot.tree,
            remote=landing.remote,
            branch=landing.branch,
            expected=landing.expected,
            message=_subject(message),
        )
    )
    try:
        oid = _commit(repository, landing, message, last)
    except GrindError as error:
        record(e.LandFailed(landing.snapshot.tree, error.message))
        raise
    record(e.LandCommitted(landing.snapshot.tree, oid))
    try:
        before_push(oid)
    except GrindError as error:
        record(e.LandFailed(landing.snapshot.tree, error.message))
        raise
    result = (push or repository.push)(oid, landing.remote, landing.branch, landing.expected)
    problem = _problem(result, landing)
    if problem is not None:
        record(e.LandFailed(landing.snapshot.tree, problem.message))
        raise problem
    record(e.LandPushed(landing.snapshot.tree, oid, landing.remote, landing.branch))
    return Landed(oid, _follow(repository, landing, oid), pushed=isinstance(result, Pushed))


def _follow(repository: Repository, landing: Landing, oid: str) -> FollowResult:
    """Let the local branch follow, unless what was pushed is another branch."""
    head = repository.head_branch()
    if landing.other and head != landing.branch:
        return LeftAlone(
            f"the commit is on {landing.branch}, and you are on {head or 'no branch'}",
            f"git switch {landing.branch}",
        )
    return repository.follow(landing.snapshot, oid)


def _arrived(
    repository: Repository,
    landing: Landing,
    oid: str,
    record: Callable[[e.Event], None],
    last: Release,
) -> Landed:
    """The push was over when we were cut off: say so in the journal, and let the branch follow."""
    if last.state is not State.LANDED:
        record(e.LandCommitted(landing.snapshot.tree, oid))
        record(e.LandPushed(landing.snapshot.tree, oid, landing.remote, landing.branch))
    return Landed(oid, _follow(repository, landing, oid), pushed=False)


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


def _commit(repository: Repository, landing: Landing, message: str | None, last: Release) -> str:
    if not landing.needs_commit:
        return landing.snapshot.commit
    same = last.intent is not None and _subject(message) == last.intent.message
    if landing.made is not None and (same or message is None):
        return landing.made
    if message is None:
        raise GrindError("a message is needed for the commit", remedy='grind land -m "…"')
    return repository.commit(landing.snapshot, message)


def _subject(message: str | None) -> str:
    return (message or "").partition("\n")[0]


def _problem(result: PushResult, landing: Landing) -> GrindError | None:
    where = f"{landing.remote}/{landing.branch}"
    match result:
        case Pushed() | UpToDate():
            return None
        case Stale():
            tip = result.tip[:12] if result.tip else "nothing"
            return MovedError(
                f"{where} has moved to {tip} meanwhile; nothing was pushed",
                remedy="grind land --rebase (or --merge): proves the merged tree, and pushes it",
            )
        case HookDeclined(local=local):
            whose = "your own pre-push hook" if local else "a hook of the remote"
            return RefusedError(
                f"{whose} declined the push; nothing changed there:\n{result.text}",
                remedy="see what it says, then run the same command again",
            )
        case PushRefused():
            return RefusedError(
                f"{where} refused the push; nothing changed there:\n{result.text}",
                remedy="see what it says, then run the same command again",
            )
        case PushUnreachable():
            return UnreachableError(
                f"{landing.remote} did not answer; the commit is kept and will be pushed next "
                f"time:\n{result.text}",
                remedy="run the same command again",
            )


def told_follow(landed: Landed) -> str:
    """Return what became of the local branch, for a person."""
    if isinstance(landed.follow, Followed):
        return ""
    return f"the local branch was left alone: {landed.follow.reason}; {landed.follow.remedy}"

"""`grind land`: one commit of exactly the proven tree, pushed once, with a lease.

Everything names object ids: what is pushed is what was proven, whatever the branch or the working
copy do meanwhile. An intent is on disk before each effect; a land that was cut off is taken up where
the journal says it stopped, and nothing is pushed twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from grind.core import events as e
from grind.core.errors import GrindError, RefusedError, UnreachableError
from grind.core.gate import Decision
from grind.core.release import Release, State
from grind.core.repository import (
    Followed,
    FollowResult,
    HookDeclined,
    LeftAlone,
    Pushed,
    PushRefused,
    PushResult,
    PushUnreachable,
    Stale,
    UpToDate,
)
from grind.flows.landing import Landing, MovedError
from grind.ports import Repository


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

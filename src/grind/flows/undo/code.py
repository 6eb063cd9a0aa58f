"""Undo a landed change by a revert commit, on the branch that it landed on.

The tree that the revert would make is computed without a working copy, so that it can be proven before
it exists, as any change is; whatever the user is editing is left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from grind.core import events as e
from grind.core.errors import GrindError, RefusedError
from grind.core.message import problems_of
from grind.core.repository import Conflicts, Snapshot
from grind.core.texts import one_line
from grind.core.undoevents import RollbackEnded, RollbackIntent, RollbackPlanned
from grind.ports import Repository


class Change(NamedTuple):
    """A change that landed."""

    commit: str
    """What the branch was brought to."""
    before: str
    """What the branch was at before: all that came in between goes with it."""
    branch: str
    remote: str = ""
    """The remote it was pushed to, when grind's journals tell; empty otherwise."""


class CodePlan(NamedTuple):
    """The revert that would be landed."""

    change: Change
    subject: str
    remote: str
    tip: str
    """Where the branch is now, and must still be."""
    proposal: Snapshot
    """The tree that reverting gives, on top of the tip."""
    nothing: bool
    """Whether the branch has nothing of the change any more."""
    goes: tuple[str, ...] = ()
    """The commits that are undone, a line each."""

    def message(self, reason: str, *, conventional: bool) -> str:
        """Return the message of the revert commit, as git writes it."""
        subject = self.subject[:200]
        first = f"revert: {subject}" if conventional else f'Revert "{subject}"'
        change = self.change
        which = (
            f"This reverts commit {change.commit}."
            if len(self.goes) == 1
            else f"This reverts commits {change.before}..{change.commit}."
        )
        why = f"\n\nReason: {reason.strip()}" if reason.strip() else ""
        message = f"{first}\n\n{which}{why}\n"
        problems = problems_of(message, conventional=conventional)
        if problems:
            raise GrindError("; ".join(problems), remedy="--reason TEXT, on one line")
        return message


def landed_changes(entries: Iterable[e.Entry]) -> list[Change]:
    """Return the changes that a release's journal says were pushed, the oldest first. A revert that
    a rollback pushed is not one of them: to roll that back, it must be named."""
    found: list[Change] = []
    before: str | None = None
    undoing = False
    for entry in entries:
        match entry.event:
            case RollbackIntent(kind="code"):
                undoing = True
            case RollbackEnded(kind="code"):
                undoing = False
            case e.LandIntent() as intent:
                before = intent.expected
            case e.LandPushed() as pushed if before is not None and not undoing:
                found.append(Change(pushed.oid, before, pushed.branch, pushed.remote))
            case _:
                pass
    return found


def plan_code(
    repository: Repository,
    changes: Sequence[Change],
    wanted: str | None,
    *,
    remote: str | None,
    branch: str,
) -> CodePlan:
    """Find what undoing a change would make. Asks the remote where the branch is.

    `changes` is what grind landed here, the newest first; `wanted` is a whole commit id, or None for
    the newest of them. Raises GrindError when there is nothing of the kind, RefusedError when the
    branch does not have the change or other changes stand on it, UnreachableError.
    """
    change = _change(repository, changes, wanted, branch)
    remote = change.remote or remote
    if remote is None:
        raise GrindError("there is no remote that it landed on", remedy="git remote add origin URL")
    tip = repository.fetch_upstream(remote, change.branch)
    where = f"{remote}/{change.branch}"
    if tip is None:
        raise RefusedError(
            f"{where} is not there any more, so there is nothing to roll back on it",
            remedy="--branch NAME, if it was merged somewhere else",
        )
    if repository.merge_base(tip, change.commit) != change.commit:
        raise RefusedError(
            f"{where} does not have {change.commit[:12]}, so there is nothing to roll back on it",
            remedy="--branch NAME, if it landed somewhere else",
        )
    tree = _reverted(repository, change, tip, where)
    now = repository.snapshot(tip)
    commits = repository.local_commits(change.before, change.commit)
    return CodePlan(
        change=change,
        subject=repository.message(change.commit).strip().partition("\n")[0],
        remote=remote,
        tip=tip,
        proposal=repository.proposal(tree, tip),
        nothing=tree == now.tree,
        goes=tuple(f"{one.oid[:12]} {one_line(one.subject)}" for one in commits),
    )


def _change(
    repository: Repository, changes: Sequence[Change], wanted: str | None, branch: str
) -> Change:
    if wanted is None:
        if not changes:
            raise GrindError(
                "no release here has landed anything, so it must be said what to roll back",
                remedy="grind rollback code COMMIT",
            )
        return changes[0]
    known = next((change for change in changes if change.commit == wanted), None)
    if known is not None:
        return known
    parent = repository.snapshot(wanted).parent
    if parent is None:
        raise GrindError(
            f"{wanted[:12]} is the first commit: without it there is nothing left",
            remedy="another commit",
        )
    return Change(wanted, parent, branch)


def _reverted(repository: Repository, change: Change, tip: str, where: str) -> str:
    """Merge what came before the change into the tip, with the change as what both stand on: that is
    what reverting is (git-revert(1))."""
    ours = repository.proposal(repository.snapshot(tip).tree, change.commit)
    theirs = repository.proposal(repository.snapshot(change.before).tree, change.commit)
    result = repository.merge_tree(ours.commit, theirs.commit)
    if isinstance(result, Conflicts):
        shown = ", ".join(result.paths[:5])
        raise RefusedError(
            f"later commits on {where} changed what {change.commit[:12]} changed: {shown}",
            remedy=f"git revert {change.commit[:12]}, mend the conflicts, grind check, grind land; "
            "or roll the later ones back first",
        )
    return result.tree


def planned(plan: CodePlan, *, at_once: bool) -> RollbackPlanned:
    """Return the plan as it is shown. `at_once` leaves the checks out."""
    where = f"{plan.remote}/{plan.change.branch}"
    steps = (
        f"undo {'; '.join(plan.goes[:5])}{'; …' if len(plan.goes) > 5 else ''}: "
        f"tree {plan.proposal.tree[:12]}",
        "leave the checks out (--now)"
        if at_once
        else "prove that tree, as any change; at once when it is proven already",
        f"push one revert commit to {where}, if it is still at {plan.tip[:12]}",
    )
    return RollbackPlanned(
        kind="code",
        what=f"{plan.change.commit[:12]} {one_line(plan.subject)}",
        where=where,
        steps=("nothing: the branch has nothing of it any more",) if plan.nothing else steps,
    )

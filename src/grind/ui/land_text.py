"""What `grind land` says: what would be pushed, what was, and what came along with it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from grind.core.texts import one_line

if TYPE_CHECKING:
    from grind.core.repository import Commit, Snapshot

SCHEMA = "grind.land/1"


class Outcome(NamedTuple):
    """All that is told."""

    snapshot: Snapshot
    remote: str
    branch: str
    expected: str | None
    """Where the branch was."""
    unproven: tuple[Commit, ...]
    needs_commit: bool
    oid: str | None = None
    """What landed; None when nothing was pushed, on purpose."""
    pushed: bool = False
    """False when the remote had it already."""
    note: str = ""
    """What became of the local branch."""
    told: tuple[str, ...] = ()
    """What came of the receipts, the status, the pull request."""
    warnings: tuple[str, ...] = ()
    pull: int | None = None
    """Number of the pull request that was opened or brought up to date."""


def document(outcome: Outcome) -> str:
    """Return the `grind.land/1` document."""
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "tree": outcome.snapshot.tree,
        "remote": outcome.remote,
        "branch": outcome.branch,
        "expected": outcome.expected,
        "commit": outcome.oid,
        "pushed": outcome.pushed,
        "dry_run": outcome.oid is None,
        "unproven_commits": [commit.oid for commit in outcome.unproven],
        "note": outcome.note,
        "done": list(outcome.told),
        "warnings": list(outcome.warnings),
        "pull": outcome.pull,
    }
    return json.dumps(told) + "\n"


def nothing(tree: str, remote: str | None, branch: str, head: str | None, why: str) -> str:
    """Return the document for when there is nothing to push."""
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "tree": tree,
        "remote": remote,
        "branch": branch,
        "expected": head,
        "commit": None,
        "pushed": False,
        "dry_run": False,
        "unproven_commits": [],
        "note": why,
        "done": [],
        "warnings": [],
        "pull": None,
    }
    return json.dumps(told) + "\n"


def text(outcome: Outcome) -> str:
    """Return it for people."""
    where = f"{outcome.remote}/{outcome.branch}"
    lines = [
        f"goes along, not proven itself: {commit.oid[:12]} {one_line(commit.subject)}"
        for commit in outcome.unproven
    ]
    if outcome.unproven:
        lines.append("  (`grind land --squash -m …` makes one proven commit of all)")
    if outcome.oid is None:
        what = (
            f"a new commit of tree {outcome.snapshot.tree[:12]}"
            if outcome.needs_commit
            else outcome.snapshot.commit[:12]
        )
        expected = outcome.expected[:12] if outcome.expected else "not there yet"
        lines.append(f"would push {what} to {where} (now at {expected})")
        return "\n".join([*lines, ""])
    did = "landed" if outcome.pushed else "was there already"
    lines.append(f"{did}: {outcome.oid[:12]} on {where}, tree {outcome.snapshot.tree[:12]}")
    lines += [f"  {one_line(one)}" for one in outcome.told]
    return "\n".join([*lines, *([outcome.note] if outcome.note else []), ""])

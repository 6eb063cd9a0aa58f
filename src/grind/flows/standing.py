"""Find out where the work stands, for `grind status`. Light: what must be read with libraries that
take long to start is asked of `Ways`, which may remember it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from grind.core.gate import Answer, Decision, Wanted, decide
from grind.core.standing import ConfigBrief, ReceiptBrief, ReleaseBrief, Status, next_step
from grind.flows.basis import config_blob, find_target, plain_key

if TYPE_CHECKING:
    from grind.core.repository import Aim, Snapshot
    from grind.ports import Repository

_WORDS = {Answer.OK: "full", Answer.PARTIAL: "partial", Answer.STALE: "expired"}


class Stored(NamedTuple):
    """The receipt that is kept for a tree."""

    path: str
    brief: ReceiptBrief | None
    """None for one that cannot be read."""


class Place(NamedTuple):
    """What is known of the host that is meant, without asking it."""

    labels: frozenset[str]
    id: str | None
    """Who it is, as receipts name it."""
    tools_print: str | None
    """Today's fingerprint of the receipt's tools there; None when it is not this machine."""


class Ways(Protocol):
    """How the facts are found."""

    def config(self, blob: str | None) -> ConfigBrief:
        """Return what the `grind.toml` of that object says; None is for no such file. Raises
        ProblemsError, and GrindError for a host that it does not have."""

    def receipt(self, tree: str) -> Stored | None:
        """Return what is kept for a tree."""

    def place(self, config: ConfigBrief, receipt: ReceiptBrief | None) -> Place:
        """Return what is known of the host, and of the tools of the receipt on it."""

    def release(self) -> ReleaseBrief | None:
        """Return the last release."""

    def running(self) -> str:
        """Say who holds the lock; nothing when nobody does."""


def find_standing(repository: Repository, ways: Ways, now: float) -> Status:
    """Return where the work stands at `now`, seconds since the epoch. Raises GrindError."""
    snapshot = repository.snapshot()
    config = ways.config(config_blob(repository, snapshot.tree))
    target = find_target(repository, config)
    stored = ways.receipt(snapshot.tree)
    decision = _decision(repository, ways, snapshot, target, config, stored, now)
    going = ways.running()
    release = ways.release()
    landed = snapshot.committed and snapshot.head == target.upstream
    step, why = next_step(decision, release, target.remote, landed=landed, going=going)
    brief = stored.brief if stored is not None else None
    return Status(
        tree=snapshot.tree,
        branch=repository.head_branch() or "",
        changed=snapshot.modified + snapshot.deleted,
        new_files=tuple(name.encode("utf-8", "replace").decode() for name in snapshot.new),
        proof=_WORDS.get(decision.answer, "none"),
        proof_reason=decision.reason,
        receipt=stored.path if stored is not None else "",
        host=config.host,
        proven_ago=now - brief.created if brief is not None else None,
        running=going,
        last=release.state if release is not None else "",
        last_told=release.told if release is not None else "",
        last_ago=now - release.at if release is not None and release.at else None,
        next=step,
        why=why,
    )


def _decision(
    repository: Repository,
    ways: Ways,
    snapshot: Snapshot,
    target: Aim,
    config: ConfigBrief,
    stored: Stored | None,
    now: float,
) -> Decision:
    """Return what the gate says, by the key alone: no workflow is read."""
    brief = stored.brief if stored is not None else None
    place, key = None, ""
    if stored is not None:
        place = ways.place(config, brief)
        key = plain_key(repository, snapshot, target, place.labels)
    if brief is not None and place is not None:
        bound = brief.bound and brief.bound != snapshot.commit
        if bound or place.tools_print not in (None, brief.tools_print):
            key = ""  # the plan, or what it runs with, may differ
    wanted = Wanted(
        tree=snapshot.tree,
        key=key,
        digest=None,
        host=place.id if place is not None else None,
        now=now,
        max_age=config.max_age,
    )
    return decide(brief, wanted)

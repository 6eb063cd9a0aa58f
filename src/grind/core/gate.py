"""The gate: the pure decision whether a commit may be pushed. It names what is missing."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from grind.core.receipt import Receipt

_SKEW = 300.0
"""Seconds by which the clock that wrote a receipt may be ahead."""


class Answer(StrEnum):
    """What the gate says."""

    OK = "ok"
    MISSING = "missing"
    PARTIAL = "partial"
    STALE = "stale"
    PLAN_CHANGED = "plan-changed"
    FOREIGN_HOST = "foreign-host"


class Decision(Struct, frozen=True, kw_only=True):
    """The gate's answer, with the fact that is missing and the command that supplies it."""

    answer: Answer
    reason: str = ""
    remedy: str = ""

    @property
    def ok(self) -> bool:
        """Whether the commit may be pushed."""
        return self.answer is Answer.OK


class Wanted(Struct, frozen=True, kw_only=True):
    """What a receipt must be for."""

    tree: str
    key: str
    digest: str | None
    """Digest of today's plan; None when the key alone is to decide."""
    host: str | None
    """The host the receipt must come from; None when any of the user's own will do."""
    now: float
    max_age: float
    """Seconds."""


def decide(receipt: Receipt | None, wanted: Wanted) -> Decision:
    """Return whether `receipt` proves what is wanted."""
    short = wanted.tree[:12]
    if receipt is None or receipt.tree != wanted.tree:
        return Decision(
            answer=Answer.MISSING,
            reason=f"there is no receipt for tree {short}: nothing has proven what would be pushed",
            remedy="grind check",
        )
    # Today's plan itself decides, where it is known; the key stands for it otherwise.
    same = receipt.key == wanted.key if wanted.digest is None else receipt.digest == wanted.digest
    if not same:
        return Decision(
            answer=Answer.PLAN_CHANGED,
            reason=f"the receipt for tree {short} is for another plan than today's",
            remedy="grind check",
        )
    if wanted.host is not None and receipt.host != wanted.host:
        return Decision(
            answer=Answer.FOREIGN_HOST,
            reason=f"the receipt for tree {short} comes from host {receipt.host_name!r}",
            remedy="grind check",
        )
    age = wanted.now - receipt.created
    if not -_SKEW <= age <= wanted.max_age:
        days = f"{age / 86400:.0f} days old" if age > 0 else "from the future"
        return Decision(
            answer=Answer.STALE,
            reason=f"the receipt for tree {short} is {days}",
            remedy="grind check --again",
        )
    if not receipt.full:
        what = "; ".join(receipt.open[:3])
        more = f"; and {len(receipt.open) - 3} more" if len(receipt.open) > 3 else ""
        return Decision(
            answer=Answer.PARTIAL,
            reason=f"the receipt for tree {short} is partial: {what}{more}",
            remedy=receipt.remedies[0] if receipt.remedies else "grind plan",
        )
    return Decision(answer=Answer.OK)

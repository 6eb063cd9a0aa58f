"""The gate: the pure decision whether a commit may be pushed. It names what is missing."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from grind.core.receipt import Receipt
from grind.core.weakening import Weakening, digest_of

_SKEW = 300.0
"""Seconds by which the clock that wrote a receipt may be ahead."""


class Answer(StrEnum):
    """What the gate says."""

    OK = "ok"
    MISSING = "missing"
    FAILED = "failed"
    PARTIAL = "partial"
    STALE = "stale"
    PLAN_CHANGED = "plan-changed"
    FOREIGN_HOST = "foreign-host"
    WEAKENED = "weakened"
    BAD_SIGNATURE = "bad-signature"


class Decision(Struct, frozen=True, kw_only=True):
    """The gate's answer, with the fact that is missing and the command that supplies it."""

    answer: Answer
    reason: str = ""
    remedy: str = ""
    weakened: tuple[Weakening, ...] = ()
    """The rules of the base that the change no longer holds itself to, accepted or not."""
    signer: str = ""
    """Who signed it, where that was asked."""

    @property
    def ok(self) -> bool:
        """Whether the commit may be pushed."""
        return self.answer is Answer.OK


class Signed(Struct, frozen=True):
    """What is known of a receipt's signature."""

    by: str = ""
    """An allowed signer's name; empty when none of them signed it."""
    why: str = ""
    """Why not."""


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
    failed: str = ""
    """What failed when this tree was checked last; empty when nothing did."""
    signers: str = ""
    """The file whose signers are trusted, as it is named to a person; empty when no signature is
    asked for."""
    signed: Signed = Signed()
    foreign_hosts: bool = False
    """Whether a trusted signer's receipt counts from whatever host it is."""
    weakened: tuple[Weakening, ...] = ()


def decide(receipt: Receipt | None, wanted: Wanted) -> Decision:
    """Return whether `receipt` proves what is wanted."""
    decision = (
        _there(receipt, wanted)
        or _signed(wanted)
        or _fits(_some(receipt), wanted)
        or _fresh(_some(receipt), wanted)
        or _complete(_some(receipt))
        or _unweakened(_some(receipt), wanted)
    )
    if decision is not None:
        return decision
    return Decision(answer=Answer.OK, weakened=wanted.weakened, signer=wanted.signed.by)


def _some(receipt: Receipt | None) -> Receipt:
    if receipt is None:
        raise ValueError("the rung below was not climbed")
    return receipt


def _there(receipt: Receipt | None, wanted: Wanted) -> Decision | None:
    short = wanted.tree[:12]
    if receipt is not None and receipt.tree == wanted.tree:
        if not receipt.void:
            return None
        return Decision(
            answer=Answer.MISSING,
            reason=f"the receipt for tree {short} is void: the tree changed during the run",
            remedy="grind check --again",
        )
    if wanted.failed:
        return Decision(
            answer=Answer.FAILED,
            reason=f"tree {short} was checked, and failed: {wanted.failed}",
            remedy="mend it, then grind check (--failed runs again only what was red)",
        )
    return Decision(
        answer=Answer.MISSING,
        reason=f"there is no receipt for tree {short}: nothing has proven what would be pushed",
        remedy="grind check",
    )


def _signed(wanted: Wanted) -> Decision | None:
    if not wanted.signers or wanted.signed.by:
        return None
    why = wanted.signed.why or "it is not signed"
    return Decision(
        answer=Answer.BAD_SIGNATURE,
        reason=f"the receipt for tree {wanted.tree[:12]} is not one of {wanted.signers}: {why}",
        remedy="grind receipt sign, with a key of that file (git config user.signingKey)",
    )


def _fits(receipt: Receipt, wanted: Wanted) -> Decision | None:
    short = wanted.tree[:12]
    # Today's plan itself decides, where it is known; the key stands for it otherwise.
    same = receipt.key == wanted.key if wanted.digest is None else receipt.digest == wanted.digest
    if not same:
        return Decision(
            answer=Answer.PLAN_CHANGED,
            reason=f"the receipt for tree {short} is for another plan than today's",
            remedy="grind check",
        )
    if wanted.host is None or receipt.host == wanted.host:
        return None
    if wanted.foreign_hosts and wanted.signed.by:
        return None
    return Decision(
        answer=Answer.FOREIGN_HOST,
        reason=f"the receipt for tree {short} comes from host {receipt.host_name!r}",
        remedy="grind check",
    )


def _fresh(receipt: Receipt, wanted: Wanted) -> Decision | None:
    age = wanted.now - receipt.created
    over = receipt.expires is not None and wanted.now > receipt.expires
    if -_SKEW <= age <= wanted.max_age and not over:
        return None
    days = f"{age / 86400:.0f} days old" if age > 0 else "from the future"
    return Decision(
        answer=Answer.STALE,
        reason=f"the receipt for tree {wanted.tree[:12]} is {days}{', and expired' * over}",
        remedy="grind check --again",
    )


def _complete(receipt: Receipt) -> Decision | None:
    if receipt.full:
        return None
    what = "; ".join(receipt.open[:3])
    more = f"; and {len(receipt.open) - 3} more" if len(receipt.open) > 3 else ""
    return Decision(
        answer=Answer.PARTIAL,
        reason=f"the receipt for tree {receipt.tree[:12]} is partial: {what}{more}",
        remedy=receipt.remedies[0] if receipt.remedies else "grind plan",
    )


def _unweakened(receipt: Receipt, wanted: Wanted) -> Decision | None:
    if not wanted.weakened:
        return None
    digest = digest_of(wanted.weakened)
    if any(one.digest == digest for one in receipt.accepted):
        return None
    count = len(wanted.weakened)
    rules = "a rule" if count == 1 else f"{count} rules"
    return Decision(
        answer=Answer.WEAKENED,
        reason=f"the change weakens {rules} that it is judged by",
        remedy='grind land --accept-weakened "why this is meant", if it is',
        weakened=wanted.weakened,
    )

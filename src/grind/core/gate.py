"""The gate: the pure decision whether a commit may be pushed. It names what is missing.

Light on purpose: `grind status` decides with it before anything reads JSON or TOML.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from grind.core.weakening import Weakening

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


class Claim(Protocol):
    """What is asked of a receipt: of `grind.core.receipt.Receipt`, or of what is remembered of one."""

    @property
    def tree(self) -> str:
        """What it is for."""

    @property
    def void(self) -> bool:
        """Whether the tree changed during the run."""

    @property
    def full(self) -> bool:
        """Whether every gating step is accounted for."""

    @property
    def key(self) -> str:
        """Of what its plan was made from."""

    @property
    def digest(self) -> str:
        """Of its plan."""

    @property
    def host(self) -> str:
        """Where it was made: identity and architecture …"""

    @property
    def host_name(self) -> str:
        """… and name."""

    @property
    def created(self) -> float:
        """Seconds since the epoch."""

    @property
    def expires(self) -> float | None:
        """The same, of its end; None for no end of its own."""

    @property
    def open(self) -> tuple[str, ...]:
        """What keeps it from being full."""

    @property
    def remedies(self) -> tuple[str, ...]:
        """What closes that."""

    @property
    def acceptances(self) -> tuple[str, ...]:
        """Digests of the weaker rules that somebody said yes to."""


class Decision(NamedTuple):
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


class Signed(NamedTuple):
    """What is known of a receipt's signature."""

    by: str = ""
    """An allowed signer's name; empty when none of them signed it."""
    why: str = ""
    """Why not."""


class Wanted(NamedTuple):
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


def decide(receipt: Claim | None, wanted: Wanted) -> Decision:
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


def _some(receipt: Claim | None) -> Claim:
    if receipt is None:
        raise ValueError("the rung below was not climbed")
    return receipt


def _there(receipt: Claim | None, wanted: Wanted) -> Decision | None:
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


def _fits(receipt: Claim, wanted: Wanted) -> Decision | None:
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


def _fresh(receipt: Claim, wanted: Wanted) -> Decision | None:
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


def _complete(receipt: Claim) -> Decision | None:
    if receipt.full:
        return None
    what = "; ".join(receipt.open[:3])
    more = f"; and {len(receipt.open) - 3} more" if len(receipt.open) > 3 else ""
    return Decision(
        answer=Answer.PARTIAL,
        reason=f"the receipt for tree {receipt.tree[:12]} is partial: {what}{more}",
        remedy=receipt.remedies[0] if receipt.remedies else "grind plan",
    )


def _unweakened(receipt: Claim, wanted: Wanted) -> Decision | None:
    if not wanted.weakened:
        return None
    from grind.core.weakening import digest_of

    digest = digest_of(wanted.weakened)
    if digest in receipt.acceptances:
        return None
    count = len(wanted.weakened)
    rules = "a rule" if count == 1 else f"{count} rules"
    return Decision(
        answer=Answer.WEAKENED,
        reason=f"the change weakens {rules} that it is judged by",
        remedy='grind land --accept-weakened "why this is meant", if it is',
        weakened=wanted.weakened,
    )

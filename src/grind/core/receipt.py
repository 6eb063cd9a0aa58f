"""A receipt: this tree, this plan, this host, these results. What the gate asks for.

It is an in-toto Statement (https://in-toto.io/Statement/v1) in an envelope (`grind.core.envelope`):
its subject names the tree and the commit, its predicate is `Receipt`. A full receipt exists if and
only if every active gating step was executed, satisfied or overridden with a reason, and at least
one was executed. Signed, it is what the holder of a key claims; docs/receipts.md says what that is
worth.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from grind.core.envelope import Envelope, read_envelope, write_envelope

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:grind:receipt:v2"
RECEIPT_SCHEMA = "grind.receipt/2"


class StepRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of one step."""

    job: str
    step: int
    name: str
    verdict: str
    conclusion: str
    gating: bool
    reason: str = ""
    exit_code: int | None = None
    duration: float = 0.0
    log_sha256: str = ""
    tests: int | None = None


class Tool(Struct, frozen=True):
    """A tool that the plan asked the host for: the question, and the answer's first line."""

    question: tuple[str, ...]
    answer: str


class ProbeRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    """What one health probe found."""

    name: str
    place: str
    """Where it was asked from: `client`, `host`, `container NAME`."""
    conclusion: str
    """`success` or `failure`."""
    told: str = ""
    """The value that was found, or what was wrong with it."""
    duration: float = 0.0
    """Seconds until it was green, or given up."""


class ActivationRecord(Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of an activation of the proven tree."""

    host: str
    """Identity of the host that was changed."""
    outcome: str
    """`kept`, `rolled-back`, `unchanged` or `failed`."""
    before: str = ""
    """The running system's path before …"""
    after: str = ""
    """… and after."""
    at: float = 0.0
    """When it was over: seconds since the epoch."""
    told: str = ""


class Acceptance(Struct, frozen=True, kw_only=True, rename="camel"):
    """Somebody said yes to weaker rules, in writing."""

    digest: str
    """SHA-256 over exactly the weakenings that are accepted (`grind.core.weakening`)."""
    base: str
    """The commit whose rules they are measured against."""
    lines: tuple[str, ...]
    """The weakenings, as they were shown."""
    reason: str
    by: str
    """Who, as git names them."""
    at: float


class Receipt(Struct, frozen=True, kw_only=True, rename="camel"):
    """Results for exactly one tree, one plan digest and one host identity.

    `tree` and `commit` are the statement's subject; the other fields are its predicate.
    """

    schema: str = RECEIPT_SCHEMA
    tree: str
    commit: str
    tree_after: str = ""
    """The tree that the commit stood for when the run was over. When it is not `tree`, the receipt
    is void. Empty in a receipt that no run made."""
    digest: str
    """SHA-256 of the plan over the resolved commands."""
    key: str
    """SHA-256 of what the plan is made from; equal keys mean an equal plan (see `plan_key`)."""
    state: str
    """`green` or `partial`; a red run leaves no receipt."""
    host: str
    """Stable identity of the host and its architecture."""
    host_name: str = ""
    system: str = ""
    """The running system's path, recorded and not compared."""
    run: str = ""
    created: float
    """Seconds since the epoch, when the run ended."""
    duration: float = 0.0
    grind: str
    executed: int = 0
    """Gating steps that ran a command."""
    steps: tuple[StepRecord, ...] = ()
    unproven: tuple[str, ...] = ()
    """What was left out by design, such as deployments, and does not block."""
    open: tuple[str, ...] = ()
    """What keeps a partial receipt from being full."""
    remedies: tuple[str, ...] = ()
    bound: str = ""
    """The commit, when the plan speaks of it (`github.sha` and its kin); empty otherwise."""
    tools: tuple[Tool, ...] = ()
    facts: dict[str, str] = {}
    """The host as it was: kernel, memory (KiB), versions; recorded and not compared."""
    tools_print: str = ""
    """Fingerprint of the tools' files, to know cheaply that they are still the same."""
    expires: float | None = None
    """After this it proves nothing: seconds since the epoch. The gate's own limit holds as well."""
    activations: tuple[ActivationRecord, ...] = ()
    """What became of activating exactly this tree, the oldest first."""
    probes: tuple[ProbeRecord, ...] = ()
    """What the health probes found after the last activation."""
    accepted: tuple[Acceptance, ...] = ()
    """Weaker rules that somebody said yes to."""

    @property
    def void(self) -> bool:
        """Whether the tree changed during the run."""
        return self.tree_after not in ("", self.tree)

    @property
    def full(self) -> bool:
        """Whether the gate may open on this receipt."""
        return self.state == "green" and self.executed > 0 and not self.open and not self.void

    @property
    def acceptances(self) -> tuple[str, ...]:
        """Digests of the weaker rules that somebody said yes to."""
        return tuple(one.digest for one in self.accepted)


# --- as a statement ------------------------------------------------------------------------------


def statement_of(receipt: Receipt) -> dict[str, Any]:
    """Return the in-toto Statement."""
    predicate = msgspec.to_builtins(receipt)
    return {
        "_type": STATEMENT_TYPE,
        "subject": subject_of(predicate.pop("tree"), predicate.pop("commit")),
        "predicateType": PREDICATE_TYPE,
        "predicate": predicate,
    }


def subject_of(tree: str, commit: str) -> list[dict[str, Any]]:
    """Return a statement's subject: digests as in-toto names git's objects (spec/v1/digest_set.md,
    `gitTree` and `gitCommit`, hexadecimal, SHA-1 or SHA-256)."""
    return [
        {"name": "tree", "digest": {"gitTree": tree}},
        {"name": "commit", "digest": {"gitCommit": commit}},
    ]


def receipt_of(payload: bytes) -> Receipt | None:
    """Read a statement; None for one that is torn, foreign or of another version.

    A receipt that cannot be read proves nothing, and the way to mend it is to prove again. So do
    those of the form `grind.receipt/1`, which had no statement.
    """
    try:
        statement = msgspec.json.decode(payload)
        if (statement["_type"], statement["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
            return None
        named = {name: oid for one in statement["subject"] for name, oid in one["digest"].items()}
        if len(statement["subject"]) != len(named):
            return None
        tree, commit = named["gitTree"], named["gitCommit"]
        receipt = msgspec.convert(
            {**statement["predicate"], "tree": tree, "commit": commit}, Receipt
        )
    except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
        return None
    return receipt if receipt.schema == RECEIPT_SCHEMA else None


def read_receipt(data: bytes) -> Receipt | None:
    """Read a stored receipt, whoever signed it; None for one that cannot be read."""
    envelope = read_envelope(data)
    return receipt_of(envelope.payload) if envelope is not None else None


def write_receipt(receipt: Receipt) -> bytes:
    """Return the receipt as it is stored, without a signature."""
    return write_envelope(Envelope(msgspec.json.encode(statement_of(receipt))))

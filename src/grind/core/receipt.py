"""A receipt: this tree, this plan, this host, these results. What the gate asks for.

A full receipt exists if and only if every active gating step was executed, satisfied or overridden
with a reason, and at least one was executed. (Signing and the in-toto envelope come with issue 5.)
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

RECEIPT_SCHEMA = "grind.receipt/1"


class StepRecord(Struct, frozen=True, kw_only=True):
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


class Receipt(Struct, frozen=True, kw_only=True):
    """Results for exactly one tree, one plan digest and one host identity."""

    schema: str = RECEIPT_SCHEMA
    tree: str
    commit: str
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

    @property
    def full(self) -> bool:
        """Whether the gate may open on this receipt."""
        return self.state == "green" and self.executed > 0 and not self.open


def read_receipt(data: bytes) -> Receipt | None:
    """Read a stored receipt; None for one that is torn, foreign or of another version.

    A receipt that cannot be read proves nothing, and the way to mend it is to prove again.
    """
    try:
        receipt = msgspec.json.decode(data, type=Receipt)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return receipt if receipt.schema == RECEIPT_SCHEMA else None


def write_receipt(receipt: Receipt) -> bytes:
    """Return the receipt as it is stored."""
    return msgspec.json.format(msgspec.json.encode(receipt), indent=1) + b"\n"

"""Look a receipt up: is this tree proven already, by today's plan, on this host? The hook's path.

Nothing heavy is imported here: no workflow is read when the key says that the plan is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from grind.core.gate import Decision, Wanted, decide

if TYPE_CHECKING:
    from grind.core.receipt import Receipt
    from grind.flows.basis import Basis


class Proof(NamedTuple):
    """What is known of a tree."""

    decision: Decision
    receipt: Receipt | None


def find_proof(
    basis: Basis,
    stored: bytes | None,
    *,
    now: float,
    tools_print: Callable[[Receipt], str] | None,
    digest: str | None = None,
    host: str | None = None,
) -> Proof:
    """Say whether the snapshot is proven.

    `stored` is the receipt for its tree as kept; `tools_print` tells today's fingerprint of the
    tools that the receipt names (None: do not compare); `digest` is that of today's plan, if known.
    """
    from grind.core.receipt import read_receipt

    receipt = read_receipt(stored) if stored is not None else None
    key = basis.key
    if receipt is not None and not _same_ground(receipt, basis, tools_print):
        key = ""  # the plan, or what it runs with, may differ: the digest must decide
    wanted = Wanted(
        tree=basis.snapshot.tree,
        key=key,
        digest=digest,
        host=host,
        now=now,
        max_age=basis.config.receipt.max_age,
    )
    return Proof(decide(receipt, wanted), receipt)


def _same_ground(
    receipt: Receipt, basis: Basis, tools_print: Callable[[Receipt], str] | None
) -> bool:
    if receipt.bound and receipt.bound != basis.snapshot.commit:
        return False
    return tools_print is None or tools_print(receipt) == receipt.tools_print

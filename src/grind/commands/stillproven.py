"""When the key of a proof differs and the plan does not: its digest decides, and nothing is run."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from grind.flows.prepare import Prepared
from grind.flows.proven import find_proof
from grind.wiring import proofs

if TYPE_CHECKING:
    from grind.wiring import Session


def still_proven(session: Session, prepared: Prepared, args: argparse.Namespace) -> bool:
    """Whether a receipt of the same plan on the same host stands; it is renewed and told then."""
    from grind.ui.proven_text import told_proven

    basis = prepared.basis
    proof = find_proof(
        basis,
        session.store.receipt(basis.snapshot.tree),
        now=session.clock.now(),
        tools_print=None,
        digest=prepared.whole.digest,
    )
    receipt = proof.receipt
    if not proof.decision.ok or receipt is None or receipt.digest != prepared.whole.digest:
        return False
    if receipt.tools != prepared.tools or not _same_host(receipt.host, prepared):
        return False
    import msgspec

    renewed = msgspec.structs.replace(
        receipt,
        key=basis.key,
        tools_print=session.tools_print(basis.config, prepared.tools),
    )
    path = proofs.keep_receipt(session, renewed).path
    sys.stdout.write(told_proven(receipt, now=session.clock.now(), json=args.json, path=path))
    return True


def _same_host(host: str, prepared: Prepared) -> bool:
    return host == f"{prepared.identity.id}/{prepared.identity.architecture}"

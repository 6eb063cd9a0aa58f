"""Inside CI: was this commit's tree proven before it was pushed, by somebody whom the main branch
trusts? No plan is made and no host is asked: it takes seconds, and needs git and ssh-keygen."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import NamedTuple

from grind.core.gate import Answer, Decision, Signed, Wanted, decide
from grind.core.receipt import Receipt, read_receipt
from grind.flows.basis import Basis
from grind.flows.policy import find_rules, touched_rules
from grind.ports import Repository

_ZEROS = frozenset("0")


class CiProof(NamedTuple):
    """What CI may believe."""

    decision: Decision
    receipt: Receipt | None
    skippable: bool
    """Whether a step that the receipt proved need not run again."""
    why_not: str = ""
    """Why not, when the receipt is good."""


class Place(NamedTuple):
    """What the event that started CI says."""

    base: str | None
    """Commit whose rules hold; None to take the tip of …"""
    branch: str
    """… the default branch."""


def place_of(event: str, ref: str, payload: bytes) -> Place:
    """Find the commit that the trusted rules stand in.

    For a push to the default branch that is where the branch was before; for a pull request, or a
    merge group, to it that is its base. Anything else is held to the default branch as it is now:
    what was on the pushed branch before is the pusher's own word.
    """
    try:
        told = json.loads(payload)
        branch = str(told["repository"]["default_branch"])
    except (ValueError, KeyError, TypeError):
        return Place(None, "main")
    base: object = None
    if event == "push" and ref == f"refs/heads/{branch}":
        base = told.get("before")
    elif event in ("pull_request", "pull_request_target"):
        target = told.get("pull_request", {}).get("base", {})
        base = target.get("sha") if target.get("ref") == branch else None
    elif event == "merge_group":
        group = told.get("merge_group", {})
        base = group.get("base_sha") if group.get("base_ref") == f"refs/heads/{branch}" else None
    whole = isinstance(base, str) and len(base) in (40, 64) and not set(base) <= _ZEROS
    return Place(str(base) if whole else None, branch)


def ci_proof(
    repository: Repository,
    basis: Basis,
    envelopes: Iterable[bytes],
    *,
    base: str | None,
    verify: Callable[[bytes, bytes], Signed],
    now: float,
) -> CiProof:
    """Return the best that a known receipt of the commit's tree gives."""
    if base is None:
        why = "there is no earlier main branch whose signers could be trusted"
        return CiProof(_bad(why), None, False)
    rules = find_rules(repository, basis, base)
    policy = rules.policy
    if policy.signers is None:
        why = policy.problem or "the main branch names no [gate] signers, so nobody is trusted"
        return CiProof(_bad(why), None, False)
    best: CiProof | None = None
    for envelope in [*envelopes, None]:
        receipt = read_receipt(envelope) if envelope is not None else None
        if envelope is not None and receipt is None:
            continue
        signed = verify(envelope, policy.signers) if envelope is not None else Signed()
        wanted = Wanted(
            tree=basis.snapshot.tree,
            key=receipt.key if receipt is not None else "",
            digest=None,
            host=None,
            now=now,
            max_age=policy.max_age,
            signers=f"{policy.signers_path} at {base[:12]}",
            signed=signed,
        )
        decision = decide(receipt, wanted)
        if decision.ok and receipt is not None:
            why = _why_not(repository, basis, base, policy.signers_path, receipt)
            return CiProof(decision, receipt, not why, why)
        best = best or CiProof(decision, receipt, False)
    if best is None:
        raise AssertionError("the last one is always judged")
    return best


def _bad(why: str) -> Decision:
    return Decision(
        answer=Answer.BAD_SIGNATURE,
        reason=why,
        remedy="name a file of signers in grind.toml on the main branch: [gate] signers",
    )


def _why_not(
    repository: Repository, basis: Basis, base: str, signers: str, receipt: Receipt
) -> str:
    touched = touched_rules(repository, basis, base, {signers})
    if touched:
        return f"the push changes what must be proven: {', '.join(touched[:3])}"
    if receipt.bound and receipt.bound != basis.snapshot.commit:
        return "the plan speaks of the commit, and this is another one"
    if any(rule.leaves for rule in basis.config.verdict):
        return "grind.toml leaves combinations of a matrix to CI, and a receipt does not say which this is"
    return ""

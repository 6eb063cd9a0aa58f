"""Ask the gate: may this tree be pushed? Every receipt of it that is known is held to today's plan and
to the rules of the remote's main branch."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, NamedTuple

from grind.core.config import Config
from grind.core.gate import Answer, Decision, Signed, Wanted, decide
from grind.core.receipt import Receipt, read_receipt
from grind.core.weakening import Weakening
from grind.flows.basis import Basis, Options
from grind.flows.policy import Preparing, Rules, find_rules, find_weakenings
from grind.ports import Repository

if TYPE_CHECKING:
    from grind.flows.prepare import Prepared


class GateInputs(NamedTuple):
    """What asking depends on."""

    repository: Repository
    prepare: Preparing
    still_print: Callable[[Config, Receipt], str]
    """Returns what a receipt's fingerprint must equal for its tools to be the same still."""
    verify: Callable[[bytes, bytes], Signed]
    """Says who of the allowed signers (second) signed an envelope (first)."""
    host_id: str
    now: float


class Asked(NamedTuple):
    """The gate's answer, and what it was given for."""

    decision: Decision
    receipt: Receipt | None
    envelope: bytes | None
    rules: Rules
    weakened: tuple[Weakening, ...] = ()


class _Plan:
    """Today's plan, made once and only when it is asked for."""

    def __init__(self, inputs: GateInputs, options: Options, basis: Basis) -> None:
        self._in, self._options, self._basis = inputs, options, basis
        self.known: Prepared | None = None

    async def get(self) -> Prepared:
        if self.known is None:
            self.known = await self._in.prepare(self._options, self._basis, self._basis.config)
        return self.known


async def ask_gate(
    inputs: GateInputs,
    options: Options,
    basis: Basis,
    envelopes: Iterable[bytes],
    *,
    upstream: str | None,
    failed: str = "",
) -> Asked:
    """Return the gate's answer for the snapshot's tree.

    `envelopes` are the known receipts, the own one first; `upstream` is where the remote's main
    branch is; `failed` what was red when the tree was checked last. The first receipt on which the
    gate opens is the one; without any, the first one's answer is given.
    """
    rules = find_rules(inputs.repository, basis, upstream)
    plan = _Plan(inputs, options, basis)
    weakened: tuple[Weakening, ...] | None = None
    first: Asked | None = None
    for envelope in [*envelopes, None]:
        receipt = read_receipt(envelope) if envelope is not None else None
        if envelope is not None and receipt is None:
            continue
        wanted = _wanted(inputs, basis, rules, envelope, receipt, failed)
        decision = decide(receipt, wanted)
        if decision.answer is Answer.PLAN_CHANGED and receipt is not None:
            wanted = await _by_plan(receipt, wanted, plan)
            decision = decide(receipt, wanted)
        if decision.ok:
            if weakened is None:
                weakened = await find_weakenings(
                    inputs.repository, inputs.prepare, options, basis, rules, plan.known
                )
            decision = decide(receipt, wanted._replace(weakened=weakened))
        asked = Asked(decision, receipt, envelope, rules, weakened or ())
        if decision.ok:
            return asked
        first = first or asked
    if first is None:
        raise AssertionError("the last one is always judged")
    return first


def _wanted(
    inputs: GateInputs,
    basis: Basis,
    rules: Rules,
    envelope: bytes | None,
    receipt: Receipt | None,
    failed: str,
) -> Wanted:
    policy = rules.policy
    signers = ""
    signed = Signed()
    if policy.signers is not None:
        signers = f"{policy.signers_path} on {basis.target.remote or 'the main branch'}"
        if envelope is not None:
            signed = inputs.verify(envelope, policy.signers)
    key = basis.key
    if receipt is not None and not _same_ground(inputs, basis, receipt):
        key = ""
    return Wanted(
        tree=basis.snapshot.tree,
        key=key,
        digest=None,
        host=inputs.host_id,
        now=inputs.now,
        max_age=policy.max_age,
        failed=failed,
        signers=signers,
        signed=signed,
        foreign_hosts=policy.foreign_hosts,
    )


def _same_ground(inputs: GateInputs, basis: Basis, receipt: Receipt) -> bool:
    if receipt.bound and receipt.bound != basis.snapshot.commit:
        return False
    if receipt.host != inputs.host_id:
        return True  # its tools are not here; whether it counts at all is another question
    return inputs.still_print(basis.config, receipt) == receipt.tools_print


async def _by_plan(receipt: Receipt, wanted: Wanted, plan: _Plan) -> Wanted:
    """The key differs, but the plan itself may be the same: then its digest decides."""
    prepared = await plan.get()
    same_tools = receipt.tools == prepared.tools or receipt.host != wanted.host
    digest = prepared.whole.digest if same_tools else ""
    return wanted._replace(digest=digest)

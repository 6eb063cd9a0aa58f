"""Receipts of one repository: kept, signed, verified, and shared; and what the gate is asked with."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from grind.core.errors import GrindError

if TYPE_CHECKING:
    from grind.core.config import Config
    from grind.core.gate import Signed
    from grind.core.receipt import Receipt
    from grind.flows.basis import Basis, Options
    from grind.flows.gate import Asked, GateInputs
    from grind.flows.prepare import Prepared
    from grind.wiring import Session

KEEP_SECONDS = 90 * 86400.0
"""How long receipts stay in the git folder; longer when they count for longer."""


class Kept(NamedTuple):
    """A receipt that was stored."""

    path: str
    signed: bool
    problem: str = ""
    """Why it could not be signed although a key is named; empty otherwise."""
    remedy: str = ""


def keep(session: Session, tree: str, data: bytes) -> Kept:
    """Sign a receipt with the user's key, where git names one, and store it.

    A receipt that cannot be signed is kept without a signature: it is still good here, unless the
    gate's policy asks for more.
    """
    problem, remedy, signed = "", "", False
    try:
        data, signed = sign(session, data)
    except GrindError as error:
        problem, remedy = error.message, error.remedy
    return Kept(session.store.save_receipt(tree, data), signed, problem, remedy)


def keep_receipt(session: Session, receipt: Receipt) -> Kept:
    """The same of a receipt as a value: for what is added to it after the run."""
    from grind.core.receipt import write_receipt

    return keep(session, receipt.tree, write_receipt(receipt))


def sign(session: Session, data: bytes) -> tuple[bytes, bool]:
    """Return the envelope with a signature, and whether there is a key to sign with at all."""
    from grind.adapters import sshsig
    from grind.core.envelope import read_envelope, write_envelope

    key = sshsig.signing_key(session.repository.git, session.environ)
    envelope = read_envelope(data)
    if key is None or envelope is None:
        return data, False
    return write_envelope(sshsig.sign(envelope, key, session.environ)), True


def verify(session: Session, data: bytes, signers: bytes) -> Signed:
    """Say who of the allowed signers signed an envelope."""
    from grind.adapters import sshsig
    from grind.core.envelope import read_envelope
    from grind.core.gate import Signed

    envelope = read_envelope(data)
    if envelope is None:
        return Signed(why="it cannot be read")
    found, why = sshsig.verify(envelope, signers, session.environ)
    return Signed(by=found.principal) if found is not None else Signed(why=why)


def known(session: Session, tree: str) -> list[bytes]:
    """Return the receipts of a tree: the one that was made here first, then those of notes."""
    own = session.store.receipt(tree)
    return [*([own] if own is not None else []), *session.repository.notes(tree)]


def gate_inputs(session: Session, basis: Basis) -> GateInputs:
    """Return what asking the gate depends on."""
    from grind.flows.gate import GateInputs

    async def prepare(options: Options, basis: Basis, hosts: Config) -> Prepared:
        return await prepare_on_host(session, options, basis, hosts)

    return GateInputs(
        repository=session.repository,
        prepare=prepare,
        still_print=session.still_print,
        verify=lambda envelope, signers: verify(session, envelope, signers),
        host_id=session.host_id(basis.config),
        now=session.clock.now(),
    )


async def prepare_on_host(
    session: Session, options: Options, basis: Basis, hosts: Config
) -> Prepared:
    """Return the plan, with the answers of the host that `hosts` chooses; let go of the host."""
    from grind.flows.prepare import prepare

    host = session.host(hosts)
    labels = session.labels_remembered(hosts)
    try:
        prepared = await prepare(
            session.repository, lambda _: host, options, lambda _: labels, basis
        )
    finally:
        await host.close()
    session.hosts.recognise(session.chosen(hosts), prepared.identity)
    return prepared


def ask(session: Session, options: Options, basis: Basis, upstream: str | None) -> Asked:
    """Ask the gate about the snapshot of `basis`."""
    import asyncio

    from grind.flows.gate import ask_gate

    tree = basis.snapshot.tree
    return asyncio.run(
        ask_gate(
            gate_inputs(session, basis),
            options,
            basis,
            known(session, tree),
            upstream=upstream,
            failed=last_failure(session, tree),
        )
    )


def accept(session: Session, asked: Asked, reason: str) -> None:
    """Write into the receipt that its weaker rules are meant, by whom and why; sign it anew."""
    import msgspec

    from grind.core.receipt import Acceptance
    from grind.core.weakening import digest_of

    receipt = asked.receipt
    if receipt is None or asked.rules.policy.base is None:
        raise AssertionError("only a receipt that the gate has seen can be weaker than a base")
    accepted = Acceptance(
        digest=digest_of(asked.weakened),
        base=asked.rules.policy.base,
        lines=tuple(one.line for one in asked.weakened),
        reason=reason,
        by=session.repository.identity(),
        at=session.clock.now(),
    )
    kept = keep_receipt(
        session, msgspec.structs.replace(receipt, accepted=(*receipt.accepted, accepted))
    )
    if kept.problem and asked.rules.policy.signers is not None:
        raise GrindError(kept.problem, remedy=kept.remedy)


def last_failure(session: Session, tree: str) -> str:
    """Return what was red when this tree was checked last; empty when nothing was."""
    from grind.core.release import State, fold

    for release in session.store.releases()[:10]:
        with session.journal(release) as journal:
            found = fold(journal.read())
        if found.started is None or found.started.tree != tree:
            continue
        if found.state not in (State.RED, State.HOLLOW):
            return ""
        failed = ", ".join(f"{one.job}: {one.name}" for one in found.failed[:3])
        return failed or f"the run was {found.state}"
    return ""


def collect(session: Session, max_age: float) -> int:
    """Remove receipts that have not counted for long; return how many."""
    keep_for = max(KEEP_SECONDS, max_age)
    return session.store.prune_receipts(session.clock.now() - keep_for)

"""`grind receipt verify --ci`: fetch what the check needs, and check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grind.core.errors import GrindError

if TYPE_CHECKING:
    from grind.flows.ciproof import CiProof
    from grind.wiring import Session


def prove(session: Session, rev: str, base: str | None) -> CiProof:
    """Say what CI may believe of a commit. `base` names the commit whose rules hold; without it the
    event that started CI says so. Raises GrindError, UnreachableError."""
    from grind.flows.basis import Options, find_basis
    from grind.flows.ciproof import ci_proof
    from grind.wiring import proofs

    repository = session.repository
    snapshot = repository.snapshot(rev)
    basis = find_basis(repository, Options(), session.labels, snapshot)
    remote = basis.target.remote
    if remote is not None:
        repository.fetch_notes(remote)
    return ci_proof(
        repository,
        basis,
        proofs.known(session, snapshot.tree),
        base=_base(session, base, remote),
        verify=lambda envelope, signers: proofs.verify(session, envelope, signers),
        now=session.clock.now(),
    )


def _base(session: Session, named: str | None, remote: str | None) -> str | None:
    from grind.flows.ciproof import place_of

    if named is not None:
        return session.repository.resolve(named)
    environ = session.environ
    try:
        with open(environ.get("GITHUB_EVENT_PATH", ""), "rb") as file:
            payload = file.read()
    except OSError:
        raise GrindError(
            "this is not CI: GITHUB_EVENT_PATH names no file",
            remedy="grind receipt verify --ci --base origin/main",
        ) from None
    place = place_of(environ.get("GITHUB_EVENT_NAME", ""), environ.get("GITHUB_REF", ""), payload)
    if place.base is None:
        return session.repository.fetch_upstream(remote, place.branch) if remote else None
    try:
        return session.repository.resolve(place.base)
    except GrindError:  # a shallow checkout does not have it
        if remote is None:
            raise
        return session.repository.fetch_commit(remote, place.base)

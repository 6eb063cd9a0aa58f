"""What a landing wants before anything is committed: a place, a proof, a message, tests."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from grind.core.errors import GrindError, RefusedError
from grind.core.gate import Answer
from grind.core.release import Release, State, fold
from grind.flows.land import require_proof as require_ok

if TYPE_CHECKING:
    from grind.adapters.store import ReleaseFolder
    from grind.core.repository import PushResult
    from grind.flows.basis import Basis, Options
    from grind.flows.gate import Asked
    from grind.flows.landing import Landing
    from grind.wiring import Session

_OPEN = (State.IDLE, State.GREEN, State.LANDING, State.COMMITTED, State.LANDED)


def push_from(
    session: Session, basis: Basis
) -> Callable[[str, str, str, str | None], PushResult] | None:
    """Return how to push from the grind host, when `land.from` says so; None for from here."""
    if basis.config.land.from_ != "host" or session.is_here(basis.config):
        return None
    from grind.commands.hosting import reach_workspace
    from grind.wiring.hostpush import pusher

    place, chosen = reach_workspace(session, basis.config, "push from it")
    return pusher(session, place, chosen)


def merges(session: Session) -> str:
    """Return the local commit that is merged; what is not committed would not be in it."""
    snapshot = session.repository.snapshot()
    if not snapshot.committed:
        raise GrindError(
            "a merge is of commits, and something is not committed",
            remedy="grind land --rebase, or git commit first",
        )
    return snapshot.commit


def release_for(session: Session, basis: Basis) -> tuple[ReleaseFolder, Release]:
    """Return the release to land in: the last one, when it is about this tree and can still land."""
    latest = session.store.latest()
    if latest is not None:
        with session.journal(latest) as journal:
            last = fold(journal.read())
        about = last.started or last.intent
        if about is not None and about.tree == basis.snapshot.tree and last.state in _OPEN:
            return latest, last
    return session.store.new_release(session.clock.now()), Release()


def require_proof(
    session: Session,
    basis: Basis,
    options: Options,
    upstream: str | None,
    *,
    accepted: str | None = None,
) -> Asked:
    """Ask the gate, by the rules of the remote's main branch, which is at `upstream`; `accepted` is
    why weaker rules are meant. Raises RefusedError when it does not open."""
    from grind.wiring import proofs

    asked = proofs.ask(session, options, basis, upstream)
    if asked.decision.answer is Answer.WEAKENED and accepted:
        proofs.accept(session, asked, accepted)
        asked = proofs.ask(session, options, basis, upstream)
    require_ok(asked.decision)
    return asked


def check_message(message: str | None, landing: Landing, *, conventional: bool) -> None:
    """Raise GrindError when there is no message, or one too many, or one that is not acceptable."""
    from grind.core.message import problems_of

    if not landing.needs_commit:
        if message is not None:
            raise GrindError(
                "nothing is uncommitted, so HEAD is pushed as it is, with its own message",
                remedy="grind land (without -m), or --squash",
            )
        return
    if message is None:
        if landing.made is not None:
            return  # the commit has its message
        raise GrindError(
            "a message is needed for the commit of the proven tree", remedy='grind land -m "…"'
        )
    problems = problems_of(message, conventional=conventional)
    if problems:
        raise GrindError("; ".join(problems), remedy='grind land -m "…"')


def untested_code(
    session: Session, args: argparse.Namespace, basis: Basis, landing: Landing
) -> list[str]:
    """Return a warning about code without tests, or refuse it where that is configured."""
    from grind.core.atomic import is_code, untested

    said = basis.config.land
    if said.atomic == "off" or landing.main is None:
        return []
    against = landing.snapshot._replace(parent=landing.main, of_rev=True)
    paths = session.repository.changed_paths(against, None) or ()
    code = {path for path in paths if is_code(path, said.exempt)}
    blobs = [b for b in session.repository.blobs(landing.snapshot.tree, paths) if b.path in code]
    message = args.message or session.repository.message(landing.snapshot.commit)
    contents = session.repository.read([blob.oid for blob in blobs]).values() if blobs else ()
    found = untested(paths, contents, message, tests=said.tests, exempt=said.exempt)
    if not found:
        return []
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    told = f"code changes without a test: {', '.join(found[:3])}{more}"
    if said.atomic == "error":
        raise RefusedError(
            f"not landed: {told}", remedy="add the test, or name the path in land.exempt"
        )
    return [f"{told} (land.exempt in grind.toml names what needs none)"]

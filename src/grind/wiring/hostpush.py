"""Push from the grind host, with its own credentials (`land.from = "host"`).

The commit is made here, and is exactly the proven one; its objects go to the host's own clone of the
repository as a pack, and git there pushes them by id, with the same lease. The remote's branch is
looked at from here before and after, so that a lost connection is no guess.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from grind.adapters.git.push import MARKER

if TYPE_CHECKING:
    from collections.abc import Callable

    from grind.core.hosts import Chosen
    from grind.core.repository import PushResult
    from grind.ports import Completed
    from grind.wiring import Session
    from grind.wiring.workspace import Place

_SECONDS = 300.0


def pusher(
    session: Session, place: Place, chosen: Chosen
) -> Callable[[str, str, str, str | None], PushResult]:
    """Return how a landing pushes (commit, remote, branch, where it must be) from that host."""
    repository = session.repository

    def push(oid: str, remote: str, branch: str, expected: str | None) -> PushResult:
        pack = repository.pack(oid, expected)
        answer = asyncio.run(
            _there(session, place, chosen, oid, pack, _push(remote, oid, branch, expected))
        )
        return repository.pushed(
            answer.exit_code, answer.out, answer.err, (oid, remote, branch, expected)
        )

    return push


def _push(remote: str, oid: str, branch: str, expected: str | None) -> list[str]:
    ref = f"refs/heads/{branch}"
    flags = ["--porcelain", "--atomic", "--no-follow-tags", "--no-progress"]
    lease = f"--force-with-lease={ref}:{expected or ''}"
    return ["push", *flags, lease, "--", remote, f"{oid}:{ref}"]


async def _there(
    session: Session, place: Place, chosen: Chosen, oid: str, pack: bytes, push: list[str]
) -> Completed:
    host = session.hosts.open(chosen)
    git = ["git", "-C", place.path]
    env = {**place.env, "LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", MARKER: oid}
    try:
        taking = [*git, "unpack-objects", "-q"]
        done = await host.run(taking, data=pack, env=env, seconds=_SECONDS)
        if done.exit_code:
            return done
        return await host.run([*git, *push], env=env, seconds=_SECONDS)
    finally:
        await host.close()

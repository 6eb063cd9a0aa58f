"""Keep the host's own workspace at the main branch, or take the snapshot from what is edited there."""

from __future__ import annotations

from typing import Protocol

from grind.core.errors import RefusedError, UnreachableError
from grind.core.repository import Aim, Snapshot
from grind.core.workspace import Answer, Blocked, Taken, remedy, told
from grind.ports import Repository


class HostWorkspace(Protocol):
    """A clone on a host."""

    async def forward(self, remote: str, main: str, who: str) -> Answer:
        """Fast-forward it."""

    async def settle(self, remote: str, main: str, who: str, tree: str) -> Answer:
        """Fast-forward it after its edits have landed."""

    async def snapshot(self, haves: tuple[str, ...]) -> Taken | Blocked:
        """Take its tree."""


class Arrivals(Protocol):
    """The repository that the host's objects come into."""

    def known_commits(self) -> tuple[str, ...]:
        """Commits that need not be sent."""

    def receive(self, pack: bytes, commit: str, tree: str) -> None:
        """Take objects over."""


async def forward(workspace: HostWorkspace, target: Aim, who: str, where: str) -> Answer:
    """Bring the workspace to the remote's main branch.

    `where` names it for people: "/opt/work on grind".

    Raises:
        RefusedError: it has something of its own; the message lists it.
        UnreachableError: the host cannot reach the remote.
    """
    answer = await workspace.forward(target.remote or "origin", target.main, who)
    if isinstance(answer, Blocked):
        raise _blocked(answer, where)
    return answer


async def after_landing(workspace: HostWorkspace, target: Aim, who: str, tree: str) -> Answer:
    """Bring the workspace to what landed, when nothing else is in it. Never raises for what is
    there: what landed has landed."""
    return await workspace.settle(target.remote or "origin", target.main, who, tree)


async def take(
    workspace: HostWorkspace, arrivals: Arrivals, repository: Repository, where: str
) -> Snapshot:
    """Take the snapshot of what is edited in the workspace; its objects come here.

    Raises:
        RefusedError: its tree cannot be taken; the message says what is there.
    """
    taken = await workspace.snapshot(arrivals.known_commits())
    if isinstance(taken, Blocked):
        raise _blocked(taken, where)
    arrivals.receive(taken.pack, taken.commit, taken.tree)
    return snapshot_on(repository, taken.commit, taken.head)


def snapshot_on(repository: Repository, commit: str, head: str) -> Snapshot:
    """Return the snapshot that `commit` holds, as it was found: of a working copy at `head`."""
    snapshot = repository.snapshot(commit)
    return snapshot._replace(head=head, of_rev=False)


def _blocked(blocked: Blocked, where: str) -> RefusedError | UnreachableError:
    kind = UnreachableError if blocked.kind == "fetch" else RefusedError
    return kind(f"{where}: {told(blocked)}", remedy=remedy(blocked))

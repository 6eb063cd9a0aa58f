"""The effects of a landing beside its push, with the adapters that they need."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from grind.core.errors import GrindError, RefusedError
from grind.flows.afterland import STATUS_CONTEXT, Effect
from grind.wiring.sharing import note_own

if TYPE_CHECKING:
    from grind.adapters.github.forge import GitHubForge
    from grind.core.receipt import Receipt
    from grind.flows.basis import Basis
    from grind.ports import PullSeen
    from grind.wiring import Session

Told = TypeVar("Told")


class Effects:
    """Of one commit that lands on a branch of a remote."""

    def __init__(
        self, session: Session, basis: Basis, *, status: str, remote: str, receipt: Receipt | None
    ) -> None:
        self._session = session
        self._basis = basis
        self._status = status
        self._remote = remote
        self._receipt = receipt
        self._authorised: bool | None = None
        self.pull: PullSeen | None = None

    def before(self, oid: str) -> list[Effect]:
        """What has to be there before the branch moves."""
        if self._status != "required":
            return []
        if not self.authorised():
            raise RefusedError(
                'land.status is "required", and there is no token to set the status with',
                remedy="gh auth login, or set GRIND_GITHUB_TOKEN",
            )
        repository, remote = self._session.repository, self._remote

        def stage() -> str:
            repository.stage(oid, remote)
            return ""

        return [Effect("staged", stage), self._set_status(oid)]

    def after(self, oid: str, tree: str, branch: str | None) -> list[Effect]:
        """What follows the push; `branch` is set for a pull request."""
        effects = [Effect("notes", lambda: self._share(tree))]
        repository, remote = self._session.repository, self._remote
        if self._status == "required":

            def unstage() -> str:
                repository.unstage(oid, remote)
                return ""

            effects.insert(0, Effect("unstaged", unstage))
        elif self._status == "optional" and self.authorised():
            effects.append(self._set_status(oid))
        if branch is not None and self.authorised():
            effects.append(Effect("pull", lambda: self._open_pull(oid, branch)))
        return effects

    def authorised(self) -> bool:
        """Whether the remote is at a forge for which there is a token."""
        if self._authorised is None:

            async def look(forge: GitHubForge) -> bool:
                return forge.authorised

            try:
                self._authorised = self._with_forge(look)
            except GrindError:
                self._authorised = False  # the remote is nowhere that has statuses
        return self._authorised

    def _share(self, tree: str) -> str:
        if not note_own(self._session, tree):
            return ""
        self._session.repository.push_notes(self._remote)
        return f"the receipt is on {self._remote}, as a note on tree {tree[:12]}"

    def _set_status(self, oid: str) -> Effect:
        receipt = self._receipt
        told = (
            f"tree {receipt.tree[:12]}: {receipt.executed} steps on {receipt.host_name}"
            if receipt is not None
            else "proven by grind"
        )

        async def set_it(forge: GitHubForge) -> str:
            await forge.set_status(oid, "success", STATUS_CONTEXT, told)
            return f"status {STATUS_CONTEXT} is set"

        return Effect("status", lambda: self._with_forge(set_it))

    def _open_pull(self, oid: str, branch: str) -> str:
        message = self._session.repository.message(oid)
        title, _, body = message.partition("\n")

        async def open_it(forge: GitHubForge) -> str:
            pull = await forge.pull(branch, self._basis.target.main, title, body.strip())
            self.pull = pull
            did = "opened" if pull.opened else "brought up to date"
            return f"pull request {pull.number} is {did}: {pull.url}"

        return self._with_forge(open_it)

    def _with_forge(self, use: Callable[[GitHubForge], Awaitable[Told]]) -> Told:
        async def run() -> Told:
            forge = await self._session.forge(self._basis.target.url)
            try:
                return await use(forge)
            finally:
                await forge.close()

        return asyncio.run(run())

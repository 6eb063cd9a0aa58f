"""Watches a commit at the stand-in, with the real adapter and the real flow."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, TypeVar

from grind.adapters.github.address import Address
from grind.adapters.github.forge import GitHubForge
from grind.adapters.github.tokens import Token
from grind.adapters.store import ReleaseFolder
from grind.core import events as e
from grind.core.ci import Expected, Target
from grind.core.parity import Failure, Local, local_word
from grind.core.plan import Plan
from grind.core.receipt import Receipt
from grind.core.watching import Rules
from grind.flows.watch import Patience, WatchInputs, watch
from tests.github.standin import NAME, OWNER, TOKEN, Server

SHA = "5ca1ab1e" * 5
OTHER = "0ff1ce00" * 5
CI = ".github/workflows/ci.yml"
LINT = ".github/workflows/lint.yml"
Kind = TypeVar("Kind", bound=e.Event)


class Watcher:
    """One watch: what it is to be told, and what it told."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.github = server.github
        self.clock = server.github.clock
        self.folder = ReleaseFolder(str(folder), "watch")
        self.events: list[e.Event] = []
        self.token: str | None = TOKEN
        self.api = server.url
        self.receipt: Receipt | None = None
        self.plan: Plan | None = None
        self.branch = "main"
        self.event = "push"
        self.patience = Patience()
        self.since: float | None = None

    def forge(self) -> GitHubForge:
        address = Address("github.com", self.api, OWNER, NAME, True)
        return GitHubForge(address, Token(self.token, "the test") if self.token else None)

    def watch(self, *expected: str | Expected, sha: str = SHA, **rules: Any) -> e.WatchEnded:
        """Watch until the end."""
        known = tuple(Expected(one) if isinstance(one, str) else one for one in expected)
        return asyncio.run(self._watch(Target(sha, self.event, self.branch), Rules(known, **rules)))

    async def _watch(self, target: Target, rules: Rules) -> e.WatchEnded:
        forge = self.forge()

        async def explain(failure: Failure) -> Local:
            return local_word(failure, self.receipt, self.plan)

        inputs = WatchInputs(
            forge=forge,
            clock=self.clock,
            record=self.events.append,
            target=target,
            rules=rules,
            since=self.clock.now() if self.since is None else self.since,
            explain=explain,
            logs=self.folder,
            patience=self.patience,
        )
        try:
            return await watch(inputs)
        finally:
            await forge.close()

    def told(self, kind: type[Kind]) -> list[Kind]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def notes(self) -> list[str]:
        return [note.text for note in self.told(e.Note)]

    def log(self, failed: e.CiStepFailed) -> bytes:
        """The kept log of a failure."""
        return b"".join(self.folder.read_log(failed.log))

"""The host's own clone of the repository (`workspace` in grind.toml), through a script there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grind.adapters.hostscripts import LOCK, SYNC, bash, script
from grind.core.errors import GrindError
from grind.core.texts import one_line
from grind.core.workspace import Answer, Blocked, Current, Forwarded, Taken
from grind.ports import Completed, Host

SECONDS = 300.0
"""For a fetch of the host's own, or for reading every file of a large workspace."""
_HEX = frozenset("0123456789abcdef")


class Workspace:
    """The clone at `path` on a host. `env` is laid over what the host lends: git's own needs."""

    def __init__(self, host: Host, path: str, env: Mapping[str, str]) -> None:
        self._host = host
        self._path = path
        self._env = dict(env)
        self.notes: list[str] = []
        """What the script had to say beside its answers, for people."""

    async def forward(self, remote: str, main: str, who: str) -> Answer:
        """Fast-forward it to the remote's main branch, unless something of its own is there."""
        lock = await self._host.keep(LOCK, script(LOCK))
        return _answer(await self._words("forward", self._path, remote, main, lock, who))

    async def settle(self, remote: str, main: str, who: str, tree: str) -> Answer:
        """The same after `tree` was landed from its edits: they are no edits any more."""
        lock = await self._host.keep(LOCK, script(LOCK))
        return _answer(await self._words("settle", self._path, remote, main, lock, who, tree))

    async def snapshot(self, haves: Sequence[str]) -> Taken | Blocked:
        """Take its tree as it would be pushed; `haves` are commits that need not be sent.

        Raises:
            GrindError: the answer came only in part.
        """
        data = "".join(f"{oid}\n" for oid in haves).encode()
        done = await self._run("snapshot", self._path, data=data)
        head, mark, pack = done.out.partition(b"\0end\0")
        words = head.decode("utf-8", "replace").split("\0")
        if not mark:
            raise self._failed(done)
        if words[0] != "snapshot":
            return Blocked(words[0], tuple(map(one_line, words[1:])))
        if done.exit_code or not pack.startswith(b"PACK") or len(words) != 5:
            raise self._failed(done)
        if not all(oid and set(oid) <= _HEX for oid in words[1:4]):
            raise self._failed(done)
        return Taken(words[1], words[2], words[3], words[4], pack)

    async def _words(self, *arguments: str) -> list[str]:
        done = await self._run(*arguments)
        words = done.out.decode("utf-8", "replace").split("\0")
        self.notes += filter(None, map(one_line, done.err.decode("utf-8", "replace").splitlines()))
        if done.exit_code or words[-2:] != ["end", ""]:
            raise self._failed(done)
        return words[:-2]

    async def _run(self, *arguments: str, data: bytes = b"") -> Completed:
        kept = await self._host.keep(SYNC, script(SYNC))
        argv = (*bash(kept), *arguments)
        return await self._host.run(argv, data=data, env=self._env, seconds=SECONDS)

    def _failed(self, done: Completed) -> GrindError:
        said = done.err.decode("utf-8", "replace").strip() or f"status {done.exit_code}"
        return GrindError(
            f"the workspace {self._path} of {self._host.name} did not answer: {one_line(said)}",
            remedy="grind doctor",
        )


def _answer(words: Sequence[str]) -> Answer:
    match list(words):
        case ["forwarded", old, new, count] if count.isdigit():
            return Forwarded(old, new, int(count))
        case ["current", oid]:
            return Current(oid)
        case [kind, *there]:
            return Blocked(kind, tuple(map(one_line, there)))
        case _:
            return Blocked("", ())

"""The folder of a lane on an SSH host (implements `LaneGround`)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from functools import partial

from grind.adapters.ssh.following import PushedSource
from grind.adapters.ssh.link import Link
from grind.adapters.ssh.session import Answer
from grind.core.errors import ExitCode, GrindError

WHOLE = 64 * 1024 * 1024
WRITTEN = (0, 1)
"""Written now, or there already."""
FILES_AT_ONCE = 200
"""Of which the host is asked for sums in one request: an argument list has a limit."""


class RemoteGround:
    """What can be done in the folder of a lane, through a link."""

    def __init__(
        self, link: Link, folder: str, track: str, *, begun: bool, ahead: PushedSource | None
    ) -> None:
        self._link = link
        self._folder = folder
        self._track = track
        self._begun = begun
        self._posted: list[asyncio.Task[Answer]] = []
        self._ahead = self._told = ahead

    @property
    def following(self) -> bool:
        """Whether a channel was opened for it before anybody followed it, and nobody has yet."""
        return self._ahead is not None

    @property
    def folder(self) -> str:
        """The folder of the lane."""
        return self._folder

    async def begun(self) -> bool:
        """Whether somebody had set the environment of the job when we came."""
        return self._begun

    async def post(self, path: str, data: bytes) -> None:
        """Send a file; `put` says whether it has arrived."""
        self._posted.append(asyncio.create_task(self._write(path, data)))
        await asyncio.sleep(0)  # it is on its way before whatever is asked next

    async def put(self, path: str, data: bytes) -> None:
        """Write a file, unless it is there, and wake the runner."""
        posted, self._posted = self._posted, []
        for answer in await asyncio.gather(*posted, self._write(path, data)):
            check(answer, "the host cannot keep what the job needs", good=WRITTEN)

    async def _write(self, path: str, data: bytes) -> Answer:
        return await self._link.ask("write", (path, f"{self.folder}/wake"), data)

    async def take(self, path: str, limit: int, *, own: bool = False) -> bytes | None:
        """Return the beginning of a regular file."""
        fields = (path, "0", str(limit), "own" if own else "link")
        answer = await self._link.ask("read", fields)
        return None if answer.code else answer.out

    async def recorded(self, index: int) -> bytes:
        """Return the records that have come when the end of the step is among them, else the file."""
        come = b"\n" + self._told.recorded() if self._told is not None else b""
        if b"\nend %d " % index in come:
            return come
        return await self.take(f"{self.folder}/records", WHOLE) or b""

    @contextlib.asynccontextmanager
    async def source(self) -> AsyncIterator[PushedSource]:
        """Return what the events are read from: a channel of its own, for as long as it is followed."""
        source, self._ahead = self._ahead, None
        if source is None:
            source = PushedSource(self._link, self._folder)
        source.track = self._track
        self._told = source
        try:
            yield source
        finally:
            await source.close()

    async def hash(self, workspace: str, arguments: Sequence[str]) -> str:
        """Return what `hashFiles(…)` says of a folder now."""
        from grind.workflows.expressions import ExpressionError, Patterns, hash_files

        try:
            patterns = Patterns(arguments, workspace)
            paths = await self._walk(workspace, patterns)
            matched: list[str] = []
            hash_files(arguments, ((p, partial(_note, matched, p)) for p in paths), workspace)
            sums = await self._sums(workspace, matched)
            return hash_files(
                arguments, ((p, partial(sums.__getitem__, p)) for p in matched), workspace
            )
        except ExpressionError as error:
            raise GrindError(f"hashFiles: {error}") from None

    async def _walk(self, workspace: str, patterns: object) -> list[str]:
        roots = tuple(getattr(patterns, "roots"))  # noqa: B009
        follow = "1" if getattr(patterns, "follow_symbolic_links") else ""  # noqa: B009
        answer = check(
            await self._link.ask("walk", (workspace, follow, *roots)), "hashFiles cannot look"
        )
        paths: list[str] = []
        below: list[str] = []
        fields = iter(_texts(answer.out))
        for field in fields:
            if field[0] == "!":
                raise GrindError(f"hashFiles cannot read {field[1:]}: {next(fields)}")
            if field[0] == "r":
                paths += sorted(below, key=_order)
                below = []
            else:
                below.append(field[1:])
        return paths + sorted(below, key=_order)

    async def _sums(self, workspace: str, paths: Sequence[str]) -> dict[str, bytes]:
        unique = list(dict.fromkeys(paths))
        portions = [unique[n : n + FILES_AT_ONCE] for n in range(0, len(unique), FILES_AT_ONCE)]
        answers = await asyncio.gather(
            *(self._link.ask("sums", [f"{workspace}/{p}" for p in part]) for part in portions)
        )
        found: list[bytes] = []
        for answer in answers:
            check(answer, "hashFiles cannot read")
            found += [bytes.fromhex(line.split(" ", 1)[0]) for line in _texts(answer.out)]
        return dict(zip(unique, found, strict=True))

    async def cancel(self) -> None:
        """Ask the runner to cancel, until it has taken note."""
        check(await self._link.ask("cancel", (self.folder,)), "the job could not be cancelled")

    async def end(self) -> None:
        """End every process of the lane."""
        answer = await asyncio.shield(self._link.ask("end", (self.folder,)))
        check(answer, "processes of the run could not be ended")

    async def close(self) -> None:
        """Follow no longer, and leave nothing under way."""
        for task in self._posted:
            task.cancel()
        await asyncio.gather(*self._posted, return_exceptions=True)
        if self._ahead is not None:
            await self._ahead.close()


def check(answer: Answer, what: str, *, good: tuple[int, ...] = (0,)) -> Answer:
    """Return an answer that is good. Raises GrindError with what the host said otherwise."""
    if answer.code in good and not answer.err:
        return answer
    raise refusal(answer, what)


def refusal(answer: Answer, what: str) -> GrindError:
    """Return the error that an answer stands for; a full disk there is a pause."""
    said = answer.err.decode("utf-8", "replace").strip()
    full = answer.code == 125 or "No space left" in said or "quota exceeded" in said
    return GrindError(
        f"{what}: {said or f'exit code {answer.code}'}",
        remedy="free some space on the host, then run the same command again" if full else "",
        code=ExitCode.PAUSED if full else None,
    )


def _texts(data: bytes) -> Iterable[str]:
    return [field.decode("utf-8", "surrogateescape") for field in data.split(b"\0")[:-1]]


def _order(path: str) -> list[str]:
    return path.split("/")


def _note(matched: list[str], path: str) -> bytes:
    matched.append(path)
    return b""

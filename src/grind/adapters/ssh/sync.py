"""Bringing a repository's objects and refs to the host: a pack of what is missing there.

A small pack goes down the kept session, in one round trip; a long one has a session of its own. What
the host has is remembered here with the token that the host gave it, and asked for when the token is
no longer right.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from grind.adapters.files import replace_file
from grind.adapters.git.process import scrubbed
from grind.adapters.ssh.channel import end
from grind.adapters.ssh.lane import refusal
from grind.adapters.ssh.link import Link
from grind.adapters.ssh.session import Answer
from grind.core.errors import ExitCode, GrindError

INLINE = 4 * 1024 * 1024
"""Bytes of a pack that go down the kept session."""
LOOSE = 100
"""So many objects are unpacked; more stay in their pack, as with git's own transfer."""
PIECE = 1 << 20
TOP = "repo"
"""Where the repository itself is in the host's state folder; its submodules are in `modules` in it."""
ATTEMPTS = 5
STALE = 3


class Known(NamedTuple):
    """What the host's repository was seen to have."""

    token: str
    refs: Mapping[str, str]
    common: frozenset[str] | None = None
    """What is there and here; None when all of `refs` were here when they were sent."""


class Source(NamedTuple):
    """A repository here, and its place in the host's state folder."""

    git_dir: str
    place: str
    workspace: str
    """A clone on the host whose objects can be seen; empty for none."""
    memory: Path
    """Where what is known of the host's repository is kept."""
    environ: Mapping[str, str]


class PackError(GrindError):
    """Git could not make a pack."""


async def send(link: Link, source: Source) -> None:
    """Make the host's copy of a repository hold what it holds here, refs and all.

    Raises:
        GrindError: git failed here or there, or the host has none.
    """
    refs, form = await _refs_here(source)
    known = _remembered(source.memory)
    for _ in range(ATTEMPTS):
        wanted = sorted(set(refs.values()) - _there(known))
        new = secrets.token_hex(16)
        try:
            answer = await _offer(link, source, form, known, refs, wanted, new)
        except PackError:
            if known is None or known.common is not None:
                raise
            known = None  # what was sent once is not here any more; the host is asked
            continue
        if answer.code == 0:
            _remember(source.memory, Known(new, refs))
            return
        if answer.code != STALE:
            raise _failed(answer)
        known = await _told(source, answer.out)
    raise GrindError(
        "the repository on the host changes all the time: somebody else is sending to it too",
        remedy="run the same command again",
    )


async def _offer(
    link: Link,
    source: Source,
    form: str,
    known: Known | None,
    refs: Mapping[str, str],
    wanted: list[str],
    new: str,
) -> Answer:
    if known is None:
        return await link.ask("pack", (source.place, "", "", form, "none", source.workspace))
    pack, rest = await _pack(source, wanted, known)
    if rest is not None:
        await _send_long(link, source, pack, rest)
        pack = b""
    count = int.from_bytes(pack[8:12], "big")
    how = "unpack" if count <= LOOSE else "index"
    updates = _updates(known.refs, refs)
    fields = (source.place, known.token, new, form, how, source.workspace, *updates)
    return await link.ask("pack", fields, pack if count else b"")


def _there(known: Known | None) -> set[str]:
    if known is None:
        return set()
    return set(known.refs.values()) if known.common is None else set(known.common)


def _updates(before: Mapping[str, str], after: Mapping[str, str]) -> Iterable[str]:
    yield from (f"delete {name}" for name in before if name not in after)
    yield from (f"update {name} {oid}" for name, oid in after.items() if before.get(name) != oid)


async def _refs_here(source: Source) -> tuple[dict[str, str], str]:
    """Return the refs of a repository and its object format; the HEAD of a submodule is among them."""
    asked = ("--show-object-format", "HEAD") if source.place != TOP else ("--show-object-format",)
    lines, facts = await asyncio.gather(
        _git(source, "for-each-ref", "--format=%(objectname) %(refname)"),
        _git(source, "rev-parse", *asked),
    )
    pairs = (line.split(" ", 1) for line in os.fsdecode(lines).splitlines())
    form, *head = facts.decode().split()
    refs = {name: oid for oid, name in pairs}
    if head:
        refs["refs/grind/head"] = head[0]
    return refs, form


async def _pack(
    source: Source, wanted: list[str], known: Known
) -> tuple[bytes, asyncio.subprocess.Process | None]:
    """Make the pack; when it is long, return its beginning and the git that says the rest."""
    if not wanted:
        return b"", None
    have = sorted(_there(known))
    told = "".join(f"{oid}\n" for oid in wanted) + "".join(f"^{oid}\n" for oid in have)
    process = await asyncio.create_subprocess_exec(
        *_argv(source, "pack-objects", "-q", "--revs", "--thin", "--stdout", "--delta-base-offset"),
        env=scrubbed(source.environ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=PIECE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(told.encode())
    process.stdin.close()
    pieces = b""
    while data := await process.stdout.read(PIECE):
        pieces += data
        if len(pieces) > INLINE:
            return pieces, process
    await _ended(process)
    return pieces, None


async def _ended(process: asyncio.subprocess.Process) -> None:
    assert process.stderr is not None
    said = (await process.stderr.read()).decode("utf-8", "replace").strip()
    if await process.wait():
        raise PackError(f"git could not pack what the host lacks: {said}")


async def _send_long(
    link: Link, source: Source, begun: bytes, process: asyncio.subprocess.Process
) -> None:
    """Stream a pack through a session of its own, as it comes out of git."""
    channel = await link.role("take")
    try:
        assert process.stdout is not None
        channel.input.write(os.fsencode(source.place) + b"\0" + begun)
        while data := await process.stdout.read(PIECE):
            channel.input.write(data)
            await channel.input.drain()
        await _ended(process)
        channel.input.write_eof()
        said = await channel.output.read()
        if not said.startswith(b"pack\t"):
            raise await channel.trouble()
    except ConnectionError:
        raise await channel.trouble() from None
    finally:
        await end(process)
        await channel.close()


async def _git(source: Source, *argv: str, data: bytes = b"") -> bytes:
    process = await asyncio.create_subprocess_exec(
        *_argv(source, *argv),
        env=scrubbed(source.environ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(data)
    if process.returncode:
        raise GrindError(f"git {argv[0]} failed: {err.decode('utf-8', 'replace').strip()}")
    return out


def _argv(source: Source, *argv: str) -> tuple[str, ...]:
    return ("git", f"--git-dir={source.git_dir}", *argv)


async def _told(source: Source, out: bytes) -> Known:
    """Read what the host says it has; what is not known here is of no use for a pack."""
    token, *lines = os.fsdecode(out).splitlines()
    pairs = [line.split(" ", 1) for line in lines]
    oids = sorted({oid for oid, _ in pairs})
    asked = "".join(f"{oid}\n" for oid in oids).encode()
    found = await _git(source, "cat-file", "--batch-check=%(objectname) %(objecttype)", data=asked)
    known = {line.split()[0] for line in found.decode().splitlines() if "missing" not in line}
    refs = {name: oid for oid, name in pairs if name != "borrowed"}
    return Known(token, refs, frozenset(known))


def _remembered(memory: Path) -> Known | None:
    try:
        told = json.loads(memory.read_bytes())
        return Known(str(told["token"]), {str(n): str(o) for n, o in told["refs"].items()})
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def _remember(memory: Path, known: Known) -> None:
    memory.parent.mkdir(mode=0o700, exist_ok=True)
    data = json.dumps({"token": known.token, "refs": dict(known.refs)}).encode()
    replace_file(os.fspath(memory), data, sync=False)


def _failed(answer: Answer) -> GrindError:
    if answer.code == 127:
        return GrindError(
            "git is not on the PATH of the host, so nothing can be checked out there",
            remedy="install git on the host, on the PATH of a non-login shell",
            code=ExitCode.UNREACHABLE,
        )
    return refusal(answer, "the repository could not be brought to the host")

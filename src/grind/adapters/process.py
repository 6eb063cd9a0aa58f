"""Small commands on this machine: run, wait, bounded in time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from grind.ports import Completed


async def run(
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    seconds: float,
    data: bytes = b"",
    cwd: str = "/",
    err: Path | None = None,
) -> Completed:
    """Run a command in a process group of its own, and return what it said.

    `data` is its standard input. After `seconds` the whole group is killed and the exit code is
    124. With `err`, both outputs go to that file, which a process that stays behind may keep open.
    """
    try:
        with _output(err) as output:
            process = await asyncio.create_subprocess_exec(
                *argv,
                env=dict(env),
                cwd=cwd,
                stdin=asyncio.subprocess.PIPE if data else asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
    except (FileNotFoundError, NotADirectoryError):
        if not os.path.isdir(cwd):
            return Completed(127, b"", f"{cwd}: no such folder".encode())
        return Completed(127, b"", f"{argv[0]}: command not found".encode())
    except PermissionError:
        return Completed(126, b"", f"{argv[0]}: permission denied".encode())
    try:
        async with asyncio.timeout(seconds):
            out, said = await process.communicate(data or None)
    except TimeoutError:
        _kill(process.pid)
        await process.communicate()
        return Completed(124, b"", f"{argv[0]}: no answer in {seconds:g} seconds".encode())
    except asyncio.CancelledError:
        _kill(process.pid)
        await process.wait()
        raise
    code = process.returncode or 0
    return Completed(code if code >= 0 else 128 - code, out or b"", said or b"")


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


@contextlib.contextmanager
def _output(err: Path | None) -> Iterator[int | BinaryIO]:
    if err is None:
        yield asyncio.subprocess.PIPE
        return
    with open(err, "ab") as file:
        yield file

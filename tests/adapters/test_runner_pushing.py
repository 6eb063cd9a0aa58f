"""The follower at the host's end, fed with files instead of a runner: every byte, once, from any offset."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from grind.adapters.runner.program import HOST, program
from tests.contracts.conftest import local_host
from tests.contracts.rig import Rig, step, until

BLOCK = 65536
"""What the shell pushes by itself at most; a process of its own takes what is more."""
NOISE = random.Random(7).randbytes(5 * BLOCK)
LOGS = {
    "nothing": b"",
    "every byte": bytes(range(256)) * 3,
    "only NULs": b"\0" * 3000,
    "one less than a block": b"a" * (BLOCK - 1),
    "a block": b"b" * BLOCK,
    "one more than a block": b"c" * (BLOCK + 1),
    "a NUL at the end of a block": b"d" * (BLOCK - 1) + b"\0" + b"e",
    "a NUL behind a block": b"f" * BLOCK + b"\0" + b"g",
    "pieces that fill a block": b"h" * 99 + b"\0" + b"i" * (BLOCK - 101) + b"\0" + b"\0" + b"j",
    "escapes of the shell": b"\x01\x7f\\n\\0%s$HOME`id`\xff\xfe\n" * 9,
    "noise": NOISE,
}


class Followed:
    """A lane of files, and what is said of it."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes], word: bytes) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.folder = folder
        self.out: IO[bytes] = process.stdout
        self._err: IO[bytes] = process.stderr
        assert self.out.readline() == b"\n"
        assert self.out.readline() == word + b" 0\n"

    def append(self, name: str, data: bytes) -> None:
        with (self.folder / name).open("ab") as file:
            file.write(data)

    def said(self) -> tuple[bytes, bytes]:
        """Return what is said next beside the log, a record or a reason; signs of life are neither."""
        while (line := self._err.readline()) == b"h\n":
            pass
        kind, size, text = line.rstrip(b"\n").split(b" ", 2)
        assert int(size) == len(text)
        return kind, text

    def record(self) -> bytes:
        """Return the next record, without its line end."""
        kind, text = self.said()
        assert kind == b"r"
        return text


def holders(file: Path) -> set[str]:
    """Name the programs that have a file open."""
    found = set()
    for process in Path("/proc").glob("[1-9]*"):
        with contextlib.suppress(OSError):
            if any(os.readlink(fd) == os.fspath(file) for fd in (process / "fd").iterdir()):
                found.add((process / "comm").read_text().strip())
    return found


@contextmanager
def followed(
    folder: Path,
    log: bytes,
    *,
    records: bytes = b"",
    at: tuple[int, int] = (0, 0),
    taken: bool = True,
) -> Iterator[Followed]:
    host = folder / "host.sh"
    host.write_bytes(program(HOST))
    lane = folder / "lane"
    lane.mkdir()
    (lane / "records").write_bytes(records)
    (lane / "log").write_bytes(log)
    os.mkfifo(lane / "still")
    argv = ["bash", "--noprofile", "--norc", os.fspath(host), "follow", os.fspath(folder)]
    argv += [os.environ["PATH"], "lane.sh", "40", os.fspath(lane), *map(str, at), "word"]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        try:
            yield Followed(lane, process, b"word")
            assert process.stdin is not None
            process.stdin.close()
            # Nobody listens any more: it ends, and what it has started does too.
            assert process.wait() == 0
            assert process.stdout is not None
            if taken:
                assert process.stdout.read() == b""
            asyncio.run(until(lambda: not holders(lane / "log")))
        finally:
            process.kill()


@pytest.mark.parametrize("name", LOGS)
def test_every_byte_of_the_log_comes_once(tmp_path: Path, name: str) -> None:
    log = LOGS[name]
    with followed(tmp_path, log) as lane:
        assert lane.out.read(len(log)) == log
        for more in (b"and \0 more\n", log, b"\0\0", log, b"last"):
            lane.append("log", more)
            assert lane.out.read(len(more)) == more


@pytest.mark.parametrize("offset", [1, 100, BLOCK - 1, BLOCK, BLOCK + 1, len(NOISE)])
def test_it_goes_on_where_another_has_ended(tmp_path: Path, offset: int) -> None:
    records = b"start 0 1.5 ;\nend 0 0 exit 1.5 2.5 - ;\n"
    at = records.index(b"end")
    with followed(tmp_path, NOISE, records=records, at=(at, offset)) as lane:
        rest = NOISE[offset:]
        assert lane.out.read(len(rest)) == rest
        assert lane.record() == b"end 0 0 exit 1.5 2.5 - ;"
        lane.append("log", b"\0x")
        assert lane.out.read(2) == b"\0x"


def test_a_record_is_said_when_it_is_whole(tmp_path: Path) -> None:
    with followed(tmp_path, b"", records=b"start 0 1.5 ;\nend 0 ") as lane:
        assert lane.record() == b"start 0 1.5 ;"
        # The log shows that it has looked.
        lane.append("log", b"seen")
        assert lane.out.read(4) == b"seen"
        lane.append("records", b"0 exit 1.5 2.5 - ;\npass 1 ;\n")
        assert [lane.record(), lane.record()] == [b"end 0 0 exit 1.5 2.5 - ;", b"pass 1 ;"]


def test_why_it_has_ended_comes_after_all_that_was_written(tmp_path: Path) -> None:
    with followed(tmp_path, b"") as lane:
        (lane.folder / "lost").write_bytes(b"no room     \n")
        lane.append("records", b"start 0 1.5 ;\n")
        (lane.folder / "claim").write_bytes(b"0 0 - ;\n")
        assert lane.record() == b"start 0 1.5 ;"
        assert lane.said() == (b"l", b"no room")


def test_what_nobody_takes_ends_with_its_listener(tmp_path: Path) -> None:
    """Whoever writes waits for room for ever: a group is ended, and not asked to go."""
    log = tmp_path / "lane" / "log"
    with followed(tmp_path, b"a" * 9_000_000, taken=False) as lane:
        assert lane.out.read(BLOCK + 1) == b"a" * (BLOCK + 1)
        asyncio.run(until(lambda: holders(log) == {"bash", "cat"}))
    assert holders(log) == set()


def test_the_runner_tells_when_a_client_may_be_waiting(tmp_path: Path) -> None:
    """While steps follow each other nobody is told; at the end of what was queued, and of the lane, at once."""
    host = local_host(tmp_path)

    async def story() -> None:
        lane = await Rig(host, tmp_path).lane()
        still = tmp_path / "state" / "runs" / "r1" / "job" / "still"
        ear = os.open(still, os.O_RDWR | os.O_NONBLOCK)
        try:
            await lane.submit([step(0, "echo one"), step(1, "echo two")])
            await until(lambda: select.select([ear], [], [], 0)[0])
            records = (still.parent / "records").read_text()
            assert "end 1 0" in records
            assert os.read(ear, 99) == b"\n"
            await lane.submit([step(2, "echo three")], final=True)
            await until(lambda: "done" in (still.parent / "records").read_text())
            heard = b""
            while len(heard) < 2:
                await until(lambda: select.select([ear], [], [], 0)[0])
                heard += os.read(ear, 99)
            assert heard == b"\n\n"
        finally:
            os.close(ear)

    asyncio.run(story())

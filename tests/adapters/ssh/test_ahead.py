"""What a session makes ahead of its next lane: used, and never left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path

from grind.adapters.runner.program import HOST, program
from tests.contracts.rig import Rig, step, until
from tests.sshd import Sshd


async def made(sshd: Sshd) -> Path:
    """Wait for the folder that is ready to become a lane's."""

    def ready() -> list[Path]:
        folders = (sshd.state / "sessions").glob("lane.*")
        return [f for f in folders if (f / "lost").exists() and (f / "lost").stat().st_size == 512]

    await until(ready)
    (folder,) = ready()
    return folder


def test_the_next_lane_takes_it_and_another_is_made(rig: Rig, sshd: Sshd) -> None:
    async def story() -> None:
        await rig.host.identity()
        for _ in range(3):
            folder = await made(sshd)
            (folder / "mark").touch()
            lane = await rig.lane()
            assert (sshd.state / "runs" / f"r{rig._runs}" / "job" / "mark").exists()
            await lane.submit([step(0, "echo done")], final=True)
            assert (await rig.follow(lane)).text(0) == "done\n"
        await made(sshd)
        await rig.host.close()
        await until(lambda: not list((sshd.state / "sessions").iterdir()))

    rig.go(story())


def test_none_is_made_while_more_is_asked_for(tmp_path: Path) -> None:
    """That may be the lane, which would have come too soon."""
    host = tmp_path / "host.sh"
    host.write_bytes(program(HOST))
    (tmp_path / "sessions").mkdir()
    argv = ["bash", "--noprofile", "--norc", os.fspath(host), "serve", os.fspath(tmp_path)]
    argv += [os.environ["PATH"], "lane.sh", "40"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        noted = Path(f"/dev/shm/grind-{os.geteuid()}-{process.pid}/spares")
        asked = b"2 read 4 0\n%b\0000\0009\0own\0\n" % os.fsencode(noted)
        process.stdin.write(b"1 env 0 0\n\n" + asked + b"3 beat")
        process.stdin.flush()
        assert process.stdout.readline() == b"1 0 0 \n"
        assert process.stdout.readline() == b"2 1 0 \n", "nothing is noted of one"
        process.stdin.write(b" 0 0\n\n")
        process.stdin.flush()
        assert process.stdout.readline() == b"3 0 0 \n"
        asyncio.run(until(noted.exists))
        process.stdin.close()
        assert process.wait() == 0
    asyncio.run(until(lambda: not list((tmp_path / "sessions").iterdir())))


def test_one_that_is_not_ready_is_not_taken(rig: Rig, sshd: Sshd) -> None:
    async def story() -> None:
        await rig.host.identity()
        folder = await made(sshd)
        (folder / "lost").write_bytes(b"")
        (folder / "wake").unlink()
        lane = await rig.lane()
        await lane.submit([step(0, "echo done")], final=True)
        assert (await rig.follow(lane)).text(0) == "done\n"

    rig.go(story())


def test_what_a_session_that_was_killed_has_left_is_collected(rig: Rig, sshd: Sshd) -> None:
    async def story() -> None:
        other = rig.another()
        await other.identity()
        folder = await made(sshd)
        os.kill(int(folder.name.rpartition("-")[2]), signal.SIGKILL)
        await rig.host.collect(3600.0, 5)
        await until(lambda: folder not in (sshd.state / "sessions").iterdir())
        left = {path.name.rpartition("-")[2] for path in (sshd.state / "sessions").iterdir()}
        assert len(left) == 1, "what is of the session that lives stays"

    rig.go(story())

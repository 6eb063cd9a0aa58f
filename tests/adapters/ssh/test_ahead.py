"""What a session makes ahead of its next lane: used, and never left behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.contracts.rig import Rig, step, until
from tests.sshd import Sshd


def ahead(sshd: Sshd) -> list[Path]:
    """Folders that are ready to become a lane's."""
    made = (sshd.state / "sessions").glob("lane.*")
    return [folder for folder in made if (folder / "lost").exists()]


def test_the_next_lane_takes_it_and_another_is_made(rig: Rig, sshd: Sshd) -> None:
    async def story() -> None:
        await rig.host.identity()
        for _ in range(3):
            await until(lambda: ahead(sshd))
            (folder,) = ahead(sshd)
            await until(lambda: (folder / "lost").stat().st_size == 512)
            (folder / "mark").touch()
            lane = await rig.lane()
            assert (sshd.state / "runs" / f"r{rig._runs}" / "job" / "mark").exists()
            await lane.submit([step(0, "echo done")], final=True)
            assert (await rig.follow(lane)).text(0) == "done\n"
        await until(lambda: ahead(sshd))
        await rig.host.close()
        await until(lambda: not list((sshd.state / "sessions").iterdir()))

    rig.go(story())


def test_one_that_is_not_ready_is_not_taken(rig: Rig, sshd: Sshd) -> None:
    async def story() -> None:
        await rig.host.identity()
        await until(lambda: ahead(sshd))
        (folder,) = ahead(sshd)
        await until(lambda: (folder / "lost").stat().st_size == 512)
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
        await until(lambda: ahead(sshd))
        (folder,) = ahead(sshd)
        os.kill(int(folder.name.rpartition("-")[2]), signal.SIGKILL)
        await rig.host.collect(3600.0, 5)
        await until(lambda: folder not in (sshd.state / "sessions").iterdir())
        left = {path.name.rpartition("-")[2] for path in (sshd.state / "sessions").iterdir()}
        assert len(left) == 1, "what is of the session that lives stays"

    rig.go(story())

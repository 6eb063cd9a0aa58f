"""The scripts of a job's steps are in memory where that can be had, and nothing of them stays there."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from grind.adapters import localhost
from grind.adapters.runner.program import program
from grind.ports import Lane
from tests.contracts.conftest import local_host
from tests.contracts.rig import Rig, step, until

SHARED = Path("/dev/shm")
pytestmark = pytest.mark.skipif(not os.access(SHARED, os.W_OK), reason="no /dev/shm here")


def kept(lane: Lane) -> list[Path]:
    """Return the scripts of a lane that are in memory."""
    claim = (Path(lane.paths.events).parent / "claim").read_text().split()
    return list(SHARED.glob(f"grind.{os.geteuid()}.{claim[0]}.*"))


async def begun(rig: Rig, *, scripts: int) -> Lane:
    """Return a lane whose first step runs, and none other will."""
    lane = await rig.lane()
    await lane.submit([step(n, "sleep 600" if n == 0 else "true") for n in range(scripts)])
    await until(lambda: len(kept(lane)) == scripts)
    return lane


def test_they_are_private_and_gone_with_the_job(rig: Rig) -> None:
    async def story() -> None:
        lane = await begun(rig, scripts=3)
        assert {path.stat().st_mode & 0o777 for path in kept(lane)} == {0o600}
        await lane.cancel()
        assert (await rig.follow(lane)).status == "cancelled"
        await until(lambda: not kept(lane))

    rig.go(story())


def test_they_are_gone_when_the_runner_was_killed(rig: Rig) -> None:
    async def story() -> None:
        lane = await begun(rig, scripts=2)
        claim = (Path(lane.paths.events).parent / "claim").read_text().split()
        os.kill(int(claim[0]), signal.SIGKILL)
        await until(lambda: not kept(lane))

    rig.go(story())


def test_they_are_gone_when_the_job_was_killed(rig: Rig) -> None:
    async def story() -> None:
        lane = await begun(rig, scripts=2)
        await lane.kill()
        assert not kept(lane)

    rig.go(story())


def test_what_dead_runners_left_is_collected(rig: Rig) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    old, living = (SHARED / f"grind.{os.geteuid()}.{pid}.0.sh" for pid in (ended.pid, os.getpid()))
    try:
        for path in (old, living):
            path.write_text("true\n")
        rig.play(step(0, "true"))
        rig.go(rig.host.collect(0, 10))
        assert (old.exists(), living.exists()) == (False, True)
    finally:
        old.unlink(missing_ok=True)
        living.unlink()


@pytest.mark.parametrize("where", ["none", "no room"])
def test_they_are_on_the_disk_where_memory_cannot_be_had(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shared"
    if where == "no room":
        # A folder of that kind, in which no name of that length can be made.
        folder.mkdir()
        folder.chmod(0o1777)
    text = program().replace(b"/dev/shm/grind.$EUID", os.fsencode(folder) + b"/" + b"x" * 256)
    text = text.replace(b"/dev/shm", os.fsencode(folder))
    monkeypatch.setattr(localhost, "program", lambda: text)
    rig = Rig(local_host(tmp_path), tmp_path)
    story = rig.play(step(0, 'echo "$0"'), step(1, 'echo "$0"'), step(2, "exit 3"))
    assert story.code(2) == 3
    for index in (0, 1):
        assert story.text(index).startswith(f"{tmp_path}/state/runs/r1/job/s/{index}"), story.out

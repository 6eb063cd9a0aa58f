"""Old runs and checkouts go, by age and by size; what runs stays."""

from __future__ import annotations

import os
from pathlib import Path

from grind.adapters.hostscripts import SIZES, script
from grind.flows.collect import Collected, Keeping, collect
from grind.ports import StepTask
from tests.contracts.rig import RealClock, Rig

DAY = 86400.0


def state(rig: Rig) -> Path:
    return Path(rig.go(rig.host.keep("x", b""))).parents[1]


def write(rig: Rig, name: str, mib: int) -> None:
    """Run a job that leaves a file of some size in its checkout, an hour after the one before."""
    argv = ("head", "-c", str(mib << 20), "/dev/zero")
    task = StepTask(index=0, argv=("bash", "-c", '"${@:2}" >"$1"', "-", "big", *argv))
    story = rig.play(task, run=name, key=name)
    assert story.status == "success"


def age(rig: Rig, name: str, seconds: float) -> None:
    for path in (state(rig) / "runs" / name, *(state(rig) / "jobs" / name).glob("owner.*")):
        then = os.stat(path).st_mtime - seconds
        os.utime(path, (then, then))
    os.utime(state(rig) / "jobs" / name, (then, then))


def jobs(rig: Rig) -> set[str]:
    return {path.name for path in (state(rig) / "jobs").iterdir()}


def collected(rig: Rig, keeping: Keeping) -> Collected:
    done = collect(rig.host, keeping, RealClock(), name=SIZES, sizes=script(SIZES))
    return rig.go(done)


def test_by_size_the_oldest_go_first(rig: Rig) -> None:
    for number, name in enumerate(("old", "older", "oldest")):
        write(rig, name, 4)
        age(rig, name, 3600.0 * number)
    told = collected(rig, Keeping(14 * DAY, 10, 9 << 10))
    assert told.before is not None
    assert told.after is not None
    assert told.before > 12 << 10
    assert told.after < 9 << 10
    assert jobs(rig) == {"old", "older"}
    told = collected(rig, Keeping(14 * DAY, 10, 100 << 10))
    assert told.before == told.after
    assert jobs(rig) == {"old", "older"}


def test_by_age(rig: Rig) -> None:
    write(rig, "new", 1)
    write(rig, "old", 1)
    age(rig, "old", 3 * DAY)
    assert collected(rig, Keeping(2 * DAY, 0)) == Collected(None, None)
    assert jobs(rig) == {"new"}


def test_what_runs_stays(rig: Rig) -> None:
    async def story() -> str:
        lane = await rig.lane(run="live", key="live")
        await lane.submit([StepTask(index=0, argv=("sleep", "1000"))], final=True)
        keeping = Keeping(0.0, 0, 1)
        await collect(rig.host, keeping, RealClock(), name=SIZES, sizes=script(SIZES))
        there = (state_of / "jobs" / "live").is_dir()
        await lane.kill()
        return "there" if there else "gone"

    state_of = state(rig)
    assert rig.go(story()) == "there"

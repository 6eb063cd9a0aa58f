"""A lane that was opened and is not begun: it waits for as long as somebody is there who can."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from grind.adapters.localhost import LocalHost
from grind.adapters.ssh.host import SshHost
from grind.ports import LaneLost
from tests.contracts.conftest import SHORT, host_at, played
from tests.contracts.rig import Rig, alive, step, until

ALONE = SHORT._replace(alone=0.3)
LOOKS = 45
"""Three times as many as a lane waits for somebody."""

CLIENT = """
import asyncio, sys
from pathlib import Path
from tests.contracts.rig import Rig
from tests.contracts.test_not_begun import host_of

async def main(folder):
    await Rig(host_of(folder), folder).lane(begin=False)
    print("open", flush=True)
    await asyncio.sleep(600)

asyncio.run(main(Path(sys.argv[1])))
"""


def host_of(folder: Path) -> LocalHost | SshHost:
    """The host of the rig in this folder, where a lane does not wait long alone."""
    return host_at(folder, ALONE)


@pytest.fixture
def rig(rig_folder: Path) -> Iterator[Rig]:
    yield from played(Rig(host_of(rig_folder), rig_folder, host_of))


def opened_by_another(rig: Rig) -> subprocess.Popen[str]:
    """A client that has opened the lane, and is busy with something else."""
    argv = [sys.executable, "-c", CLIENT, os.fspath(rig.folder)]
    client = subprocess.Popen(
        argv, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    )
    assert client.stdout is not None
    assert client.stdout.readline() == "open\n"
    return client


def kill(client: subprocess.Popen[str]) -> None:
    client.send_signal(signal.SIGKILL)
    client.communicate()


def folder_of(rig: Rig) -> Path:
    return rig.folder / "state" / "runs" / "r1" / "job"


def runner(rig: Rig) -> int:
    return int((folder_of(rig) / "claim").read_text().split()[0])


def waits(rig: Rig) -> int:
    """How often the runner has gone to sleep."""
    status = Path(f"/proc/{runner(rig)}/status").read_text()
    return int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])


async def many_looks(rig: Rig) -> None:
    before = waits(rig)
    await until(lambda: waits(rig) > before + LOOKS)


def test_it_ends_when_its_client_was_killed(rig: Rig) -> None:
    client = opened_by_another(rig)
    kill(client)

    async def story() -> None:
        await until(lambda: not alive(runner(rig)))
        told = await rig.follow(await rig.lane(begin=False))
        assert told.events == [
            LaneLost(
                "nobody began the job, and the client that opened it is gone; "
                "run the same command again"
            )
        ]

    rig.go(story())


def test_it_waits_for_a_client_that_is_busy(rig: Rig) -> None:
    async def story() -> None:
        await rig.lane(begin=False)
        await many_looks(rig)
        rig._runs = 0
        lane = await rig.lane()
        assert lane.resumed
        await lane.submit([step(0, "echo begun")], final=True)
        assert (await rig.follow(lane)).text(0) == "begun\n"

    rig.go(story())


def test_it_waits_for_the_second_client_when_the_first_was_killed(rig: Rig) -> None:
    client = opened_by_another(rig)

    async def story() -> None:
        lane = await rig.lane(begin=False)
        kill(client)
        await many_looks(rig)
        await lane.begin([("PATH", os.environ["PATH"])], {})
        await lane.submit([step(0, "echo begun")], final=True)
        assert (await rig.follow(lane)).text(0) == "begun\n"

    rig.go(story())

"""More jobs at once than sshd gives sessions to one connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from grind.adapters.ssh.host import OPEN_AHEAD, SshHost
from grind.adapters.ssh.link import Link
from grind.ports import LaneDone
from tests.contracts.conftest import ssh_host
from tests.contracts.rig import Rig, Story, step
from tests.sshd import Sshd

JOBS = 12


def test_twelve_jobs_where_a_connection_has_four_sessions(tmp_path: Path) -> None:
    """The sessions of one connection run out at the third job; what is more logs in anew."""
    few = "MaxSessions 4"
    with Sshd(tmp_path, state=tmp_path / "state", settings=few) as sshd:
        rig = Rig(ssh_host(sshd), tmp_path, lambda _: ssh_host(sshd))

        async def job(number: int) -> Story:
            lane = await rig.lane(key=f"job-{number}")
            script = f"for n in 1 2 3; do echo {number}.$n; sleep 0.2; done"
            await lane.submit([step(0, script), step(1, f"echo over {number}")], final=True)
            return await rig.follow(lane)

        async def all_at_once() -> list[Story]:
            return await asyncio.gather(*(job(number) for number in range(JOBS)))

        stories = rig.go(all_at_once())
        for number, story in enumerate(stories):
            assert story.text(0) == "".join(f"{number}.{n}\n" for n in (1, 2, 3))
            assert story.text(1) == f"over {number}\n"
            assert story.events[-1] == LaneDone("success")
        rig.close()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What sessions to follow a lane were opened for."""
    asked: list[str] = []
    real: Callable[..., Coroutine[Any, Any, Any]] = Link.following

    async def noted(self: Link, lane: str, records: int, log: int) -> Any:
        asked.append("follow")
        return await real(self, lane, records, log)

    monkeypatch.setattr(Link, "following", noted)
    return asked


def test_who_runs_no_job_opens_no_channel(sshd: Sshd, tmp_path: Path, opened: list[str]) -> None:
    host: SshHost = ssh_host(sshd)
    rig = Rig(host, tmp_path, lambda _: host)
    rig.go(host.run(("true",)))
    rig.go(host.identity())
    rig.close()
    assert opened == []


def test_lanes_that_nobody_follows_hold_few_channels(
    rig: Rig, tmp_path: Path, opened: list[str]
) -> None:
    async def open_them() -> None:
        for number in range(JOBS):
            await rig.lane(key=f"job-{number}")

    rig.go(open_them())
    assert opened == ["follow"] * OPEN_AHEAD
    for number in range(1, JOBS + 1):
        rig.go(rig.host.abandon(f"r{number}"))

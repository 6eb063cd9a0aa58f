"""How a lane is followed: by a program that is named to ssh itself, where that can be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from grind.adapters.ssh.host import SshHost
from grind.adapters.ssh.link import Link
from grind.ports import LaneDone, LaneSpec, Output
from tests.contracts.conftest import ssh_host
from tests.contracts.rig import Rig, Story, step
from tests.sshd import Sshd

DELAY = 0.15


@pytest.fixture
def roles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The programs that a session had to be fed, instead of being told their name."""
    fed: list[str] = []
    real = Link.role

    async def noted(self: Link, role: str) -> object:
        fed.append(role)
        return await real(self, role)

    monkeypatch.setattr(Link, "role", noted)
    return fed


async def said(rig: Rig) -> Story:
    lane = await rig.lane()
    await lane.submit([step(0, "printf 'one\\0two'; echo on the error output >&2")], final=True)
    return await rig.follow(lane)


def test_the_usual_way(rig: Rig, roles: list[str]) -> None:
    assert rig.go(said(rig)).out[0] == b"one\0twoon the error output\n"
    assert roles == []


@pytest.mark.parametrize("name", ["a state", "st$(touch gone)ate", "état"])
def test_a_state_folder_whose_name_no_shell_leaves_alone(
    tmp_path: Path, roles: list[str], name: str
) -> None:
    with Sshd(tmp_path, state=tmp_path / name) as sshd:
        rig = Rig(ssh_host(sshd), tmp_path, lambda _: ssh_host(sshd))
        story = rig.go(said(rig))
        assert story.out[0] == b"one\0twoon the error output\n"
        assert story.events[-1] == LaneDone("success")
        assert roles == ["follow"]
        assert not (sshd.home / "gone").exists()
        rig.close()


def test_a_program_that_is_gone_is_brought_again(rig: Rig, sshd: Sshd, roles: list[str]) -> None:
    rig.go(said(rig))
    for program in (sshd.state / "bin" / "run").iterdir():
        if b"g_main_follow" in program.read_bytes():
            program.unlink()
    assert rig.go(said(rig)).events[-1] == LaneDone("success")
    assert roles == ["follow"]


def test_attaching_takes_two_round_trips(sshd: Sshd, rig: Rig, tmp_path: Path) -> None:
    """Counted by the proxy: to open a session, and to name to it what is to be pushed."""
    spec = LaneSpec(run="one", key="job", repository="", name="repo")

    async def first_output(host: SshHost) -> None:
        lane = await host.lane(spec)
        async for event in lane.events():
            if isinstance(event, Output):
                return

    async def begin() -> None:
        lane = await rig.lane(run="one")
        await lane.submit([step(0, "echo up; sleep 600")])
        await first_output(rig.host)  # type: ignore[arg-type]

    rig.go(begin())
    sshd.network.delay = DELAY
    before = sshd.network.answered
    rig.go(first_output(rig.host))  # type: ignore[arg-type]
    assert sshd.network.answered - before == 2
    sshd.network.delay = 0.0
    rig.go(rig.host.abandon("one"))

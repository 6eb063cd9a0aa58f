"""The same over a real sshd: a host with a bare PATH, and a network that fails at every bad moment."""

from __future__ import annotations

import pytest

from tests.activation.far import FarWorld
from tests.activation.test_faults import is_back


@pytest.mark.campaign
def test_good_then_bad(far: FarWorld) -> None:
    far.begin("1")
    far.change("2")
    done = far.activate()
    assert done.code == 0, done.said
    assert "far is activated" in done.out
    good = far.lab.runs
    far.change("3", "sick")
    done = far.activate()
    assert done.code == 5, done.said
    assert is_back(far, good, 2)


@pytest.mark.parametrize(
    "phase", ["switching", pytest.param("waiting", marks=pytest.mark.campaign)]
)
def test_short_loss(far: FarWorld, phase: str) -> None:
    """Every connection is reset; the client comes back, looks, and acknowledges."""
    far.greens, far.deadline = 10, "20s"
    far.begin("1")
    (far.lab.host / "slow").write_text("1")
    far.change("2")
    process = far.world.begin("activate")
    far.lab.wait_for(phase)
    far.sshd.network.cut()
    done = far.world.end(process)
    assert done.code == 0, done.said
    assert far.lab.record()[-1] == "acknowledged"


def test_long_loss_during_the_switch(far: FarWorld) -> None:
    """Nobody can acknowledge: the host goes back by itself, and the client tells so afterwards."""
    far.more.append("acknowledge_within = 3")
    old = far.begin("1")
    far.change("2")
    process = far.world.begin("activate")
    far.lab.wait_for("switching")
    far.sshd.network.refuse()
    far.sshd.network.cut()
    far.lab.wait_for("rolled-back")
    far.sshd.network.refuse(False)
    done = far.world.end(process)
    assert done.code == 5, done.said
    assert "nobody acknowledged within 3 seconds" in done.out
    assert is_back(far, old)


@pytest.mark.campaign
def test_black_hole_while_waiting(far: FarWorld) -> None:
    """Nothing arrives and nobody is told: the deadline is the host's own."""
    far.more.append("acknowledge_within = 3")
    far.greens, far.deadline = 60, "60s"
    old = far.begin("1")
    far.change("2")
    process = far.world.begin("activate")
    far.lab.wait_for("waiting")
    far.sshd.network.swallow()
    far.lab.wait_for("rolled-back")
    assert is_back(far, old)
    process.kill()
    far.sshd.network.resume()
    far.world.end(process)
    done = far.activate()
    assert done.code == 5, done.said
    assert is_back(far, old)


@pytest.mark.campaign
def test_loss_while_building(far: FarWorld) -> None:
    far.begin("1")
    far.change("2", build_memory=200)
    process = far.world.begin("activate", "--json")
    assert process.stdout is not None
    while b"activate.building" not in process.stdout.readline():
        pass
    far.sshd.network.cut()
    done = far.world.end(process)
    assert done.code == 0, done.said
    assert far.lab.generation == 2


def test_host_that_takes_no_new_connections(far: FarWorld) -> None:
    """What was open before the switch still works, and the probes are green through it. That is not
    enough: whoever comes next could not get in."""
    far.more.append("acknowledge_within = 12")
    far.greens, far.deadline = 10, "20s"
    old = far.begin("1")
    far.change("2")
    process = far.world.begin("activate")
    far.lab.wait_for("waiting")
    far.sshd.network.refuse()
    far.lab.wait_for("rolled-back")
    far.sshd.network.refuse(False)
    done = far.world.end(process)
    assert done.code == 5, done.said
    assert "healthy in" in done.out
    assert "nobody acknowledged within 12 seconds" in done.out
    assert is_back(far, old)

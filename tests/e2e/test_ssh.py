"""Whole processes on a real sshd: prove, follow, attach, cancel, look around, sync, land."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from grind.adapters.hostlock import HostLock
from grind.adapters.ssh.door import door
from grind.adapters.ssh.host import SshHost
from tests.contracts.rig import RealClock
from tests.e2e.world import CHECKOUT, CI, Done, World, workflow
from tests.sshd import Sshd

TOML = '[hosts.grind]\nssh = "grind-test"\n'


@pytest.fixture
def there(world: World) -> Iterator[Sshd]:
    with Sshd(world.root) as host:
        world.env |= host.env
        yield host


def start(world: World, steps: str, more: str = "", *, trusted: bool = True) -> World:
    world.start({CI: workflow(CHECKOUT + steps), "content": "1\n", "grind.toml": TOML + more})
    if trusted:
        trust(world)
    return world


def trust(world: World) -> None:
    digest = world.grind("trust", "--show", "--json").document["digest"]
    assert world.grind("trust", "--digest", digest).code == 0


def text(done: Done, step: int) -> str:
    return "".join(
        event["text"]
        for event in done.events
        if event["type"] == "step.output" and event["step"] == step
    )


def test_nothing_is_reached_before_the_yes(world: World, there: Sshd) -> None:
    start(world, "- run: 'true'", trusted=False)
    for command in ("check", "build", "plan", "doctor"):
        done = world.grind(command)
        assert (done.code, "grind trust --digest" in done.err) == (3, True), done
    assert there.sessions() == []
    assert not there.state.exists()


def test_proven_there_and_landed(world: World, there: Sshd) -> None:
    start(
        world,
        "- run: cat content; type -P python3 || echo bare; echo $FIXED",
        "set = { FIXED = 'yes' }\n",
    )
    done = world.grind("check", "--json")
    assert done.code == 0, done
    assert text(done, 1).split() == ["1", "bare", "yes"]
    assert done.events[0]["host"] == "grind"
    [receipt] = world.receipts
    assert receipt["hostName"] == "grind"
    again = world.grind("check", "--json")
    assert again.events[-1]["cached"] is True
    assert "on grind" in world.grind("status").out
    world.write({"content": "2\n"})
    assert world.grind("check").code == 0
    assert world.grind("land", "-m", "Two").code == 0
    assert world.git("show", f"{world.tip}:content", cwd=world.remote) == "2"


def test_a_host_that_is_gone_is_said(world: World, there: Sshd) -> None:
    start(world, "- run: 'true'")
    there.network.stop()
    for command in ("check", "doctor"):
        done = world.grind(command)
        assert done.code == 7, done
        assert done.said.count("grind") >= 1
    assert world.grind("check", "--host", "local").code == 0


def gated(world: World) -> str:
    return f"""\
- name: Long
  run: |
    for i in 1 2 3; do echo "before $i"; done
    echo there >> {world.outside}/there
    until [ -e {world.outside}/go ]; do sleep 0.05; done
    for i in 1 2 3; do echo "after $i"; done
"""


LONG = "".join(f"before {i}\n" for i in (1, 2, 3)) + "".join(f"after {i}\n" for i in (1, 2, 3))


def test_the_client_is_killed_and_another_goes_on(world: World, there: Sshd) -> None:
    start(world, gated(world))
    process = world.begin("check", "--json")
    world.wait_for("there")
    process.kill()
    world.end(process)
    world.write({"content": "edited meanwhile\n"})
    (world.outside / "go").touch()
    done = world.grind("attach", "--json")
    assert done.code == 0, done
    assert text(done, 1) == LONG
    assert world.told("there") == ["there"], "the step ran twice"


@pytest.mark.parametrize("driven", [True, False])
def test_cancelled_to_the_last_process(world: World, there: Sshd, driven: bool) -> None:
    start(world, gated(world))
    process = world.begin("check", "--json")
    world.wait_for("there")
    if not driven:
        process.kill()
        world.end(process)
    done = world.grind("cancel", "--json")
    assert (done.code, done.document["state"]) == (0, "cancelled"), done
    if driven:
        assert world.end(process).code == 130
    world.until(lambda: not there.sessions(), f"left on the host: {there.sessions()}")


def test_doctor_on_a_bare_host(world: World, there: Sshd) -> None:
    start(world, "- run: 'true'")
    done = world.grind("doctor", "--json")
    assert done.code == 0, done
    levels = {one["name"]: one["level"] for one in done.document["findings"]}
    assert (levels["git"], levels["python"], levels["nix"]) == ("ok", "ok", "note")
    assert done.document["ssh"] == "grind-test"


def test_edited_there_proven_there_landed(world: World, there: Sshd) -> None:
    place = there.home / "workspace"
    start(world, "- run: cat content", f'workspace = "{place}"\n')
    world.git("clone", "-q", str(world.remote), str(place), cwd=world.root)
    assert "up to date" in world.grind("sync").out
    (place / "content").write_text("edited there\n")
    assert world.grind("sync").code == 3
    done = world.grind("check", "--from-host", "--json")
    assert (done.code, "edited there" in text(done, 1)) == (0, True), done
    landed = world.grind("land", "--from-host", "-m", "From there")
    assert landed.code == 0, landed
    assert world.git("rev-parse", "HEAD", cwd=place) == world.tip
    assert world.git("status", "--porcelain", cwd=place) == ""


MOMENTS = [
    f"{when}:{tag}:{number}"
    for tag, number in [
        ("run.started", 1),
        ("job.started", 1),
        ("step.started", 1),
        ("step.started", 2),
        ("step.ended", 1),
        ("step.ended", 3),
        ("job.ended", 1),
        ("run.ended", 1),
    ]
    for when in ("before", "after")
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_every_event(world: World, there: Sshd, moment: str) -> None:
    """The client dies around each event of its journal; the end is as if it had not."""
    told = world.outside / "steps"
    steps = "".join(f"- run: echo {n} >> {told}; echo said {n}\n" for n in (1, 2, 3))
    start(world, steps)
    world.killed(moment, "check")
    begun = moment != "before:run.started:1"  # before it nothing is known of a run
    done = world.grind("attach" if begun else "check", "--json")
    assert done.code == 0, done
    assert done.events[-1]["state"] == "green"
    assert [text(done, step) for step in (1, 2, 3)] == ["said 1\n", "said 2\n", "said 3\n"]
    assert world.told("steps") == ["1", "2", "3"], "a step ran twice, or not at all"
    assert len(world.receipts) == 1


def test_two_operators_at_once(world: World, there: Sshd) -> None:
    """In clones of their own: the checks of both run side by side, and both are green."""
    start(world, gated(world))
    other = world.root / "other"
    world.git("clone", "-q", str(world.remote), str(other), cwd=world.root)
    digest = world.grind("trust", "--show", "--json", cwd=other).document["digest"]
    assert world.grind("trust", "--digest", digest, cwd=other).code == 0
    first = world.begin("check", "--json")
    world.wait_for("there")
    busy = world.grind("check")
    assert (busy.code, "busy: grind check" in busy.err) == (3, True), busy
    world.repo, mine = other, world.repo
    second = world.begin("check", "--json")
    world.repo = mine
    world.until(lambda: len(world.told("there")) == 2, "the other's check does not run")
    (world.outside / "go").touch()
    assert (world.end(first).code, world.end(second).code) == (0, 0)


def test_a_tree_that_is_gone_from_the_host_is_sent_again(world: World, there: Sshd) -> None:
    start(world, "- run: cat content")
    assert world.grind("check").code == 0
    shutil.rmtree(there.state)
    assert world.grind("check", "--again").code == 0


def test_a_stale_lock_is_told_of_by_doctor(world: World, there: Sshd) -> None:
    start(world, "- run: 'true'")
    assert world.grind("doctor").code == 0
    process = subprocess.Popen(["sleep", "1000"])

    async def hold() -> None:
        way = door(there.alias, world.env, config=there.config, persist=5)
        host = SshHost(way, RealClock(), name="grind", slug="x", environ=world.env)
        lock = HostLock(host)
        await lock.take("activation", process.pid, who="bob@desk", what="grind activate")
        await host.close()

    asyncio.run(hold())
    told = [one for one in findings(world) if one["name"] == "lock"]
    assert [one["level"] for one in told] == ["note"]
    process.kill()
    process.wait()
    told = [one for one in findings(world) if one["name"] == "lock"]
    assert [one["level"] for one in told] == ["warning"]
    assert "bob@desk from 127.0.0.1" in told[0]["told"]
    token = told[0]["remedy"].rpartition("--free-lock ")[2].rstrip("`")
    assert world.grind("doctor", "--free-lock", "another").code == 2
    assert world.grind("doctor", "--free-lock", token).code == 0
    assert [one for one in findings(world) if one["name"] == "lock"] == []


def findings(world: World) -> list[dict[str, str]]:
    done: list[dict[str, str]] = world.grind("doctor", "--json").document["findings"]
    return done

"""Whole processes on a real sshd: prove, follow, attach, cancel, look around, sync, land."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

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
    assert receipt["host_name"] == "grind"
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

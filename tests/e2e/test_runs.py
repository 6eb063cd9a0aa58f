"""Runs that meet each other, are interrupted, are killed, and are taken up again."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections import Counter

import pytest

from tests.e2e.world import CHECKOUT, CI, World, workflow


def _waiting(world: World) -> str:
    """A step that tells it runs and waits for the test, with a stubborn child beside it."""
    return workflow(
        "- run: |\n"
        "    (trap '' INT TERM HUP; while :; do sleep 0.2; done) &\n"
        "    setsid sleep 1000 &\n"
        f"    echo $$ >> {world.outside}/runs\n"
        f"    while test ! -e {world.outside}/go; do sleep 0.05; done\n"
        f"    test -e {world.outside}/go\n"
    )


def test_two_at_once(world: World) -> None:
    world.start({CI: _waiting(world)})
    first = world.begin("check")
    world.wait_for("runs")
    status = world.status()
    assert f"pid {first.pid}" in status["running"]
    second = world.grind("check")
    assert second.code == 3, second
    assert f"grind check (pid {first.pid} on " in second.err
    assert "--wait" in second.err
    built = world.grind("build")
    assert built.code == 3
    assert world.grind("plan").code == 0, "questions are answered meanwhile"
    assert world.grind("log").code == 0
    third = world.begin("check", "--wait")
    fourth = world.begin("check", "--wait", "--json")
    world.until(lambda: b"waiting for" in world.said_by(third), "nobody says who is waited for")
    (world.outside / "go").touch()
    assert world.end(first).code == 0
    waited, streamed = world.end(third), world.end(fourth)
    assert waited.code == streamed.code == 0
    assert f"waiting for grind check (pid {first.pid} " in waited.err
    assert len(world.told("runs")) == 1, "the tree was proven by the time the others got the lock"
    assert all(line["schema"] for line in streamed.lines)


def _interrupt_group(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGINT)


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)


def _terminate(process: subprocess.Popen[bytes]) -> None:
    process.terminate()


def _interrupt_twice(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)


@pytest.mark.parametrize(
    ("stop", "json"),
    [
        (_interrupt_group, ()),
        (_interrupt, ("--json",)),
        (_terminate, ()),
        (_interrupt_twice, ()),
        pytest.param(_interrupt_group, ("--json",), marks=pytest.mark.campaign),
        pytest.param(_terminate, ("--json",), marks=pytest.mark.campaign),
        pytest.param(_interrupt_twice, ("--json",), marks=pytest.mark.campaign),
    ],
)
def test_interrupted(world: World, stop: object, json: tuple[str, ...]) -> None:
    world.start({CI: _waiting(world)})
    process = world.begin("check", *json)
    world.wait_for("runs")
    assert callable(stop)
    stop(process)
    done = world.end(process)
    assert done.code == 130, done
    assert "Traceback" not in done.said
    assert not world.processes(), "no process is left"
    status = world.status()
    assert status["running"] == ""
    assert status["last"] == "cancelled"
    assert status["proof"] == "none"
    assert not world.receipts
    if json:
        assert done.lines[-1]["event"]["state"] == "cancelled"
    (world.outside / "go").touch()
    again = world.grind("check")
    assert again.code == 0, again
    assert len(world.told("runs")) == 2


def test_interrupted_while_the_plan_is_made(world: World) -> None:
    """The host is being asked: nothing was begun, and nothing is left."""
    bin_ = world.root / "bin"
    bin_.mkdir()
    (bin_ / "node").write_text(f"#!/bin/sh\necho asked >> {world.outside}/asked\nexec sleep 15\n")
    (bin_ / "node").chmod(0o755)
    world.start({CI: workflow("- uses: actions/setup-node@v4\n- run: 'true'")})
    for stop in (_interrupt_group, _terminate):
        (world.outside / "asked").unlink(missing_ok=True)
        process = world.begin("check", env={"PATH": f"{bin_}:{os.environ['PATH']}"})
        world.wait_for("asked")
        stop(process)
        done = world.end(process)
        assert done.code == 130, done
        assert "Traceback" not in done.said
        world.until(lambda: not world.processes(), f"left behind: {world.processes()}")
    assert world.status()["running"] == ""


def _two_jobs(world: World) -> str:
    def tell(name: str) -> str:
        return f"      - run: echo {name} >> {world.outside}/steps; test 1\n"

    return (
        "name: CI\non: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps:\n"
        + CHECKOUT.replace("- ", "      - ")
        + tell("a1")
        + "      - id: s\n        run: echo x=1 >> $GITHUB_OUTPUT; echo a2 >> "
        + f"{world.outside}/steps; echo said by a2; test 1\n"
        + f"      - run: test ${{{{ steps.s.outputs.x }}}} = 1 && echo a3 >> {world.outside}/steps\n"
        + "  b:\n    needs: a\n    runs-on: ubuntu-latest\n    steps:\n"
        + tell("b1")
    )


ALL = ["a1", "a2", "a3", "b1"]
POINTS = [
    "after:run.started:1",
    pytest.param("before:job.started:1", marks=pytest.mark.campaign),
    "after:job.started:1",
    "after:step.started:1",
    pytest.param("before:step.ended:2", marks=pytest.mark.campaign),
    "after:step.ended:2",
    pytest.param("after:step.ended:4", marks=pytest.mark.campaign),
    pytest.param("before:job.ended:1", marks=pytest.mark.campaign),
    "after:job.ended:1",
    pytest.param("after:job.started:2", marks=pytest.mark.campaign),
    "after:step.ended:5",
]


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_taken_up(world: World, point: str) -> None:
    """kill -9 of the client; the same command takes the run up: no step runs twice."""
    world.start({CI: _two_jobs(world)})
    world.killed(point, "check")
    status = world.status()
    assert status["running"] == "", "the lock went with its holder"
    assert status["last"] == "checking"
    assert status["next"] == "grind attach", "the steps run on, and can be followed"
    done = world.grind("check", "--json")
    assert done.code == 0, done
    assert Counter(world.told("steps")) == Counter(ALL)
    assert done.events[0]["type"] == "run.started"
    assert done.events[0]["resumed"] is True
    assert done.events[-1]["state"] == "green"
    [receipt] = world.receipts
    assert receipt["state"] == "green"
    assert receipt["executed"] == 4
    assert len(list((world.kept / "releases").iterdir())) == 1, "one run, one release"
    assert b"said by a2\n" in world.logs().values()
    assert not world.processes()


@pytest.mark.parametrize("point", ["before:run.ended:1", "after:run.ended:1"])
def test_killed_at_the_end(world: World, point: str) -> None:
    """The receipt is there: the next command answers from it."""
    world.start({CI: _two_jobs(world)})
    world.killed(point, "check")
    assert world.status()["next"] == "nothing"
    done = world.grind("check")
    assert done.code == 0
    assert "was proven" in done.out
    assert Counter(world.told("steps")) == Counter(ALL)


@pytest.mark.campaign
@pytest.mark.parametrize("number", range(1, 40))
def test_killed_at_every_moment(world: World, number: int) -> None:
    """At whatever time, and again and again, until it is through."""
    import time

    world.start({CI: _two_jobs(world)})
    for turn in range(50):
        process = world.begin("check")
        time.sleep(0.013 * number + 0.02 * turn)
        process.kill()
        done = world.end(process)
        if done.code == 0:
            break
    assert world.grind("check").code == 0
    assert Counter(world.told("steps")) == Counter(ALL)


def test_killed_twice(world: World) -> None:
    world.start({CI: _two_jobs(world)})
    world.killed("after:step.ended:2", "check")
    world.killed("after:run.started:1", "check")
    world.killed("after:job.ended:1", "check")
    assert world.grind("check").code == 0
    assert Counter(world.told("steps")) == Counter(ALL)


def test_killed_and_the_tree_was_edited(world: World) -> None:
    """The old run is not this tree's: it is ended, and a new one begins."""
    world.start({CI: _waiting(world)})
    process = world.begin("check")
    world.wait_for("runs")
    process.kill()
    world.end(process)
    assert world.processes(), "the host goes on"
    world.write({"new": "x"})
    (world.outside / "runs").unlink()
    second = world.begin("check")
    world.wait_for("runs")
    (world.outside / "go").touch()
    assert world.end(second).code == 0
    assert not world.processes()
    assert len(world.receipts) == 1
    assert world.receipts[0]["tree"] == world.status()["tree"]


def test_killed_while_red(world: World) -> None:
    world.start({CI: workflow(f"- run: echo x >> {world.outside}/steps; exit 3\n")})
    world.killed("before:job.ended:1", "check")
    done = world.grind("check")
    assert done.code == 1, done
    assert "exit 3" in done.out
    assert world.told("steps") == ["x"]


def test_a_runner_that_is_killed_is_no_green(world: World) -> None:
    world.start({CI: _waiting(world)})
    process = world.begin("check")
    world.wait_for("runs")
    runners = [p for p, said in world.processes().items() if "/bin/run/lane-" in said]
    assert runners
    for pid in runners:
        os.kill(pid, signal.SIGKILL)
    done = world.end(process)
    assert done.code == 1, done
    assert not world.receipts
    (world.outside / "go").touch()
    assert world.grind("check").code == 0


# --- a full disk --------------------------------------------------------------------------------


def _limit(size: int) -> object:
    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    return limited


def test_full_disk_while_writing_a_log(world: World) -> None:
    world.start(
        {
            CI: workflow(
                f"- run: echo one >> {world.outside}/steps\n"
                f"- run: head -c 3000000 /dev/zero | tr '\\0' x; echo two >> {world.outside}/steps\n"
            )
        }
    )
    done = world.grind("check", before=_limit(1_000_000))
    # Whoever meets the limit first: grind with its own log of the step, or the runner with its.
    assert done.code in (1, 75), done
    assert ("cannot be written" in done.err) or ("could not be written" in done.out)
    assert "Traceback" not in done.said
    assert not world.receipts
    assert world.grind("log").code == 0
    assert world.status()["running"] == ""
    assert "one" in world.told("steps")
    for _ in range(2):  # the host's own log of the step had met the limit, too: then it runs again
        again = world.grind("check")
    assert again.code == 0, again


def test_full_disk_while_writing_the_journal(world: World) -> None:
    steps = "".join(f"- name: {'long name ' * 100}{n}\n  run: test {n}\n" for n in range(20))
    world.start({CI: workflow("- run: test 1\n")})
    assert world.grind("check").code == 0, "grind's own files are there"
    world.write({CI: workflow(steps)})
    done = world.grind("check", before=_limit(45_000))
    assert done.code == 75, done
    assert "cannot be written" in done.err
    assert "Traceback" not in done.err
    assert len(world.receipts) == 1, "that of the first tree"
    events = [event["type"] for event in world.journal()]
    assert events[0] == "run.started"
    again = world.grind("check")
    assert again.code == 0, again
    assert not world.processes()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a tmpfs")
def test_full_disk_really(world: World) -> None:
    """A repository on a file system that runs full in the middle of a step."""
    world.repo.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(world.repo)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip(f"no tmpfs here: {mounted.stderr.decode()}")
    try:
        world.repo = world.repo / "r"
        world.start(
            {
                CI: workflow(
                    f"- run: echo one >> {world.outside}/steps\n"
                    "- run: head -c 8000000 /dev/zero | tr '\\0' x\n- run: test 1\n"
                )
            },
            remote=False,
        )
        done = world.grind("check")
        assert done.code == 75, done
        assert "the disk is full" in done.err
        assert "Traceback" not in done.err
        assert not world.receipts
        assert world.journal()[0]["type"] == "run.started"
        assert world.grind("log").code == 0
        asked = world.grind("status")
        assert asked.code in (0, 75), "git needs some room to take the snapshot"
        subprocess.run(["mount", "-o", "remount,size=40m", world.root / "repo"], check=True)
        assert world.status()["running"] == ""
        again = world.grind("check")
        assert again.code == 0, again
        assert world.told("steps") == ["one"], "taken up, not begun anew"
    finally:
        subprocess.run(["umount", "-l", str(world.root / "repo")], check=True)

"""A lane as a whole: ending it, leaving it, coming back to it, losing it."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from grind.adapters.runner import wire
from grind.ports import Cancelled, Condition, Ended, LaneDone, LaneLost, Output, Started, StepTask
from tests.contracts.rig import PATH, Rig, Story, alive, always, step, until

STUBBORN = "trap '' INT TERM; echo $$ > $PIDS/stubborn; while :; do sleep 0.1; done"


def pid_file(rig: Rig, name: str) -> Path:
    return rig.folder / "pids" / name


def pids(rig: Rig) -> dict[str, str]:
    (rig.folder / "pids").mkdir(exist_ok=True)
    return {"PIDS": str(rig.folder / "pids")}


def runner_pid(rig: Rig, run: str) -> int:
    return int((rig.folder / "state" / "runs" / run / "job" / "claim").read_text().split()[0])


async def started(path: Path) -> int:
    await until(lambda: path.exists() and path.read_text().strip())
    return int(path.read_text())


@pytest.mark.parametrize("spec", [{}, {"timeout": 3600.0}])
def test_a_timeout_ends_the_whole_group(rig: Rig, spec: dict[str, float]) -> None:
    script = "sleep 600 & echo $! > $PIDS/child; echo $$ > $PIDS/self; wait"
    story = rig.play(
        step(0, script, timeout=0.3),
        step(1, "echo never"),
        always(2, "echo on"),
        env=pids(rig),
        **spec,
    )
    assert story.ended[0].reason == "timeout"
    assert story.code(0) != 0
    assert (story.passed, story.text(2), story.status) == ({1}, "on\n", "failure")
    assert not alive(int(pid_file(rig, "child").read_text()))
    assert not alive(int(pid_file(rig, "self").read_text()))


def test_a_timeout_ends_what_ignores_signals_or_is_stopped(rig: Rig) -> None:
    story = rig.play(
        step(0, STUBBORN, timeout=0.2),
        always(1, "kill -STOP $$", timeout=0.2),
        always(2, "trap 'exit 0' INT; while :; do sleep 0.05; done", timeout=0.2),
        env=pids(rig),
    )
    assert [story.ended[n].reason for n in range(3)] == ["timeout"] * 3
    assert all(story.code(n) != 0 for n in range(3))
    assert not alive(int(pid_file(rig, "stubborn").read_text()))


def test_a_timeout_that_may_fail(rig: Rig) -> None:
    story = rig.play(step(0, "sleep 600", timeout=0.1, continue_on_error=True), step(1, "true"))
    assert story.status == "success"
    assert story.ended[0].reason == "timeout"


def test_no_timeout_of_one_step_reaches_another(rig: Rig) -> None:
    story = rig.play(*[step(n, "true", timeout=0.5) for n in range(4)], step(5, "sleep 1"))
    assert story.status == "success"


# The time begins before the steps are queued: it is long enough for that on a busy machine.
def test_the_time_of_a_lane(rig: Rig) -> None:
    story = rig.play(
        step(0, "sleep 600"), step(1, "true"), always(2, "echo late"), timeout=2.0, env=pids(rig)
    )
    assert story.ended[0].reason == "timeout"
    assert story.passed == {1}
    assert story.text(2) == "late\n"
    assert story.status == "cancelled"


def test_the_time_that_is_left_after_the_time_of_a_lane_ends_too(rig: Rig) -> None:
    story = rig.play(
        step(0, "sleep 600"), always(1, "sleep 600"), always(2, "true"), timeout=2.0, env=pids(rig)
    )
    assert story.ended[1].reason == "timeout"
    assert story.passed == {2}


def test_the_time_of_a_lane_ends_it_even_when_no_step_is_queued(rig: Rig) -> None:
    async def tell() -> Story:
        return await rig.follow(await rig.lane(timeout=0.3))

    assert rig.go(tell()).status == "cancelled"


def test_the_time_of_a_lane_counts_from_its_beginning(rig: Rig) -> None:
    """What it checks out may have been on its way for longer than the job may take."""

    async def tell() -> Story:
        lane = await rig.lane(begin=False, timeout=3.0)
        await asyncio.sleep(4)
        await lane.begin([("PATH", PATH)], {})
        await lane.submit([step(0, "true")], final=True)
        return await rig.follow(lane)

    assert rig.go(tell()).status == "success"


def test_a_batch_that_ends_in_the_middle(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read ahead, while the step before ran, is looked at as all else."""
    whole = wire.batch_fields
    monkeypatch.setattr(
        wire, "batch_fields", lambda tasks, *, final: whole(tasks, final=final)[:-4]
    )
    story = rig.play(step(0, "echo one"), step(1, "true"))
    assert story.events[-1] == LaneLost("a batch of the queue is damaged")
    assert set(story.ended) == {0}


def test_a_signal_in_the_moment_in_which_a_step_ends(rig: Rig) -> None:
    """Bash may forget the end of a process then, and would wait for it for ever."""
    story = rig.play(*(always(n, "kill -USR1 $PPID") for n in range(30)), step(30, "echo after"))
    for n in range(30):
        told = (story.code(n), story.text(n))
        assert told == (0, "") or (told[0] == 1 and "hidden with which exit code" in told[1])
    good = all(story.code(n) == 0 for n in range(30))
    assert story.status == ("success" if good else "failure")
    assert (30 in story.passed) is not good


def test_a_cancel_in_the_moment_in_which_a_step_ends(rig: Rig) -> None:
    async def cancelled(run: int) -> Story:
        lane = await rig.lane(run=f"moment-{run}")
        mark = Path(lane.paths.temp) / "mark"
        await lane.submit([step(0, f": >'{mark}'; sleep 0.0{run}")], final=True)
        await until(mark.exists)
        await lane.cancel()
        return await rig.follow(lane)

    async def story() -> None:
        for run in range(8):
            assert (await cancelled(run)).status in ("success", "cancelled")

    rig.go(story())


def test_cancel(rig: Rig) -> None:
    async def tell() -> Story:
        lane = await rig.lane(env=pids(rig))
        await lane.submit(
            [
                step(0, "sleep 600 & echo $! > $PIDS/child; wait"),
                step(1, "true"),
                step(2, "true", condition=Condition.FAILURE),
                step(3, "true", condition=Condition.NOT_CANCELLED),
                step(4, "echo cleaned", condition=Condition.CANCELLED),
                always(5, "exit 3"),
            ],
            final=True,
        )
        await started(pid_file(rig, "child"))
        await lane.cancel()
        await lane.cancel()
        return await rig.follow(lane)

    story = rig.go(tell())
    assert story.ended[0].reason == "cancelled"
    assert story.passed == {1, 2, 3}
    assert (story.text(4), story.code(5), story.status) == ("cleaned\n", 3, "cancelled")
    assert not alive(int(pid_file(rig, "child").read_text()))


def test_cancel_lets_a_running_step_go_on_whose_condition_still_holds(rig: Rig) -> None:
    async def tell() -> Story:
        lane = await rig.lane(env=pids(rig))
        script = "echo $$ > $PIDS/self; until [ -e $PIDS/go ]; do sleep 0.02; done; echo done"
        await lane.submit([always(0, script), step(1, "true")], final=True)
        await started(pid_file(rig, "self"))
        await lane.cancel()
        pid_file(rig, "go").touch()
        return await rig.follow(lane)

    story = rig.go(tell())
    assert (story.text(0), story.ended[0].reason, story.passed) == ("done\n", "exit", {1})
    assert story.status == "cancelled"


def test_cancel_an_idle_lane_and_one_that_has_not_begun(rig: Rig) -> None:
    async def tell(begin: bool) -> Story:
        lane = await rig.lane(begin=begin)
        await lane.cancel()
        if begin:
            await lane.submit([step(0, "true"), always(1, "echo on")], final=True)
        return await rig.follow(lane)

    story = rig.go(tell(True))
    assert (story.passed, story.text(1), story.status) == ({0}, "on\n", "cancelled")
    assert rig.go(tell(False)).events == [Cancelled("cancelled"), LaneDone("cancelled")]


def test_cancel_a_lane_that_is_over(rig: Rig) -> None:
    async def tell() -> Story:
        lane = await rig.lane()
        await lane.submit([step(0, "true")], final=True)
        await rig.follow(lane)
        await lane.cancel()
        await lane.kill()
        return await rig.follow(lane)

    assert rig.go(tell()).status == "success"


LEFT = """
    sleep 600 & echo $! > $PIDS/child
    setsid sleep 601 & echo $! > $PIDS/session
    (setsid sh -c 'echo $$ > $PIDS/orphan; exec sleep 602' &)
    RUNNER_TRACKING_ID= sleep 603 & echo $! > $PIDS/untracked
    (trap '' HUP INT TERM; exec sleep 604) & echo $! > $PIDS/deaf
    until [ -s $PIDS/orphan ]; do sleep 0.01; done
"""
NAMES = ["child", "session", "orphan", "untracked", "deaf"]


def test_what_a_step_leaves_lives_until_the_end_of_the_lane(rig: Rig) -> None:
    check = "for n in $NAMES; do kill -0 $(cat $PIDS/$n) || exit 1; done"
    env = pids(rig) | {"NAMES": " ".join(NAMES)}
    story = rig.play(step(0, LEFT), step(1, check), step(2, check), env=env)
    assert story.status == "success", story.out
    assert [name for name in NAMES if alive(int(pid_file(rig, name).read_text()))] == []


def test_a_step_that_forks_and_exits_does_not_hold_the_lane(rig: Rig) -> None:
    story = rig.play(
        step(0, "(while :; do echo noise; sleep 0.01; done) & exit 0"),
        step(1, "echo quiet"),
        step(2, "yes > /dev/null & yes & disown -a; exit 5"),
    )
    assert story.code(0) == 0
    assert "quiet" in story.text(1)
    assert (story.code(2), story.status) == (5, "failure")


def test_kill_ends_everything(rig: Rig) -> None:
    async def tell() -> Story:
        lane = await rig.lane(env=pids(rig))
        await lane.submit(
            [step(0, LEFT), step(1, STUBBORN), always(2, "touch $PIDS/ran")], final=True
        )
        await started(pid_file(rig, "stubborn"))
        await lane.kill()
        left = [n for n in [*NAMES, "stubborn"] if alive(int(pid_file(rig, n).read_text()))]
        assert left == []
        assert not alive(runner_pid(rig, "r1"))
        await lane.kill()
        return await rig.follow(lane)

    story = rig.go(tell())
    assert story.events[-1] == LaneLost("killed")
    assert story.code(0) == 0
    assert not pid_file(rig, "ran").exists()


def test_abandon_ends_all_lanes_of_a_run(rig: Rig) -> None:
    async def tell() -> list[Story]:
        lanes = [await rig.lane(run="one", key=key, env=pids(rig)) for key in ("a", "b", "c")]
        other = await rig.lane(run="other", key="a")
        for lane in lanes[:2]:
            await lane.submit([step(0, f"echo $$ > $PIDS/{lanes.index(lane)}; sleep 600")])
        for number in "01":
            await started(pid_file(rig, number))
        await rig.host.abandon("one")
        await rig.host.abandon("one")
        await rig.host.abandon("no-such-run")
        await other.submit([step(0, "echo alive")], final=True)
        return [await rig.follow(lane) for lane in (*lanes, other)]

    *gone, other = rig.go(tell())
    assert [story.events[-1] for story in gone] == [LaneLost("killed")] * 3
    assert other.text(0) == "alive\n"
    assert not any(alive(int(pid_file(rig, n).read_text())) for n in "01")


def test_lanes_of_one_job_at_the_same_time_have_folders_of_their_own(rig: Rig) -> None:
    async def tell() -> list[Story]:
        lanes = [await rig.lane(run=run) for run in ("a", "b", "c")]
        assert len({lane.paths.workspace for lane in lanes}) == 3
        for lane in lanes:
            await lane.submit([step(0, "ls; touch mine; pwd")], final=True)
        stories = [await rig.follow(lane) for lane in lanes]
        again = await rig.lane(run="d")
        assert again.paths.workspace == lanes[0].paths.workspace
        return stories

    assert all("mine" not in story.text(0) for story in rig.go(tell()))


def test_a_lane_is_told_again_from_the_first_event(rig: Rig) -> None:
    async def tell() -> None:
        lane = await rig.lane(env=pids(rig))
        assert not lane.resumed
        tasks = [
            step(0, "head -c 300000 /dev/urandom | od"),
            step(1, "false", continue_on_error=True),
            step(2, "echo $$ > $PIDS/at; until [ -e $PIDS/go ]; do sleep 0.01; done; echo two"),
        ]
        await lane.submit(tasks)
        await started(pid_file(rig, "at"))
        second = rig.another()
        other = await rig.__class__(second, rig.folder).lane(env=[("IGNORED", "1")])
        assert other.resumed
        assert other.paths == lane.paths
        stories = [Story(), Story(), Story()]
        followers = [
            asyncio.create_task(rig.follow(which, story))
            for which, story in zip((lane, other, other), stories, strict=True)
        ]
        # Both queue the same steps, in different portions.
        await other.submit(tasks)
        await other.submit([tasks[2], step(3, "echo three; env")])
        await lane.submit([step(3, "echo three; env"), step(4, "echo four")])
        pid_file(rig, "go").touch()
        await lane.submit([], final=True)
        await other.submit([], final=True)
        await asyncio.gather(*followers)
        third = await rig.follow(await second.lane(lane_spec("r1")))
        for story in (*stories[1:], third):
            assert [e for e in story.events if not isinstance(e, Output)] == [
                e for e in stories[0].events if not isinstance(e, Output)
            ]
            assert story.out == stories[0].out
        assert stories[0].started == [0, 1, 2, 3, 4]
        assert "IGNORED" not in stories[0].text(3)
        assert len(stories[0].out[0]) > 300_000

    rig.go(tell())


def lane_spec(run: str):  # type: ignore[no-untyped-def]
    from grind.ports import LaneSpec

    return LaneSpec(run=run, key="job", repository="", name="repo")


def test_clients_that_open_a_lane_at_once_get_the_same(rig: Rig) -> None:
    async def tell() -> None:
        hosts = [rig.another() for _ in range(6)]
        lanes = await asyncio.gather(*(host.lane(lane_spec("x")) for host in hosts))
        assert sum(not lane.resumed for lane in lanes) == 1
        for number, lane in enumerate(lanes):
            await lane.begin([("PATH", PATH), ("WHO", str(number))], {"f": b"%d" % number})
        tasks = [step(n, "echo $WHO") for n in range(5)]
        await asyncio.gather(*(lane.submit(tasks, final=True) for lane in lanes))
        stories = await asyncio.gather(*(rig.follow(lane) for lane in lanes))
        assert len({str(story.events) for story in stories}) == 1
        assert stories[0].started == [0, 1, 2, 3, 4]
        # Of clients that begin at the same moment, one is heard.
        assert len(set(stories[0].out.values())) == 1

    rig.go(tell())


CLIENT = """
import asyncio, sys
from pathlib import Path
from grind.ports import Output
from tests.contracts.conftest import host_at
from tests.contracts.rig import Rig, step

async def main():
    rig = Rig(host_at(Path(sys.argv[1])), Path(sys.argv[1]))
    lane = await rig.lane(run="x")
    tasks = [step(n, f"seq {n}000; sleep 0.1; seq {n}000") for n in range(1, 8)]
    await lane.submit(tasks, final=True)
    print("queued", flush=True)
    async for event in lane.events():
        print(type(event).__name__, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("lines", [1, 2, 4, 9])
def test_a_lane_outlives_a_client_that_is_killed(rig: Rig, lines: int) -> None:
    argv = [sys.executable, "-c", CLIENT, str(rig.folder)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, cwd=root, start_new_session=True) as client:
        assert client.stdout is not None
        for _ in range(lines):
            assert client.stdout.readline()
        os.killpg(client.pid, signal.SIGKILL)

    async def tell() -> Story:
        lane = await rig.another().lane(lane_spec("x"))
        assert lane.resumed
        return await rig.follow(lane)

    story = rig.go(tell())
    assert story.status == "success"
    for number in range(1, 8):
        counted = "".join(f"{n}\n" for n in range(1, number * 1000 + 1))
        assert story.text(number) == counted * 2


@pytest.mark.parametrize("group", [False, True])
def test_a_runner_that_is_killed(rig: Rig, group: bool) -> None:
    async def tell() -> Story:
        lane = await rig.lane(env=pids(rig))
        await lane.submit([step(0, LEFT), step(1, f"echo said; {STUBBORN}"), always(2, "true")])
        await started(pid_file(rig, "stubborn"))
        runner = runner_pid(rig, "r1")
        if group:
            os.killpg(runner, signal.SIGKILL)
        else:
            os.kill(runner, signal.SIGKILL)
        return await rig.follow(lane)

    story = rig.go(tell())
    assert isinstance(story.events[-1], LaneLost)
    assert "killed" in story.events[-1].reason
    assert (story.code(0), story.text(1)) == (0, "said\n")
    assert story.started == [0, 1]
    # The guardian beside the runner ends what the steps left.
    names = [*NAMES, "stubborn"]
    rig.go(until(lambda: not any(alive(int(pid_file(rig, n).read_text())) for n in names)))
    # The next run of the job has its folder back.
    assert rig.play(step(0, "ls")).text(0) == ""


def test_a_host_that_was_rebooted(rig: Rig) -> None:
    async def tell() -> Story:
        lane = await rig.lane()
        await lane.submit([step(0, "true")])
        await until(lambda: b"end 0" in (claim.parent / "records").read_bytes())
        await lane.kill()
        pid, start, _, end = claim.read_text().split()
        claim.write_text(f"{pid} {start} another-boot {end}\n")
        return await rig.follow(await rig.host.lane(lane_spec("r1")))

    claim = rig.folder / "state" / "runs" / "r1" / "job" / "claim"
    story = rig.go(tell())
    assert story.code(0) == 0
    assert story.events[-1] == LaneLost("the host was rebooted")


def test_what_a_step_wrote_is_read_while_the_lane_is_told_again(rig: Rig) -> None:
    async def tell() -> None:
        lane = await rig.lane()
        steps = [step(n, f"echo n={n} >> $GITHUB_OUTPUT") for n in range(3)]
        await lane.submit(steps, final=True)
        await rig.follow(lane)
        async for _ in lane.events():
            assert await lane.read(2, "output") == b"n=2\n"
            break
        assert await lane.read(1, "output") == b"n=1\n"

    rig.go(tell())


def test_a_torn_last_record_is_no_record(rig: Rig) -> None:
    async def tell() -> Story:
        lane = await rig.lane()
        await lane.submit([step(0, "true")])
        records = rig.folder / "state" / "runs" / "r1" / "job" / "records"
        await until(lambda: b"end 0" in records.read_bytes())
        await lane.kill()
        with records.open("ab") as file:
            file.write(b"start 1 1700000000.1 ;\nend 1 0 exit 17000")
        return await rig.follow(lane)

    story = rig.go(tell())
    assert story.started == [0, 1]
    assert set(story.ended) == {0}
    assert isinstance(story.events[-1], LaneLost)


def test_output_comes_while_the_step_runs(rig: Rig) -> None:
    async def tell() -> list[str]:
        lane = await rig.lane(env=pids(rig))
        script = "printf partial; until [ -e $PIDS/go ]; do sleep 0.01; done; printf ' rest'"
        await lane.submit([step(0, script)], final=True)
        seen = []
        async for event in lane.events():
            seen.append(type(event).__name__)
            if isinstance(event, Output) and event.data == b"partial":
                pid_file(rig, "go").touch()
        return seen

    assert rig.go(tell()) == ["Started", "Output", "Output", "Ended", "LaneDone"]


def test_steps_whose_text_is_known_later(rig: Rig) -> None:
    async def tell() -> Story:
        lane = await rig.lane()
        story = Story()
        await lane.submit([step(0, "echo word=hello >> $GITHUB_OUTPUT")])
        async for event in lane.events():
            story.add(event)
            if isinstance(event, Ended) and event.index == 0:
                word = (await lane.read(0, "output")).decode().strip().split("=")[1]
                await lane.submit([StepTask(index=5, argv=("echo", word))], final=True)
        return story

    assert rig.go(tell()).text(5) == "hello\n"


def test_started_is_told_before_a_step_has_output(rig: Rig) -> None:
    story = rig.play(step(0, "echo a"), step(1, "echo b"))
    kinds = [(type(e).__name__, getattr(e, "index", None)) for e in story.events]
    assert kinds.index(("Started", 1)) > kinds.index(("Ended", 0))
    assert isinstance(story.events[0], Started)

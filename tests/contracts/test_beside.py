"""Steps in the background: their logs, their ends, what they hand on, and when."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from grind.adapters.runner.program import program
from grind.core.errors import GrindError
from grind.ports import Cancelled, Checkout, Control, Ended, Output, Started, StepTask
from tests.contracts.rig import Rig, alive, always, step, until


def beside(index: int, script: str, **more: Any) -> StepTask:
    return step(index, script, background=True, **more)


def control(index: int, kind: str, *steps: int, **more: Any) -> StepTask:
    from grind.ports import Condition

    return StepTask(
        index=index,
        condition=Condition.ALWAYS,
        control=Control(kind=kind, steps=steps),
        **more,
    )


UNTIL = "until [ -e {0} ]; do sleep 0.02; done\n"


def test_the_steps_behind_it_do_not_wait(rig: Rig) -> None:
    """Each waits for what the other does: one after the other they would hang."""
    story = rig.play(
        beside(0, UNTIL.format("go") + "echo done; touch went"),
        step(1, "touch go;" + UNTIL.format("went") + "echo seen"),
        control(2, "wait", 0),
        step(3, "echo last"),
    )
    assert story.status == "success"
    assert story.started == [0, 1, 2, 3]
    assert [story.text(index) for index in range(4)] == ["done\n", "seen\n", "", "last\n"]
    order = [event.index for event in story.events if isinstance(event, Ended)]
    assert order.index(0) < order.index(2)


def test_its_output_is_told_while_it_runs_and_is_its_own(rig: Rig) -> None:
    story = rig.play(
        beside(
            0, "for i in 1 2 3; do echo a$i;" + UNTIL.format("go$i").replace("\n", ";") + "done"
        ),
        *[step(index, f"echo b{index}; touch go{index}; sleep 0.1") for index in (1, 2, 3)],
    )
    assert story.status == "success"
    assert story.text(0) == "a1\na2\na3\n"
    assert [story.text(index) for index in (1, 2, 3)] == ["b1\n", "b2\n", "b3\n"]
    told = [event.index for event in story.events if isinstance(event, Output)]
    assert told.index(0) < told.index(3)


def test_a_lot_of_output_side_by_side(rig: Rig) -> None:
    size = 3_000_000
    loud = f"head -c {size} /dev/zero | tr '\\0' {{}}"
    story = rig.play(
        beside(0, loud.format("a")), beside(1, loud.format("b")), step(2, loud.format("c"))
    )
    assert [story.out[i] for i in range(3)] == [letter * size for letter in (b"a", b"b", b"c")]


def test_what_it_writes_counts_from_the_wait_on(rig: Rig) -> None:
    asks = 'echo "${A-none} $PATH"'
    story = rig.play(
        beside(
            0,
            "echo A=set >>$GITHUB_ENV; echo /first >>$GITHUB_PATH; echo o=1 >>$GITHUB_OUTPUT; touch went",
        ),
        step(1, UNTIL.format("went") + asks),
        step(2, asks + "; echo B=2 >>$GITHUB_ENV"),
        control(3, "wait", 0),
        step(4, asks + "; echo $B"),
    )
    assert story.text(1).startswith("none ")
    assert story.text(2).startswith("none ")
    assert story.text(4).startswith("set /first:")
    assert story.text(4).endswith("2\n")


def test_command_files_can_be_read_when_it_has_ended(rig: Rig) -> None:
    async def play() -> tuple[bytes, bytes]:
        lane = await rig.lane()
        tasks = [beside(0, "echo o=1 >>$GITHUB_OUTPUT"), control(1, "wait", 0), step(2, "true")]
        await lane.submit(tasks, final=True)
        await rig.follow(lane)
        return await lane.read(0, "output"), await lane.read(2, "output")

    assert rig.go(play()) == (b"o=1\n", b"")


@pytest.mark.parametrize(
    ("own", "waits", "after", "status"),
    [
        (False, False, False, "failure"),
        (True, False, True, "success"),
        (False, True, True, "failure"),
    ],
)
def test_a_failure_counts_at_the_wait(
    rig: Rig, own: bool, waits: bool, after: bool, status: str
) -> None:
    """Forgiven by its own continue-on-error; that of the wait forgives until the end of the job."""
    story = rig.play(
        beside(0, "exit 3", continue_on_error=own),
        step(1, "sleep 0.3"),
        step(2, "true"),
        control(3, "wait", 0, continue_on_error=waits),
        step(4, "true"),
    )
    assert story.code(0) == 3
    assert story.code(2) == 0, "it has failed, and nobody has waited for it"
    assert story.code(3) == (0 if own else 1)
    assert (4 in story.ended) is after
    assert story.status == status


def test_the_end_of_the_job_waits(rig: Rig) -> None:
    story = rig.play(beside(0, "sleep 0.5; echo said; exit 4"), step(1, "true"))
    assert story.text(0) == "said\n"
    assert story.code(0) == 4
    assert story.status == "failure"


SLOW_LOG = r"""
pipe=$(readlink /proc/$$/fd/1)
for p in /proc/[1-9]*; do
  if [[ $(readlink "$p/fd/0" 2>/dev/null) == "$pipe" ]]; then appends=${p#/proc/}; fi
done
kill -STOP "$appends"
echo said
env -i setsid "$(type -P bash)" -c "sleep 1; kill -CONT $appends" </dev/null >/dev/null 2>&1 &
exit 4
"""


def test_its_log_is_complete_before_the_job_is_over(rig: Rig) -> None:
    """However long it takes to be appended: who follows believes that no more comes then."""
    story = rig.play(beside(0, SLOW_LOG), step(1, "true"))
    assert story.text(0) == "said\n"
    assert story.code(0) == 4
    assert story.status == "failure"


def test_cancel_ends_it_and_all_that_it_started(rig: Rig) -> None:
    async def play() -> None:
        lane = await rig.lane()
        where = lane.paths.workspace
        tasks = [
            beside(
                0, "trap 'echo bye; exit 0' INT TERM; sleep 1000 & echo $! >pid; touch up; wait"
            ),
            step(1, UNTIL.format("up")),
            control(2, "cancel", 0),
            step(3, "cat pid"),
        ]
        await lane.submit(tasks, final=True)
        story = await rig.follow(lane)
        assert story.status == "success", "it was to be ended"
        assert story.ended[0].reason == "cancelled"
        assert story.code(0) != 0
        assert story.text(0).startswith("bye")
        assert (story.code(2), story.ended[2].reason) == (0, "exit")
        pid = int(story.text(3))
        await until(lambda: not alive(pid))
        assert os.path.isdir(where)

    rig.go(play())


def test_cancel_comes_too_late(rig: Rig) -> None:
    """What has failed by itself before is a failure at the end of the job."""
    story = rig.play(
        beside(0, "touch went; exit 5"),
        step(1, UNTIL.format("went") + "sleep 0.3"),
        control(2, "cancel", 0),
        step(3, "true"),
    )
    assert story.code(0) == 5
    assert story.code(3) == 0
    assert story.status == "failure"


def test_its_time_is_over(rig: Rig) -> None:
    story = rig.play(beside(0, "echo on; sleep 1000", timeout=0.3), control(1, "wait", 0))
    assert story.ended[0].reason == "timeout"
    assert story.code(0) != 0
    assert story.text(0) == "on\n"
    assert story.code(1) == 1
    assert story.status == "failure"


def test_a_malformed_command_file_fails_it(rig: Rig) -> None:
    story = rig.play(beside(0, "echo nonsense >>$GITHUB_ENV"), control(1, "wait", 0))
    assert story.ended[0].reason == "file-command"
    assert "Invalid format 'nonsense'" in story.ended[0].detail
    assert story.status == "failure"


def test_cancelling_the_job_ends_it_whatever_its_condition(rig: Rig) -> None:
    async def play() -> None:
        lane = await rig.lane()
        tasks = [
            always(0, "echo $$ >pid; sleep 1000", background=True),
            step(1, "sleep 1000"),
            control(2, "wait", 0),
            always(3, "cat pid"),
        ]
        await lane.submit(tasks, final=True)
        events = lane.events()
        begun = set()
        async for event in events:
            if isinstance(event, Started):
                begun.add(event.index)
            if begun == {0, 1}:
                break
        await asyncio.sleep(0.2)
        await lane.cancel()
        story = await rig.follow(lane)
        assert any(isinstance(event, Cancelled) for event in story.events)
        assert story.ended[0].reason == "cancelled"
        assert story.ended[1].reason == "cancelled"
        assert story.status == "cancelled"
        assert not alive(int(story.text(3)))

    rig.go(play())


def test_the_time_of_the_job_is_over(rig: Rig) -> None:
    story = rig.play(beside(0, "sleep 1000"), step(1, "true"), timeout=1.0)
    assert story.ended[0].reason == "cancelled"
    assert story.status == "cancelled"


def test_a_keeper_that_is_killed(rig: Rig) -> None:
    script = "kill -KILL $PPID; sleep 1000"
    story = rig.play(beside(0, script), control(1, "wait", 0))
    assert story.code(0) == 128 + signal.SIGKILL
    assert story.status == "failure"


FORGOTTEN = """
g_lane=$1
declare -A g_joined=()
g_attend() { g_signalled=; }
g_is_forgotten() { return 0; }
for g_n in 1 2 3 4; do
  g_signalled=1
  g_beside[g_n]=1
  g_join "$g_n"
  printf '%s %s\n' "$g_n" "$g_rc" >&2
done
"""


def test_what_a_forgotten_keeper_has_recorded_counts(tmp_path: Path) -> None:
    """A signal came in the moment in which it ended; its exit code is that of its record."""
    (tmp_path / "records").write_text(
        "end 1 0 exit 1.0 2.0 - ;\nend 2 4 exit 1.0 2.0 - ;\nend 3 143 cancelled 1.0 2.0 - ;\n"
        "end 11 4 exit 1.0 2.0 - ;\n"
    )
    parts = program(("base.sh", "files.sh", "beside.sh")).decode()
    argv = ["bash", "--norc", "-O", "extglob", "-c", parts + FORGOTTEN, "bash", os.fspath(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert done.stderr == "1 0\n2 1\n3 2\n4 1\n"
    assert done.stdout.startswith("end 4 137 exit "), "that one was killed before it could"


def test_a_background_checkout_and_strange_controls_are_refused(rig: Rig) -> None:
    async def play() -> None:
        lane = await rig.lane()
        for bad in (
            StepTask(index=0, background=True, checkout=Checkout(oid="0" * 40, ref="refs/heads/x")),
            StepTask(index=0, control=Control(kind="pause", steps=())),
        ):
            with pytest.raises(GrindError):
                await lane.submit([bad])
        await lane.submit([], final=True)
        await rig.follow(lane)

    rig.go(play())

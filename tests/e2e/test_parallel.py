"""Parallel steps through the whole program, as GitHub's documentation has them."""

from __future__ import annotations

import os
import signal

from tests.e2e.world import CHECKOUT, CI, World, workflow

SERVER = """\
- id: server
  name: server
  run: touch up; while :; do sleep 0.05; done
  background: true
- run: until [ -e up ]; do sleep 0.05; done
"""


def _results(world: World, *args: str) -> tuple[int, dict[str, tuple[str, bool]]]:
    done = world.grind("check", "--json", *args)
    ended = [event for event in done.events if event["type"] == "step.ended"]
    return done.code, {event["name"]: (event["conclusion"], event["gating"]) for event in ended}


def test_a_server_beside_the_tests(world: World) -> None:
    world.start(
        {
            CI: workflow(
                CHECKOUT
                + SERVER
                + "- {name: tests, run: 'test -e up'}\n- {name: stop, cancel: server}\n"
            )
        }
    )
    code, results = _results(world)
    assert code == 0
    assert results["server"] == ("cancelled", False)
    assert results["tests"] == results["stop"] == ("success", True)
    [receipt] = world.receipts
    assert receipt["state"] == "green"
    assert receipt["executed"] == 2, "the server has proven nothing"


def test_outputs_and_variables_are_seen_after_the_wait(world: World) -> None:
    steps = """\
- id: made
  run: |
    until [ -e go ]; do sleep 0.05; done
    echo x=yes >> "$GITHUB_OUTPUT"
    echo FROM=background >> "$GITHUB_ENV"
  background: true
- run: test -z "${{ steps.made.outputs.x }}${{ steps.made.outcome }}${FROM-}"; touch go
- wait: made
- run: |
    test "${{ steps.made.outputs.x }} ${{ steps.made.outcome }}" = "yes success"
    test "$FROM ${{ env.FROM }}" = "background background"
"""
    world.start({CI: workflow(CHECKOUT + steps)})
    done = world.grind("check")
    assert done.code == 0, done


def test_a_group_runs_at_the_same_time_and_its_failure_is_the_job_s(world: World) -> None:
    group = """\
- parallel:
    - {name: one, run: 'until [ -e two ]; do sleep 0.05; done; touch one'}
    - {name: two, run: 'touch two; until [ -e one ]; do sleep 0.05; done'}
    - {name: three, run: 'exit 3'}
- {name: after, run: 'true'}
- name: always
  if: always()
  run: test '${{ job.status }}' = failure
"""
    world.start({CI: workflow(CHECKOUT + group)})
    done = world.grind("check", "--json")
    assert done.code == 1
    ended = {e["name"]: e["conclusion"] for e in done.events if e["type"] == "step.ended"}
    assert (ended["one"], ended["two"], ended["three"]) == ("success", "success", "failure")
    assert ended["Wait for the group: one, two, three"] == "failure"
    assert (ended["after"], ended["always"]) == ("skipped", "success")
    assert not world.receipts


def test_a_failure_that_nobody_waits_for_is_red(world: World) -> None:
    steps = "- {name: bad, run: 'exit 7', background: true}\n- {name: good, run: 'true'}\n"
    world.start({CI: workflow(CHECKOUT + steps)})
    code, results = _results(world)
    assert code == 1
    assert results["bad"] == ("failure", True)
    assert results["good"] == ("success", True)


def test_a_failure_that_a_wait_forgives_is_red_at_the_end(world: World) -> None:
    steps = """\
- {id: bad, name: bad, run: 'exit 7', background: true}
- {name: waits, wait: bad, continue-on-error: true}
- {name: goes on, run: 'true'}
"""
    world.start({CI: workflow(CHECKOUT + steps)})
    code, results = _results(world)
    assert code == 1
    assert results["waits"][0] == "success"
    assert results["goes on"][0] == "success"


def test_a_failure_that_the_step_forgives_is_none(world: World) -> None:
    steps = """\
- {id: bad, name: bad, run: 'exit 7', background: true, continue-on-error: true}
- wait-all:
- name: asks
  run: test '${{ steps.bad.outcome }} ${{ steps.bad.conclusion }}' = 'failure success'
"""
    world.start({CI: workflow(CHECKOUT + steps)})
    code, results = _results(world)
    assert code == 0, results
    assert results["asks"] == ("success", True)


def test_a_run_that_is_taken_up_again_tells_the_same(world: World) -> None:
    world.start(
        {
            CI: workflow(
                CHECKOUT
                + SERVER
                + f"- run: echo ran >> {world.outside}/a\n- {{name: stop, cancel: server}}\n"
            )
        }
    )
    world.killed("before:job.ended:1", "check")
    code, results = _results(world)
    assert code == 0
    assert world.told("a") == ["ran"]
    assert results["server"] == ("cancelled", False), results
    assert [receipt["state"] for receipt in world.receipts] == ["green"]


def test_ctrl_c_leaves_no_server(world: World) -> None:
    world.start(
        {CI: workflow(CHECKOUT + SERVER + f"- run: touch {world.outside}/on; sleep 1000\n")}
    )
    process = world.begin("check")
    world.until(lambda: (world.outside / "on").exists(), "the step did not begin")
    os.killpg(process.pid, signal.SIGINT)
    assert world.end(process).code == 130
    world.until(lambda: not world.processes(), f"left behind: {world.processes()}")

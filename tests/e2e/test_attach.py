"""`grind attach` and `grind cancel`, with clients that are alive, dead, and killed."""

from __future__ import annotations

import os

import pytest

from tests.e2e.world import CHECKOUT, CI, Done, World, workflow


def gated(world: World) -> str:
    """A job that prints, waits until the test lets it go on, and prints the rest."""
    return workflow(
        CHECKOUT
        + f"""\
- name: Long
  run: |
    for i in 1 2 3; do echo "before $i äöü"; done
    echo there >> {world.outside}/there
    until [ -e {world.outside}/go ]; do sleep 0.05; done
    for i in 1 2 3; do echo "after $i"; done
- name: Last
  run: cat content
"""
    )


@pytest.fixture
def repo(world: World) -> World:
    return world.start({CI: gated(world), "content": "as it was\n"})


def begun_and_killed(world: World) -> None:
    process = world.begin("check", "--json")
    world.wait_for("there")
    # The host is ahead of its client: this one shall have kept what was printed before the gate.
    world.until(
        lambda: any(b"before 3" in log for log in world.logs().values()), "nothing was kept"
    )
    process.kill()
    world.end(process)


def text(done: Done, step: int) -> str:
    return "".join(
        event["text"]
        for event in done.events
        if event["type"] == "step.output" and event["step"] == step
    )


LONG = "".join(f"before {i} äöü\n" for i in (1, 2, 3)) + "".join(f"after {i}\n" for i in (1, 2, 3))


def go(world: World) -> None:
    (world.outside / "go").touch()


def test_a_run_whose_client_was_killed_is_taken_over(repo: World) -> None:
    begun_and_killed(repo)
    tree = repo.journal()[0]["tree"]
    repo.write({"content": "edited meanwhile\n"})
    attached = repo.begin("attach", "--json")
    starts = ["run.started", "run.started"]
    repo.until(
        lambda: [e["type"] for e in repo.journal() if e["type"] == "run.started"] == starts,
        "the run was not taken over",
    )
    go(repo)
    done = repo.end(attached)
    assert done.code == 0, done
    assert text(done, 1) == LONG
    assert text(done, 2) == "as it was\n"
    assert done.events[-1]["state"] == "green"
    assert [receipt["tree"] for receipt in repo.receipts] == [tree]
    assert repo.told("there") == ["there"], "the step ran twice"


def test_a_run_that_is_driven_is_followed(repo: World) -> None:
    first = repo.begin("check", "--json")
    repo.wait_for("there")
    second = repo.begin("attach", "--json")
    assert second.stdout is not None
    shown = b""
    while b"run.started" not in shown:
        shown += os.read(second.stdout.fileno(), 1 << 16)
    go(repo)
    done, other = repo.end(first), repo.end(second)
    other = other._replace(out=shown.decode() + other.out)
    assert (done.code, other.code) == (0, 0), (done, other)
    assert text(other, 1) == text(done, 1) == LONG
    kinds = [event["type"] for event in other.events if event["type"] != "step.output"]
    assert kinds[-1] == "run.ended"
    assert kinds.count("step.ended") == len([e for e in done.events if e["type"] == "step.ended"])


def test_only_looking(repo: World) -> None:
    begun_and_killed(repo)
    done = repo.grind("attach", "--read-only", "--json")
    assert done.code == 75
    assert "nobody drives this run" in done.err
    assert text(done, 1) == LONG[: LONG.index("after")]
    go(repo)
    assert repo.grind("attach").code == 0


def test_what_is_over_is_shown_again(repo: World) -> None:
    go(repo)
    first = repo.grind("check", "--json")
    again = repo.grind("attach", "--json")
    assert (first.code, again.code) == (0, 0)
    assert text(again, 1) == LONG
    assert again.events[-1] == first.events[-1]
    assert repo.grind("attach", "no-such").code == 2


def test_nothing_to_attach_to(world: World) -> None:
    world.start({CI: workflow("- run: 'true'")})
    for command in ("attach", "cancel"):
        done = world.grind(command)
        assert done.code == 2
        assert "nothing has been run yet" in done.err


def test_a_driven_run_is_cancelled(repo: World) -> None:
    process = repo.begin("check", "--json")
    repo.wait_for("there")
    done = repo.grind("cancel", "--json")
    assert (done.code, done.document["state"]) == (0, "cancelled"), done
    assert repo.end(process).code == 130
    assert repo.journal()[-1]["state"] == "cancelled"
    assert repo.processes() == {}


def test_a_run_without_a_client_is_cancelled(repo: World) -> None:
    begun_and_killed(repo)
    done = repo.grind("cancel", "--json")
    assert (done.code, done.document["state"]) == (0, "cancelled"), done
    assert repo.processes() == {}
    assert repo.journal()[-1]["state"] == "cancelled"
    assert repo.grind("cancel", "--json").document["state"] == "over"
    go(repo)
    assert repo.grind("check").code == 0

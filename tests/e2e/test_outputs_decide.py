"""Outputs that decide what runs: matrices made from them, and change filters, with real git."""

from __future__ import annotations

import pytest

from tests.e2e.world import World

CI = ".github/workflows/ci.yml"


def matrix(world: World) -> dict[str, str]:
    return {
        "list.json": '["one", "two"]',
        CI: f"""
on: push
jobs:
  list:
    runs-on: ubuntu-latest
    outputs: {{all: "${{{{ steps.l.outputs.all }}}}"}}
    steps:
      - uses: actions/checkout@v4
      - {{id: l, run: 'echo "all=$(cat list.json)" >> "$GITHUB_OUTPUT"; echo list >> {world.outside}/ran'}}
  test:
    needs: list
    runs-on: ubuntu-latest
    strategy: {{matrix: {{x: "${{{{ fromJSON(needs.list.outputs.all) }}}}"}}}}
    steps:
      - run: |
          echo ${{{{ matrix.x }}}} >> {world.outside}/ran
          test ! -e {world.outside}/bad-${{{{ matrix.x }}}}
  after:
    needs: test
    runs-on: ubuntu-latest
    steps: [{{run: "echo after >> {world.outside}/ran"}}]
""",
    }


def test_a_matrix_from_an_output_is_planned_open_and_run_in_full(world: World) -> None:
    world.start(matrix(world))
    plan = world.plan()
    (job,) = [job for job in plan["jobs"] if job["id"] == "test"]
    assert job["verdict"] == "executed"
    assert "fromJSON(needs.list.outputs.all)" in job["open"]
    shown = world.grind("plan").out
    assert "its matrix is known when `list` has run" in shown

    done = world.grind("check", "--json")
    assert done.code == 0, done
    (told,) = [event for event in done.events if event["type"] == "job.expanded"]
    assert [head["key"] for head in told["jobs"]] == ["ci.yml/test (one)", "ci.yml/test (two)"]
    ran = world.told("ran")
    assert (ran[0], set(ran[1:3]), ran[3:]) == ("list", {"one", "two"}, ["after"])
    (receipt,) = world.receipts
    assert receipt["digest"] == plan["digest"]
    assert {step["job"] for step in receipt["steps"]} == {
        "ci.yml/list", "ci.yml/test (one)", "ci.yml/test (two)", "ci.yml/after",
    }  # fmt: skip
    again = world.grind("check")
    assert (again.code, world.told("ran")) == (0, ran), "proven: nothing runs again"
    text = world.grind("check", "--again").out
    assert "2 jobs: test (one), test (two)" in text


def test_a_red_combination_is_red_and_failed_runs_it_again(world: World) -> None:
    world.start(matrix(world))
    (world.outside / "bad-two").touch()
    assert world.grind("check").code == 1
    assert world.receipts == []
    assert "after" not in world.told("ran")
    (world.outside / "bad-two").unlink()
    done = world.grind("check", "--failed")
    assert done.code == 0, done
    assert world.told("ran")[-1] == "after"
    assert [receipt["state"] for receipt in world.receipts] == ["green"]


@pytest.mark.parametrize(
    "when",
    [
        "before:job.expanded:1",
        "after:job.expanded:1",
        "before:step.ended:3",
        "after:job.ended:2",
        "after:job.ended:4",
    ],
)
def test_a_kill_loses_nothing_of_an_open_matrix(world: World, when: str) -> None:
    world.start(matrix(world))
    world.killed(when, "check")
    done = world.grind("check", "--json")
    assert done.code == 0, done
    assert done.events[0]["resumed"]
    ran = world.told("ran")
    assert sorted(ran) == ["after", "list", "one", "two"], "every step ran once"
    (receipt,) = world.receipts
    ended = {step["job"] for step in receipt["steps"] if step["conclusion"] == "success"}
    assert (receipt["state"], len(ended)) == ("green", 4)


def filtered(world: World) -> dict[str, str]:
    return {
        "src/a": "1",
        "docs/a": "1",
        CI: f"""
on: push
jobs:
  changes:
    runs-on: ubuntu-latest
    outputs: {{src: "${{{{ steps.f.outputs.src }}}}", parts: "${{{{ steps.f.outputs.changes }}}}"}}
    steps:
      - uses: actions/checkout@v4
      - id: f
        uses: dorny/paths-filter@v3
        with:
          filters: |
            src: ['src/**']
            docs: docs/**
  test:
    needs: changes
    if: needs.changes.outputs.src == 'true'
    runs-on: ubuntu-latest
    steps: [{{run: "echo test >> {world.outside}/ran"}}]
  part:
    needs: changes
    if: contains(needs.changes.outputs.parts, 'src')
    strategy: {{matrix: {{part: "${{{{ fromJSON(needs.changes.outputs.parts) }}}}"}}}}
    runs-on: ubuntu-latest
    steps: [{{run: "echo ${{{{ matrix.part }}}} >> {world.outside}/ran"}}]
""",
    }


def test_a_filter_decides_by_what_the_push_would_change(world: World) -> None:
    world.start(filtered(world))
    world.write({"src/a": "2", "docs/new": "2"})
    done = world.grind("check", "--json")
    assert done.code == 0, done
    assert sorted(world.told("ran")) == ["docs", "src", "test"]
    assert "2 changed files: src, docs matched" in world.grind("plan").out


def test_a_filter_that_leaves_nothing_to_run_is_hollow(world: World) -> None:
    """F14: the workflow's steps pass without running anything."""
    world.start(filtered(world))
    world.write({"docs/a": "2"})
    done = world.grind("check", "--json")
    ended = {e["job"]: e["conclusion"] for e in done.events if e["type"] == "job.ended"}
    assert ended == {
        "ci.yml/changes": "success", "ci.yml/test": "skipped", "ci.yml/part": "skipped",
    }  # fmt: skip
    assert (done.code, done.events[-1]["state"]) == (1, "hollow")
    assert world.receipts == []
    assert world.grind("land", "-m", "x").code == 3


def test_a_rename_counts_for_both_names(world: World) -> None:
    world.start(filtered(world) | {"src/long": "\n".join(map(str, range(99)))})
    world.git("mv", "src/long", "docs/long")
    done = world.grind("plan")
    assert "2 changed files" not in done.out, "one file, found under another name"
    assert "1 changed file: src, docs matched" in done.out

"""What proves a tree and what does not: receipts, selections, resumption, carried results."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from tests.e2e.world import CHECKOUT, CI, World, workflow

LINT = ".github/workflows/lint.yml"
TWO = {CI: workflow(CHECKOUT + "- run: exit 1"), LINT: workflow("- run: 'true'")}
TELL = "- run: echo ran >> {outside}/{name}\n"


def _tell(world: World, name: str) -> str:
    return TELL.format(outside=world.outside, name=name)


def _jobs(world: World, *names: str, more: str = "") -> str:
    """A workflow whose jobs each append to a file of their name; `red` jobs fail while told so."""
    text = f"name: CI\non: [push, pull_request]\n{more}jobs:\n"
    for name in names:
        fails = f"\n          test ! -e {world.outside}/{name}-fails"
        text += (
            f"  {name}:\n    runs-on: ubuntu-latest\n    steps:\n"
            f"      - uses: actions/checkout@v4\n"
            f"      - run: |\n          echo ran >> {world.outside}/{name}{fails}\n"
        )
    return text


def test_a_green_workflow_is_no_proof_of_the_others(world: World) -> None:
    world.start(TWO)
    world.write({"new": "x"})
    done = world.grind("check", "--workflow", "lint.yml")
    assert done.code == 0, done
    assert not world.receipts
    done = world.grind("check", "--failed", "--workflow", "lint.yml")
    assert not world.receipts
    landed = world.grind("land", "-m", "x")
    assert landed.code == 3, landed
    assert world.grind("status", "--json").document["proof"] == "none"


def test_parts_are_no_proof(world: World) -> None:
    world.start(
        {
            CI: _jobs(world, "a", "b"),
            "grind.toml": f'[[check]]\nname = "quick"\nrun = "echo q >> {world.outside}/quick"\n',
        }
    )
    for args, ran in (
        (("check", "--fast"), {"quick"}),
        (("check", "a"), {"a"}),
        (("check", "quick", "b"), {"quick", "b"}),
        (("build",), set()),
    ):
        for name in ("a", "b", "quick"):
            (world.outside / name).unlink(missing_ok=True)
        done = world.grind(*args)
        assert done.code == (0 if ran else 1), done
        assert {name for name in ("a", "b", "quick") if world.told(name)} == ran
        assert not world.receipts
        assert world.grind("land").code in (0, 3)
    done = world.grind("check")
    assert done.code == 0
    assert [r["state"] for r in world.receipts] == ["green"]


def test_failed_runs_again_what_was_red_and_proves_the_whole(world: World) -> None:
    world.start({CI: _jobs(world, "a", "b")})
    (world.outside / "b-fails").touch()
    assert world.grind("check").code == 1
    assert world.status()["last"] == "red"
    assert not world.receipts
    (world.outside / "b-fails").unlink()
    done = world.grind("check", "--failed")
    assert done.code == 0, done
    assert (world.told("a"), world.told("b")) == (["ran"], ["ran", "ran"])
    assert [r["state"] for r in world.receipts] == ["green"]
    records = {(s["job"], s["step"]): s["conclusion"] for s in world.receipts[0]["steps"]}
    assert set(records.values()) == {"success"}
    assert {job for job, _ in records} == {"ci.yml/a", "ci.yml/b"}


def test_failed_again_and_again(world: World) -> None:
    """Results add up over several runs of the same tree, interrupted ones among them."""
    world.start({CI: _jobs(world, "a", "b", "c")})
    (world.outside / "b-fails").touch()
    (world.outside / "c-fails").touch()
    assert world.grind("check").code == 1
    (world.outside / "b-fails").unlink()
    assert world.grind("check", "--failed").code == 1
    assert not world.receipts
    (world.outside / "c-fails").unlink()
    world.killed("after:run.started:1", "check", "--failed")
    world.killed("before:run.ended:1", "check", "--failed")
    done = world.grind("check", "--failed")
    assert done.code == 0, done
    assert [r["state"] for r in world.receipts] == ["green"]
    assert {s["job"] for s in world.receipts[0]["steps"]} == {f"ci.yml/{n}" for n in "abc"}
    assert [len(world.told(name)) for name in "abc"] == [1, 2, 3]
    assert "was proven" in world.grind("check").out


def test_failed_after_a_part_does_not_prove_what_never_ran(world: World) -> None:
    world.start({CI: _jobs(world, "a", "b")})
    (world.outside / "b-fails").touch()
    assert world.grind("check", "b").code == 1
    (world.outside / "b-fails").unlink()
    done = world.grind("check", "--failed")
    assert world.told("a") == []
    assert done.code == 3, done
    assert all(r["state"] == "partial" for r in world.receipts)


def test_failed_of_another_tree_does_not_carry_over(world: World) -> None:
    world.start({CI: _jobs(world, "a", "b")})
    (world.outside / "b-fails").touch()
    assert world.grind("check").code == 1
    (world.outside / "b-fails").unlink()
    world.write({"edited": "after"})
    done = world.grind("check", "--failed")
    assert done.code == 0, done
    assert not world.receipts, "b ran on this tree, a on another one"


def test_failed_with_another_tool_does_not_carry_over(world: World) -> None:
    bin_ = world.root / "bin"
    bin_.mkdir()
    _node(bin_, "v20.11.0")
    node = "- uses: actions/setup-node@v4\n  with:\n    node-version: 20\n"
    world.start(
        {
            CI: workflow(CHECKOUT + node + _tell(world, "a")),
            LINT: workflow(f"- run: test ! -e {world.outside}/b-fails\n"),
        }
    )
    (world.outside / "b-fails").touch()
    env = {"PATH": f"{bin_}:{os.environ['PATH']}"}
    assert world.grind("check", env=env).code == 1
    (world.outside / "b-fails").unlink()
    _node(bin_, "v20.99.0")
    assert world.grind("check", "--failed", env=env).code == 0
    assert not world.receipts, "a ran with another Node.js"
    assert world.told("a") == ["ran"]
    assert world.grind("check", "--failed", env=env).code == 2, (
        "nothing red is known of these tools"
    )
    assert world.grind("check", env=env).code == 0
    assert world.told("a") == ["ran", "ran"]


def test_a_run_that_was_cut_off_is_not_taken_up_with_another_tool(world: World) -> None:
    bin_ = world.root / "bin"
    bin_.mkdir()
    _node(bin_, "v20.11.0")
    node = "- uses: actions/setup-node@v4\n  with:\n    node-version: 20\n"
    world.start({CI: workflow(CHECKOUT + node + _tell(world, "a"))})
    env = {"PATH": f"{bin_}:{os.environ['PATH']}"}
    world.killed("before:run.ended:1", "check", env=env)
    _node(bin_, "v20.99.0")
    assert world.grind("check", env=env).code == 0
    assert world.told("a") == ["ran", "ran"], "the first was with another Node.js"


def test_again_and_a_red_run_takes_the_proof_back(world: World) -> None:
    world.start({CI: _jobs(world, "a")})
    assert world.grind("check").code == 0
    cached = world.grind("check")
    assert cached.code == 0
    assert "was proven" in cached.out
    assert world.told("a") == ["ran"]
    assert world.grind("check", "--again").code == 0
    assert world.told("a") == ["ran", "ran"]
    (world.outside / "a-fails").touch()
    assert world.grind("check", "--again").code == 1
    assert not world.receipts
    assert world.grind("land").code in (0, 3)


def test_an_edit_needs_a_new_proof_and_the_old_tree_keeps_its_own(world: World) -> None:
    world.start({CI: _jobs(world, "a"), "file": "1"})
    assert world.grind("check").code == 0
    world.write({"file": "2"})
    assert world.status()["proof"] == "none"
    assert world.grind("check").code == 0
    world.write({"file": "1"})
    assert "was proven" in world.grind("check").out
    assert world.told("a") == ["ran", "ran"]


def test_another_event_is_no_proof_of_a_push(world: World) -> None:
    world.start({CI: _jobs(world, "a")})
    world.write({"new": "x"})
    assert world.grind("check", "--event", "pull_request").code == 0
    done = world.grind("land", "-m", "x")
    assert done.code == 3, done
    assert "plan" in done.err


def test_revision(world: World) -> None:
    """A commit is proven from its own tree: the working copy has no part in it."""
    world.start({CI: workflow(CHECKOUT + "- run: test -e good"), "good": ""})
    (world.repo / "good").unlink()
    world.commit("bad")
    assert world.grind("check", "--rev", "HEAD").code == 1
    done = world.grind("check", "--rev", "HEAD~1", "--json")
    assert done.code == 0, done
    assert done.events[0]["tree"] == world.git("rev-parse", "HEAD~1^{tree}")


def test_branch_filters_and_ref(world: World) -> None:
    world.start(
        {CI: _jobs(world, "a").replace("[push, pull_request]", "{push: {branches: [main]}}")}
    )
    assert [j["active"] for j in world.plan()["jobs"]] == [True]
    assert [j["active"] for j in world.plan("--ref", "topic")["jobs"]] == [False]
    done = world.grind("check", "--ref", "topic")
    assert done.code != 0, "nothing ran: never green"
    assert not any(r["state"] == "green" for r in world.receipts)


def test_changed_paths(world: World) -> None:
    text = _jobs(world, "a").replace("[push, pull_request]", "{push: {paths: ['src/**']}}")
    world.start({CI: text, "src/x": "1", "doc/x": "1"})
    notes = world.plan()["notes"]
    assert any("path" in note for note in notes), "nothing differs: filters count as matched"
    world.write({"doc/x": "2"})
    assert [j["active"] for j in world.plan()["jobs"]] == [False]
    world.commit("doc")
    world.write({"src/x": "2"})
    assert [j["active"] for j in world.plan()["jobs"]] == [True]
    world.commit("src")
    assert [j["active"] for j in world.plan("--rev", "HEAD")["jobs"]] == [True]
    assert [j["active"] for j in world.plan("--rev", "HEAD~1")["jobs"]] == [False]
    assert [j["active"] for j in world.plan("--rev", "HEAD~1", "--changed", "HEAD~1")["jobs"]]
    planned = world.plan("--changed", "origin/main")
    assert [j["active"] for j in planned["jobs"]] == [True]


def test_macos_beside_linux_is_partial_until_it_is_settled(world: World) -> None:
    both = workflow(CHECKOUT + "- run: 'true'") + (
        "  mac:\n    runs-on: macos-latest\n    steps:\n      - run: sw_vers\n"
    )
    world.start({CI: both})
    world.write({"new": "x"})
    done = world.grind("check")
    assert done.code == 3, done
    assert "macos-latest: this host is not one" in done.out
    assert "no Linux host can stand for it" in done.out
    assert [r["state"] for r in world.receipts] == ["partial"]
    landed = world.grind("land", "-m", "x")
    assert landed.code == 3
    assert "partial" in landed.err
    assert world.status()["proof"] == "partial"
    rule = '[[verdict]]\nworkflow = "ci.yml"\njob = "mac"\nverdict = "{}"\nreason = "no Mac here"\n'
    world.write({"grind.toml": rule.format("skipped")})
    assert world.grind("check").code == 3, "skipped is not proven"
    world.write({"grind.toml": rule.format("overridden")})
    done = world.grind("check")
    assert done.code == 0, done
    assert "no Mac here" in world.grind("plan").out
    assert world.grind("land", "-m", "x").code == 0


UNSETTLED = {
    "an unknown action": "- uses: some/action@v1\n",
    "an action in a folder": "- uses: some/action/deep@v1\n",
    "a provision step": "- name: 'Odd \\ \"name\" é'\n  run: sudo apt-get install -y no-such\n",
    "a secret": "- run: echo ${{ secrets.T }}\n",
    "a container": "- uses: docker://alpine:3\n",
}


@pytest.mark.parametrize("what", UNSETTLED)
def test_the_remedy_that_is_printed_settles_it(world: World, what: str) -> None:
    """The lines of a remedy can be pasted into grind.toml, filled in, and then it is green."""
    world.start({CI: workflow(CHECKOUT + UNSETTLED[what] + "- run: 'true'")}, remote=False)
    done = world.grind("check", "--json")
    assert done.code == 3, done
    [remedy] = done.events[-1]["remedies"]
    lines = remedy[remedy.index("[[verdict]]") :]
    for line in lines.splitlines():
        assert line in world.grind("plan").out
    filled = re.sub(r"(?m)^run = .*", 'run = "exit 0"', lines)
    filled = re.sub(r"(?m)^check = .*", 'check = "command -v bash"', filled)
    world.write({"grind.toml": filled + "\n"})
    done = world.grind("check")
    assert done.code == 0, (filled, done)


def test_nothing_executed_is_not_green(world: World) -> None:
    """F14: a filter job decides that nothing is to be done; all is skipped, nothing is proven."""
    world.start(
        {
            CI: "name: CI\non: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n"
            "    if: github.event_name == 'schedule'\n    steps: [{run: 'true'}]\n"
            "  b:\n    needs: a\n    runs-on: ubuntu-latest\n    steps: [{run: 'true'}]\n"
        }
    )
    done = world.grind("check")
    assert done.code == 1, done
    assert "hollow" in done.said
    assert not world.receipts


def test_hollow_through_a_filter_job(world: World) -> None:
    world.start(
        {
            CI: "name: CI\non: push\njobs:\n  filter:\n    runs-on: ubuntu-latest\n"
            "    outputs:\n      code: ${{ steps.f.outputs.code }}\n    steps:\n"
            "      - id: f\n        run: echo code=false >> $GITHUB_OUTPUT\n"
            "  test:\n    needs: filter\n    if: needs.filter.outputs.code == 'true'\n"
            "    runs-on: ubuntu-latest\n    steps: [{run: 'false'}]\n"
        }
    )
    done = world.grind("check", "--json")
    test = [e for e in done.events if e["type"] == "job.ended" and e["job"] == "ci.yml/test"]
    assert test[0]["conclusion"] == "skipped"
    assert done.code in (0, 1), done


def test_receipt_ages(world: World) -> None:
    world.start({CI: _jobs(world, "a"), "grind.toml": '[receipt]\nmax_age = "1s"\n'})
    world.write({"new": "x"})
    assert world.grind("check").code == 0
    time.sleep(1.1)
    assert world.status()["proof"] == "expired"
    done = world.grind("land", "-m", "x")
    assert done.code == 3
    assert "old" in done.err
    assert "grind check" in done.err
    assert world.grind("check").code == 0
    assert world.told("a") == ["ran", "ran"]


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"\xff\xfe", b'{"schema":"grind.receipt/1","state":"green"}']
)
def test_damaged_receipt_proves_nothing(world: World, damage: bytes) -> None:
    world.start({CI: _jobs(world, "a")})
    assert world.grind("check").code == 0
    assert "was proven" in world.grind("check").out
    [path] = (world.kept / "receipts").glob("*.json")
    path.write_bytes(damage)
    assert world.status()["proof"] == "none"
    assert world.grind("check").code == 0
    assert world.told("a") == ["ran", "ran"]


def test_receipt_of_another_tree_under_this_name(world: World) -> None:
    world.start({CI: _jobs(world, "a")})
    assert world.grind("check").code == 0
    [path] = (world.kept / "receipts").glob("*.json")
    world.write({"evil": "x"})
    status = world.status()
    path.rename(path.with_name(f"{status['tree']}.json"))
    assert world.status()["proof"] == "none"
    assert world.grind("land", "-m", "x").code == 3


def test_a_tool_that_changes_takes_the_proof_back(world: World) -> None:
    bin_ = world.root / "bin"
    bin_.mkdir()
    _node(bin_, "v20.11.0")
    world.start(
        {
            CI: workflow(
                CHECKOUT
                + "- uses: actions/setup-node@v4\n  with:\n    node-version: 20\n"
                + _tell(world, "a")
            )
        }
    )
    env = {"PATH": f"{bin_}:{os.environ['PATH']}"}
    done = world.grind("check", env=env)
    assert done.code == 0, done
    assert "was proven" in world.grind("check", env=env).out
    _node(bin_, "v20.99.0")
    assert world.grind("check", env=env).code == 0
    assert world.told("a") == ["ran", "ran"]


def _node(folder: Path, version: str) -> None:
    """A Node.js that tells of its version what grind asks."""
    for name in ("node", "npm"):
        path = folder / name
        path.write_text(f"#!/bin/sh\nprintf '{version[1:]}\\t-\\t{path}\\n'\n")
        path.chmod(0o755)


def test_plan_lists_what_ci_runs_and_what_is_ignored(world: World) -> None:
    """F1, F22: nothing that CI runs is left out in silence; ignoring one takes a reason."""
    world.start(
        {
            CI: "name: CI\non: push\njobs:\n"
            "  build:\n    strategy: {matrix: {p: [a, b, c]}}\n    runs-on: ubuntu-latest\n"
            "    steps: [{run: 'cargo build -p ${{ matrix.p }}'}]\n"
            "  deploy:\n    needs: build\n    environment: prod\n    runs-on: ubuntu-latest\n"
            "    steps: [{run: ./deploy}]\n",
            ".github/workflows/old.yml": workflow("- run: 'false'"),
            "grind.toml": '[[check]]\nname = "quick"\nrun = "cargo check"\n',
        }
    )
    jobs = {job["name"]: job for job in world.plan()["jobs"]}
    assert len(jobs) == 6
    assert {step["run"] for job in jobs.values() for step in job["steps"]} >= {
        "cargo build -p ${{ matrix.p }}",
        "./deploy",
        "false",
        "cargo check",
    } or {"cargo build -p a", "cargo build -p b", "cargo build -p c"} <= {
        step["run"] for job in jobs.values() for step in job["steps"]
    }
    assert all(step["verdict"] for job in jobs.values() for step in job["steps"])
    assert jobs["deploy"]["verdict"] == "skipped"
    world.write({"grind.toml": '[[ignore]]\nworkflow = "old.yml"\nreason = "replaced by ci.yml"\n'})
    plan = world.plan()
    assert len(plan["jobs"]) == 4
    assert any("old.yml" in note and "replaced by ci.yml" in note for note in plan["notes"])
    assert "replaced by ci.yml" in world.grind("plan").out


def test_run_that_is_cancelled_leaves_the_older_proof(world: World) -> None:
    """--again that is killed in the middle of a red step: the proof of before still is one, and
    the red result, once it is known, takes it back."""
    world.start({CI: _jobs(world, "a")})
    assert world.grind("check").code == 0
    (world.outside / "a-fails").touch()
    world.killed("before:run.ended:1", "check", "--again")
    assert not world.receipts
    assert world.grind("check", "--again").code == 1

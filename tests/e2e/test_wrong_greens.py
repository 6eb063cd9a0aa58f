"""Ways in which a run was green that should not have been: with real processes, from outside."""

from __future__ import annotations

from tests.e2e.world import World

CI = ".github/workflows/ci.yml"


def check(world: World, *args: str) -> tuple[int, dict[str, str]]:
    """Run `grind check`; return its exit code and the jobs' conclusions by id."""
    done = world.grind("check", "--json", *args)
    ended = [event for event in done.events if event["type"] == "job.ended"]
    return done.code, {event["job"].partition("/")[2]: event["conclusion"] for event in ended}


def test_failed_runs_what_hung_on_the_red_job(world: World) -> None:
    """It was skipped because of the red one, and was carried over as skipped: green, never run."""
    world.start(
        {
            CI: f"""
on: push
jobs:
  a: {{runs-on: ubuntu-latest, steps: [{{run: "test -e {world.outside}/ready"}}]}}
  b: {{needs: a, runs-on: ubuntu-latest, steps: [{{run: "touch {world.outside}/b"}}]}}
"""
        }
    )
    assert check(world) == (1, {"a": "failure", "b": "skipped"})
    (world.outside / "ready").touch()
    assert check(world, "--failed") == (0, {"a": "success", "b": "success"})
    assert (world.outside / "b").exists()


def test_a_job_out_of_time_is_not_green(world: World) -> None:
    world.start(
        {
            CI: """
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    timeout-minutes: 0.02
    steps:
      - {run: sleep 60, continue-on-error: true}
      - {run: "true"}
"""
        }
    )
    code, jobs = check(world)
    assert code == 1
    assert jobs["a"] in ("cancelled", "failure")


def test_forgiveness_by_expression_holds_on_the_host_too(world: World) -> None:
    world.start(
        {
            CI: f"""
on: push
jobs:
  a:
    runs-on: ubuntu-latest
    steps:
      - {{id: s, run: echo may=true >> "$GITHUB_OUTPUT"}}
      - {{run: "false", continue-on-error: "${{{{ fromJSON(steps.s.outputs.may) }}}}"}}
      - run: touch {world.outside}/after
"""
        }
    )
    assert check(world) == (0, {"a": "success"})
    assert (world.outside / "after").exists()


def test_a_called_workflow_is_not_green(world: World) -> None:
    world.start(
        {
            CI: """
on: push
jobs:
  a: {runs-on: ubuntu-latest, steps: [{run: "true"}]}
  b: {uses: owner/name/.github/workflows/x.yml@v1}
"""
        }
    )
    assert check(world) == (3, {"a": "success", "b": "refused"})


def test_a_commit_that_skips_ci_proves_nothing_for_the_next(world: World) -> None:
    """With a check of its own it was green, and stayed so when the message no longer skipped."""
    world.start(
        {
            CI: 'on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: "false"}]}}\n',
            "grind.toml": '[[check]]\nname = "c"\nrun = "true"\n',
        }
    )
    world.git("commit", "-q", "--amend", "-m", "first [skip ci]")
    assert check(world) == (0, {"c": "success"})
    world.git("commit", "-q", "--amend", "-m", "first")
    assert check(world)[0] == 1


def test_a_condition_on_the_message_is_asked_again_for_another_message(world: World) -> None:
    world.start(
        {
            CI: """
on: push
jobs:
  a: {runs-on: ubuntu-latest, steps: [{run: "true"}]}
  b:
    if: contains(github.event.head_commit.message, 'full')
    runs-on: ubuntu-latest
    steps: [{run: "false"}]
"""
        }
    )
    world.write({"more": "x"})
    world.commit("second")
    assert check(world) == (0, {"a": "success"})
    world.git("commit", "-q", "--amend", "-m", "full")
    assert check(world)[0] == 1


def test_an_ignored_workflow_is_named_in_the_plan(world: World) -> None:
    world.start(
        {
            CI: 'on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: "true"}]}}\n',
            ".github/workflows/old.yml": "this: [is no workflow",
            "grind.toml": '[[ignore]]\nworkflow = "old.yml"\nreason = "red for years"\n',
        }
    )
    notes = world.grind("plan", "--json").document["notes"]
    assert ".github/workflows/old.yml is ignored: red for years" in notes

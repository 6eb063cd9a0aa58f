"""What becomes of a commit at GitHub, scenario by scenario."""

from __future__ import annotations

import pytest

from grind.core import events as e
from grind.core.ci import Expected, ExpectedJob
from grind.core.errors import GrindError
from grind.flows.watch import Patience
from tests.github.standin import GitHub, Job, Step
from tests.github.watching import CI, LINT, OTHER, SHA, Watcher

TEST = Job("test")
SETUP = (Step("Set up job", 1), Step("Run actions/checkout@v4", 2))
IDLE = Job("changes", (*SETUP, Step("Post Run actions/checkout@v4", 1), Step("Complete job", 1)))
SKIPPED = Job("test", (), "skipped")
RED = Job("test", (*SETUP, Step("Run make test", 9, "failure")), "failure", log=b"boom\n")


def rows(ended: e.WatchEnded) -> dict[str, str]:
    return {row.workflow: row.verdict for row in ended.workflows}


def test_one_clean_run(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.run(CI, SHA, TEST, after=2)
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.exit_code, rows(ended)) == ("clean", 0, {CI: "clean"})
    assert ended.workflows[0].url.endswith("/actions/runs/1000")
    assert [(seen.status, seen.conclusion) for seen in watcher.told(e.CiRunSeen)][-1] == (
        "completed",
        "success",
    )
    assert watcher.told(e.CiStepFailed) == []


def test_green_waits_for_every_expected_run(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.run(CI, SHA, TEST)
    github.run(LINT, SHA, TEST, after=400)  # GitHub is slow today
    ended = watcher.watch(CI, LINT)
    assert rows(ended) == {CI: "clean", LINT: "clean"}
    assert watcher.clock.passed > 400


def test_a_run_that_never_comes_is_not_created_after_fifteen_minutes(
    github: GitHub, watcher: Watcher
) -> None:
    github.push(SHA)
    github.run(CI, SHA, TEST)
    ended = watcher.watch(CI, LINT)
    assert (ended.verdict, ended.exit_code) == ("not-created", 27)
    assert rows(ended) == {CI: "clean", LINT: "not-created"}
    assert 900 <= watcher.clock.passed <= 931


def test_a_run_created_just_in_time_counts(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.run(CI, SHA, TEST, after=880)
    assert watcher.watch(CI).verdict == "clean"


def test_a_disabled_workflow_is_told_apart_and_not_waited_for(
    github: GitHub, watcher: Watcher
) -> None:
    github.push(SHA)
    github.workflows = {CI: "disabled_inactivity", LINT: "active"}
    ended = watcher.watch(CI)
    assert ended.verdict == "not-created"
    assert "disabled inactivity" in ended.workflows[0].reason
    assert watcher.clock.passed < 120


def test_a_commit_that_was_not_pushed_is_told_apart(github: GitHub, watcher: Watcher) -> None:
    ended = watcher.watch(CI)
    assert ended.verdict == "not-created"
    assert "not pushed" in ended.workflows[0].reason
    assert watcher.clock.passed < 120


def test_the_index_flickers_and_a_run_that_was_seen_stays(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    run = github.run(CI, SHA, TEST)
    github.run(LINT, SHA, TEST, after=60)
    run.unlisted = ((5, 30), (45, 1e12))
    run.unlisted = tuple((run.created + a, run.created + b) for a, b in run.unlisted)
    assert rows(watcher.watch(CI, LINT)) == {CI: "clean", LINT: "clean"}


@pytest.mark.parametrize("crowd", [0, 80])
def test_a_run_that_the_filtered_list_never_shows_is_found_elsewhere(
    github: GitHub, watcher: Watcher, crowd: int
) -> None:
    """In the unfiltered page; or, where others fill that page, by the commit's check suites."""
    github.push(SHA)
    run = github.run(CI, SHA, TEST)
    run.listed_from = float("inf")
    for _ in range(crowd):
        github.run(CI, OTHER, TEST, after=1, branch="busy")
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.workflows[0].run) == ("clean", run.id)
    assert watcher.clock.passed < 300


def test_other_peoples_runs_do_not_count(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.run(CI, OTHER, TEST)
    github.run(CI, SHA, TEST, event="workflow_dispatch")
    github.run(CI, SHA, TEST, branch="feature")
    assert rows(watcher.watch(CI)) == {CI: "not-created"}


@pytest.mark.parametrize("sha", ["", SHA[:12], "HEAD", SHA.upper()])
def test_an_id_that_is_not_whole_is_never_sent(watcher: Watcher, sha: str) -> None:
    with pytest.raises(GrindError, match="whole id"):
        watcher.watch(CI, sha=sha)
    assert watcher.github.requests == []


def test_green_at_the_second_attempt_is_flaky_and_says_why(
    github: GitHub, watcher: Watcher
) -> None:
    github.push(SHA)
    run = github.run(CI, SHA, RED, conclusion="failure")
    run.rerun(30, TEST)
    watcher.clock._now += 40
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.exit_code) == ("flaky", 20)
    assert ended.workflows[0].reason == "green at attempt 2 only: in attempt 1, test failed"
    assert ended.workflows[0].attempt == 2


def test_a_rerun_while_another_workflow_is_watched_is_seen(
    github: GitHub, watcher: Watcher
) -> None:
    github.push(SHA)
    run = github.run(CI, SHA, RED, conclusion="failure")
    github.run(LINT, SHA, Job("slow", (Step("Run make", 600),)))
    run.rerun(300, TEST)
    assert rows(watcher.watch(CI, LINT)) == {CI: "flaky", LINT: "clean"}


def test_a_second_run_of_the_same_commit_after_a_red_one_is_flaky(
    github: GitHub, watcher: Watcher
) -> None:
    github.push(SHA)
    github.run(CI, SHA, RED, conclusion="failure")
    github.run(CI, SHA, TEST, after=40)  # the branch went away and came back
    watcher.clock._now += 50
    ended = watcher.watch(CI)
    assert ended.verdict == "flaky"
    assert ended.workflows[0].reason == "run 1 of the same commit ended in failure"


# --- hollow --------------------------------------------------------------------------------------


def test_a_run_without_a_command_is_hollow(github: GitHub, watcher: Watcher) -> None:
    """F14: the workflow is green, because it decided that there was nothing to do."""
    github.push(SHA)
    github.run(CI, SHA, IDLE, SKIPPED)
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.exit_code) == ("hollow", 21)
    assert "no step that ran was a command" in ended.workflows[0].reason


def test_a_filter_job_that_runs_a_command_is_hollow_when_nothing_else_ran(
    github: GitHub, watcher: Watcher
) -> None:
    github.push(SHA)
    github.run(CI, SHA, Job("changes"), SKIPPED)
    jobs = (
        ExpectedJob(name="changes", commands=("Run make test",), decides=True),
        ExpectedJob(name="test", commands=("Run make test",)),
    )
    ended = watcher.watch(Expected(CI, jobs))
    assert ended.verdict == "hollow"
    assert "only changes ran" in ended.workflows[0].reason


@pytest.mark.parametrize("where", ["rules", "protected"])
def test_a_skipped_required_job_is_hollow(github: GitHub, watcher: Watcher, where: str) -> None:
    github.push(SHA)
    setattr(github, where, ["test"])
    github.run(CI, SHA, Job("lint"), SKIPPED)
    ended = watcher.watch(CI)
    assert ended.verdict == "hollow"
    assert ended.workflows[0].reason == "test is required and was skipped"


def test_a_skipped_job_that_nobody_requires_is_fine(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.rules = ["lint"]
    github.run(CI, SHA, Job("lint"), Job("deploy", (), "skipped"))
    assert watcher.watch(CI).verdict == "clean"


def test_a_skipped_job_that_was_green_here_is_hollow(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.run(CI, SHA, Job("lint"), SKIPPED)
    ended = watcher.watch(Expected(CI, (ExpectedJob(name="test", proven=True),)))
    assert (ended.verdict, ended.workflows[0].reason) == (
        "hollow",
        "test was skipped, and ran here",
    )


def test_the_rules_are_asked_only_when_a_job_was_skipped(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.run(CI, SHA, TEST)
    watcher.watch(CI)
    assert not [one for one in github.requests if "branches" in one.path]


# --- red -----------------------------------------------------------------------------------------


def test_a_later_push_cancels_the_run(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.run(CI, SHA, Job("test", (Step("Run make", 30, "cancelled"),), "cancelled"),
               conclusion="cancelled")  # fmt: skip
    github.run(CI, OTHER, TEST, after=20)
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.exit_code) == ("superseded", 22)
    assert f"run 2, of commit {OTHER[:12]}" in ended.workflows[0].reason


def test_a_person_cancels_the_run(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.run(CI, OTHER, TEST)  # an older one does not supersede
    github.run(CI, SHA, TEST, conclusion="cancelled")
    github.run(CI, OTHER, TEST, branch="feature", after=5)  # nor does one of another branch
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.exit_code) == ("failed", 1)
    assert "cancelled" in ended.workflows[0].reason


def test_a_second_push_meanwhile_changes_nothing_for_the_first(
    github: GitHub, watcher: Watcher
) -> None:
    github.push(SHA)
    github.run(CI, SHA, Job("test", (Step("Run make", 300),)))
    github.push(OTHER, before=SHA)
    github.run(CI, OTHER, RED, after=60, conclusion="failure")
    assert watcher.watch(CI).verdict == "clean"


def test_a_push_of_several_commits_runs_for_the_last_alone(
    github: GitHub, watcher: Watcher
) -> None:
    github.push(OTHER, SHA)
    github.run(CI, SHA, TEST)
    assert watcher.watch(CI).verdict == "clean"
    assert watcher.watch(CI, sha=OTHER).verdict == "not-created"


@pytest.mark.parametrize(
    ("conclusion", "verdict", "code"),
    [
        ("timed_out", "timed-out", 23),
        ("action_required", "action-required", 24),
        ("startup_failure", "startup-failure", 25),
        ("skipped", "hollow", 21),
        ("stale", "unknown", 75),
        ("neutral", "unknown", 75),
        ("purple", "unknown", 75),
    ],
)
def test_conclusions(
    github: GitHub, watcher: Watcher, conclusion: str, verdict: str, code: int
) -> None:
    github.push(SHA)
    github.run(CI, SHA, TEST, conclusion=conclusion)
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.exit_code) == (verdict, code)


def test_a_file_that_github_cannot_read_is_a_startup_failure(
    github: GitHub, watcher: Watcher
) -> None:
    """As GitHub does it: a failed run that has no job."""
    github.push(SHA)
    github.run(CI, SHA, conclusion="failure")
    assert watcher.watch(CI).verdict == "startup-failure"


def test_a_job_that_timed_out_is_told_apart_from_one_that_failed(
    github: GitHub, watcher: Watcher
) -> None:
    github.push(SHA)
    slow = Job("slow", (Step("Run make", 60, "timed_out"),), "timed_out")
    github.run(CI, SHA, TEST, slow, conclusion="failure")
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.workflows[0].reason) == (
        "timed-out",
        "slow ran into the time limit",
    )


def test_a_run_that_waits_for_approval_may_still_be_approved(
    github: GitHub, watcher: Watcher
) -> None:
    github.push(SHA)
    github.run(CI, SHA, TEST, waits=200)
    assert watcher.watch(CI).verdict == "clean"
    assert "waiting" in {seen.status for seen in watcher.told(e.CiRunSeen)}


def test_a_run_that_nobody_approves_is_action_required(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.run(CI, SHA, TEST, waits=1e7)
    watcher.patience = Patience(total=600)
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.exit_code, ended.reason) == (
        "action-required",
        24,
        "the time to wait is over",
    )


def test_a_run_that_is_deleted_is_unknown(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.run(CI, SHA, Job("test", (Step("Run make", 300),)), deleted_at=watcher.clock.now() + 60)
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.workflows[0].reason) == (
        "unknown",
        "the run was deleted at the forge",
    )


def test_the_time_is_over(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.run(CI, SHA, Job("test", (Step("Run make", 5000),)))
    watcher.patience = Patience(total=1200)
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.exit_code) == ("unknown", 75)
    assert ended.workflows[0].reason == "in progress"
    assert ended.duration == pytest.approx(1200)


# --- what is expected ----------------------------------------------------------------------------


def test_none_expected_is_said_after_a_look_everywhere(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    ended = watcher.watch()
    assert (ended.verdict, ended.exit_code, ended.workflows) == ("none-expected", 26, ())
    assert 20 <= watcher.clock.passed < 60
    assert {one.path.rpartition("/")[2] for one in github.requests} >= {"runs", "check-suites"}
    again = watcher.watch(allow_none=True)
    assert (again.verdict, again.exit_code) == ("none-expected", 0)


def test_a_run_that_nobody_expected_counts_as_well(github: GitHub, watcher: Watcher) -> None:
    """F22: an old second workflow is red, and everybody has learned to ignore it."""
    github.push(SHA)
    github.run(CI, SHA, TEST)
    github.run(LINT, SHA, RED, conclusion="failure")
    ended = watcher.watch(CI)
    assert (ended.verdict, rows(ended)) == ("failed", {CI: "clean", LINT: "failed"})
    assert [row.expected for row in ended.workflows] == [True, False]


def test_a_workflow_that_is_ignored_in_writing_does_not_count(
    github: GitHub, watcher: Watcher
) -> None:
    github.push(SHA)
    github.run(CI, SHA, TEST)
    github.run(LINT, SHA, RED, conclusion="failure")
    ended = watcher.watch(CI, ignored=("lint.yml",))
    assert (ended.verdict, rows(ended)) == ("clean", {CI: "clean"})
    assert LINT not in {seen.workflow for seen in watcher.told(e.CiRunSeen)}


@pytest.mark.parametrize("form", ["{path}@main", "octo/app/{path}@refs/heads/main"])
def test_paths_with_a_ref_or_a_repository_are_the_same_workflow(
    github: GitHub, watcher: Watcher, form: str
) -> None:
    github.push(SHA)
    github.path_form = form
    github.run(CI, SHA, TEST)
    assert rows(watcher.watch(CI)) == {CI: "clean"}


def test_more_jobs_than_a_page_holds(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    red = RED._replace(name="test (249)")
    jobs = [Job(f"test ({number})") for number in range(249)]
    github.run(CI, SHA, *jobs, red, conclusion="failure")
    ended = watcher.watch(CI)
    assert (ended.verdict, ended.workflows[0].reason) == ("failed", "test (249) failed")


def test_more_runs_than_a_page_holds(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    github.run(CI, SHA, RED, conclusion="failure")
    for _ in range(230):
        github.run(LINT, SHA, TEST, after=1, event="workflow_dispatch")
    watcher.clock._now += 60
    assert rows(watcher.watch(CI)) == {CI: "failed"}


def test_a_resumed_watch_counts_from_the_push(github: GitHub, watcher: Watcher) -> None:
    github.push(SHA)
    watcher.since = watcher.clock.now() - 880
    ended = watcher.watch(CI)
    assert ended.verdict == "not-created"
    assert watcher.clock.passed < 60

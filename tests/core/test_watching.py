"""The judgement on what a forge answered: laws, and what the scenarios do not reach."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from grind.core.ci import CiJob, CiRun, CiStep, CiVerdict, Expected, ExpectedJob, Target, matches
from grind.core.errors import ExitCode
from grind.core.hollow import hollow_reason
from grind.core.watching import (
    LONGEST_DELAY,
    Rules,
    Seen,
    judge,
    next_delay,
    paced,
    with_jobs,
    with_runs,
)

SHA, OTHER = "a" * 40, "b" * 40
PATHS = ("ci.yml", "lint.yml")
TARGET = Target(SHA, "push", "main")
STATUSES = ("queued", "in_progress", "completed", "waiting", "requested", "odd")
CONCLUSIONS = (
    None, "success", "failure", "neutral", "cancelled", "skipped", "timed_out",
    "action_required", "startup_failure", "stale", "odd",
)  # fmt: skip

steps = st.builds(
    CiStep,
    number=st.integers(1, 9),
    name=st.sampled_from(("Set up job", "Run make", "Run actions/checkout@v4", "Post Run x")),
    status=st.just("completed"),
    conclusion=st.sampled_from(CONCLUSIONS),
)
jobs = st.builds(
    CiJob,
    id=st.integers(1, 5),
    name=st.sampled_from(("test", "build", "deploy")),
    status=st.sampled_from(STATUSES),
    conclusion=st.sampled_from(CONCLUSIONS),
    attempt=st.integers(1, 3),
    steps=st.lists(steps, max_size=3).map(tuple),
)
runs = st.builds(
    CiRun,
    id=st.integers(1, 4),
    path=st.sampled_from((*PATHS, "other.yml")),
    event=st.sampled_from(("push", "pull_request")),
    sha=st.sampled_from((SHA, OTHER)),
    branch=st.sampled_from(("main", "dev")),
    number=st.integers(1, 4),
    attempt=st.integers(1, 3),
    status=st.sampled_from(STATUSES),
    conclusion=st.sampled_from(CONCLUSIONS),
    created=st.just(0.0),
    updated=st.floats(0, 9),
)
likely = st.one_of(
    runs,
    runs.map(
        lambda run: replace(
            run, sha=SHA, branch="main", event="push", status="completed", conclusion="success",
            attempt=1,
        )
    ),
)  # fmt: skip
likely_jobs = st.one_of(
    jobs, jobs.map(lambda job: replace(job, status="completed", conclusion="success", attempt=1))
)


@given(
    st.lists(likely, max_size=6),
    st.dictionaries(st.integers(1, 4), st.lists(likely_jobs, max_size=3)),
    st.booleans(),
)
def test_clean_is_never_said_without_every_reason(
    found: list[CiRun], told: dict[int, list[CiJob]], late: bool
) -> None:
    seen = with_runs(Seen(target=TARGET), found)
    for run, its in told.items():
        seen = with_jobs(seen, run, its)
    judgement = judge(seen, Rules(tuple(map(Expected, PATHS))), late=late)
    if judgement.verdict is not CiVerdict.CLEAN:
        assert judgement.exit_code is not ExitCode.DONE
        return
    assert judgement.settled
    assert {row.path for row in judgement.rows} >= set(PATHS)
    for row in judgement.rows:
        assert row.run is not None
        run = seen.runs[row.run]
        assert (run.path, run.sha, run.event, run.branch) == (row.path, SHA, "push", "main")
        assert (run.status, run.conclusion, run.attempt) == ("completed", "success", 1)
        its_jobs = seen.jobs[run.id]
        assert all(job.status == "completed" for job in its_jobs)
        done = [step for job in its_jobs if job.conclusion == "success" for step in job.steps]
        assert any(step.name in ("Run make",) and step.conclusion == "success" for step in done)


@given(st.lists(runs, max_size=4))
def test_the_order_of_answers_does_not_matter(found: list[CiRun]) -> None:
    def known(order: tuple[CiRun, ...]) -> dict[int, tuple[object, ...]]:
        seen = with_runs(with_runs(Seen(target=TARGET), order), order[:2])
        return {id_: (run.attempt, run.over, run.updated) for id_, run in seen.runs.items()}

    assert len({str(sorted(known(order).items())) for order in permutations(found)}) == 1


@given(st.lists(runs, max_size=6))
def test_the_exit_code_is_0_for_clean_alone(found: list[CiRun]) -> None:
    judgement = judge(with_runs(Seen(target=TARGET), found), Rules(()), late=True)
    assert judgement.exit_code is judgement.verdict.exit_code
    assert (judgement.exit_code is ExitCode.DONE) == (judgement.verdict is CiVerdict.CLEAN)
    allowed = judge(with_runs(Seen(target=TARGET), found), Rules((), allow_none=True), late=True)
    assert (allowed.exit_code is ExitCode.DONE) == (
        judgement.verdict in (CiVerdict.CLEAN, CiVerdict.NONE_EXPECTED)
    )


def test_every_verdict_has_a_code_of_its_own() -> None:
    codes = [verdict.exit_code for verdict in CiVerdict]
    assert len(set(codes)) == len(codes) == 11
    assert CiVerdict.CLEAN.exit_code == 0


def test_nothing_is_said_before_enough_was_looked_at() -> None:
    seen = Seen(target=TARGET)
    early = judge(seen, Rules(()), late=False, checked=False)
    assert (early.verdict, early.settled) == (CiVerdict.UNKNOWN, False)


def run(**more: object) -> CiRun:
    given_ = {
        "id": 1, "path": "ci.yml", "event": "push", "sha": SHA, "branch": "main", "number": 1,
        "attempt": 1, "status": "completed", "conclusion": "success", "created": 0.0,
        "updated": 1.0,
    }  # fmt: skip
    return CiRun(**(given_ | more))  # type: ignore[arg-type]


def job(**more: object) -> CiJob:
    work = CiStep(number=2, name="Run make", status="completed", conclusion="success")
    given_ = {"id": 1, "name": "test", "status": "completed", "conclusion": "success"}
    return CiJob(**(given_ | {"steps": (work,)} | more))  # type: ignore[arg-type]


def verdict(found: CiRun, *its: CiJob) -> tuple[CiVerdict, bool]:
    seen = with_jobs(with_runs(Seen(target=TARGET), [found]), found.id, its)
    row = judge(seen, Rules((Expected("ci.yml"),)), late=False).rows[0]
    return row.verdict, row.settled


def test_jobs_of_an_earlier_attempt_do_not_speak_for_a_later_one() -> None:
    assert verdict(run(attempt=2), job(attempt=1)) == (CiVerdict.UNKNOWN, False)
    assert verdict(run(attempt=2), job(attempt=2)) == (CiVerdict.FLAKY, True)


def test_a_success_whose_jobs_are_not_over_is_not_believed_yet() -> None:
    assert verdict(run(), job(status="in_progress", conclusion=None)) == (CiVerdict.UNKNOWN, False)
    assert verdict(run()) == (CiVerdict.UNKNOWN, False)


def test_an_old_answer_does_not_replace_a_newer_one() -> None:
    seen = with_runs(Seen(target=TARGET), [run(updated=5.0)])
    stale = run(status="in_progress", conclusion=None, updated=9.0)
    assert with_runs(seen, [stale]).runs[1].over
    again = with_runs(seen, [replace(stale, attempt=2)])
    assert not again.runs[1].over


def test_old_jobs_do_not_replace_newer_ones() -> None:
    seen = with_jobs(Seen(target=TARGET), 1, [job(attempt=2)])
    assert with_jobs(seen, 1, [job(attempt=1)]).jobs[1][0].attempt == 2


# --- hollow --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "hollow"),
    [
        (("Set up job", "Run make", "Complete job"), False),
        (("Set up job", "Run actions/checkout@v4", "Post Run actions/checkout@v4"), True),
        (("Set up job", "Run dtolnay/setup-rust@stable"), True),
        (("Set up job", "Run docker/build-push-action@v6"), False),
        (("Set up runner", "Initialize containers", "Stop containers"), True),
        ((), True),
    ],
)
def test_what_is_work_without_a_plan(names: tuple[str, ...], hollow: bool) -> None:
    its = tuple(
        CiStep(number=n, name=name, status="completed", conclusion="success")
        for n, name in enumerate(names, 1)
    )
    assert bool(hollow_reason([job(steps=its)], Expected("ci.yml"))) is hollow


def test_with_a_plan_a_command_of_it_must_have_run() -> None:
    knows = Expected("ci.yml", (ExpectedJob(name="test", commands=("Run make *",)),))
    other = CiStep(number=1, name="Run make test", status="completed", conclusion="skipped")
    assert hollow_reason([job(steps=(other,))], knows)
    assert not hollow_reason([job(steps=(replace(other, conclusion="success"),))], knows)


def test_a_pattern_is_plain_but_for_its_star() -> None:
    assert matches("test (3.11, linux)", "test (*, linux)")
    assert matches("a[b]?", "a[b]?")
    assert not matches("ab", "a?")
    assert not matches("ab", "a[b]")


# --- pace ----------------------------------------------------------------------------------------


def test_delays_grow_and_stop_growing() -> None:
    delay = 3.0
    for _ in range(20):
        assert delay <= next_delay(delay) <= LONGEST_DELAY
        delay = next_delay(delay)
    assert delay == LONGEST_DELAY


@given(
    st.floats(3, 30), st.integers(1, 9), st.integers(0, 6000), st.floats(0, 3600, exclude_min=True)
)
def test_a_small_limit_is_made_to_last(
    delay: float, calls: int, remaining: int, reset_in: float
) -> None:
    slow = paced(delay, calls=calls, remaining=remaining, reset_in=reset_in)
    assert delay <= slow <= max(delay, reset_in)
    if remaining < 500 and slow > delay:
        assert reset_in / slow * calls <= max(remaining, calls) * 1.0001
    if remaining >= 500:
        assert slow == delay


def test_the_page_has_every_verdict_with_its_code_in_order() -> None:
    page = (Path(__file__).parents[2] / "docs" / "watch.md").read_text()
    rows = re.findall(r"^\| `([\w-]+)` \| (\d+) \|", page, re.MULTILINE)
    assert rows == [(verdict.value, str(int(verdict.exit_code))) for verdict in CiVerdict]

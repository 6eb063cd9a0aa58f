"""The release: a fold over the journal in which what is not allowed changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grind.core import events as e
from grind.core.outcome import JobOutcome
from grind.core.release import TABLE, Release, State, fold, results_of, step


def started(tree: str = "t", resumed: bool = False) -> e.RunStarted:
    return e.RunStarted(
        run="r",
        command="check",
        tree=tree,
        commit="c",
        digest="d",
        host="h",
        jobs=(),
        resumed=resumed,
    )


def ended(state: str) -> e.RunEnded:
    return e.RunEnded(run="r", state=state, exit_code=0, executed=1, failed=0, refused=0)


def step_ended(conclusion: str = "failure") -> e.StepEnded:
    return e.StepEnded(
        job="j", step=0, name="n", verdict="executed", outcome=conclusion, conclusion=conclusion
    )


INTENT = e.LandIntent(tree="t", remote="origin", branch="main", expected=None)
COMMITTED = e.LandCommitted("t", "oid")
PUSHED = e.LandPushed("t", "oid", "origin", "main")
FAILED = e.LandFailed("t", "no")
JOB = e.JobEnded(job="j", conclusion="success")
EVENTS: tuple[e.Event, ...] = (
    started(),
    *(ended(word) for word in ("green", "partial", "red", "hollow", "cancelled", "lost", "odd")),
    e.JobStarted("j"),
    e.StepStarted("j", 0, "n"),
    step_ended(),
    JOB,
    INTENT,
    COMMITTED,
    PUSHED,
    FAILED,
    e.Note("info", "x"),
    e.Annotation(job="j", step=0, level="error", message="m"),
)


def entries(*events: e.Event) -> list[e.Entry]:
    return [e.Entry(e.EVENTS_SCHEMA, n, float(n), event) for n, event in enumerate(events, 1)]


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((), State.IDLE),
        ((started(),), State.CHECKING),
        ((started(), ended("green")), State.GREEN),
        ((started(), ended("red")), State.RED),
        ((started(), ended("hollow")), State.HOLLOW),
        ((started(), ended("lost")), State.CHECKING),
        ((started(), started(resumed=True), ended("green")), State.GREEN),
        ((ended("green"),), State.IDLE),
        ((started(), ended("red"), INTENT), State.RED),
        ((started(), ended("partial"), INTENT, PUSHED), State.PARTIAL),
        ((started(), ended("green"), PUSHED), State.GREEN),
        ((started(), ended("green"), INTENT, PUSHED), State.LANDING),
        ((started(), ended("green"), INTENT, COMMITTED, PUSHED), State.LANDED),
        ((started(), ended("green"), INTENT, FAILED), State.GREEN),
        ((started(), INTENT), State.CHECKING),
    ],
)
def test_states(events: tuple[e.Event, ...], state: State) -> None:
    assert fold(entries(*events)).state is state


HISTORIES = st.lists(st.sampled_from(EVENTS), max_size=12).map(lambda events: entries(*events))


@settings(max_examples=200, deadline=None)
@given(HISTORIES, st.sampled_from(EVENTS))
def test_an_event_that_is_not_allowed_changes_nothing(
    before: list[e.Entry], event: e.Event
) -> None:
    release = fold(before)
    after = step(release, e.Entry(e.EVENTS_SCHEMA, 99, 99.0, event))
    name = type(event).__struct_config__.tag
    if isinstance(event, e.RunEnded):
        name = f"{name}:{event.state}"
    of_jobs = isinstance(event, e.JobStarted | e.JobEnded | e.StepStarted | e.StepEnded)
    silent = isinstance(event, e.Note | e.Annotation)
    allowed = name in TABLE[release.state] or (of_jobs and release.state is State.CHECKING)
    if not (allowed or silent):
        assert after == release
    if not allowed:
        assert after.state is release.state


@settings(max_examples=200, deadline=None)
@given(HISTORIES)
def test_a_history_folds_the_same_in_portions(history: list[e.Entry]) -> None:
    release = Release()
    for entry in history:
        release = step(release, entry)
    assert release == fold(history)
    assert release.open is (release.state in (State.CHECKING, State.LANDING, State.COMMITTED))


def test_a_new_run_forgets_the_last_ones_results() -> None:
    release = fold(entries(started(), step_ended(), JOB, ended("red"), started("u")))
    assert (release.jobs, release.failed, release.ended) == ({}, (), None)
    assert release.started is not None
    assert release.started.tree == "u"


def test_results_of_the_last_run() -> None:
    history = entries(
        started(), step_ended(), JOB, ended("red"), started(), step_ended("success"), JOB
    )
    outcomes, records = results_of(history)
    assert outcomes == {"j": JobOutcome("success", "")}
    assert [record.conclusion for record in records] == ["success"]


@pytest.mark.parametrize("event", EVENTS)
def test_an_entry_is_read_as_it_was_written(event: e.Event) -> None:
    entry = entries(event)[0]
    assert e.decode(e.encode(entry)) == entry

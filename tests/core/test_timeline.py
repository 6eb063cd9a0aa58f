"""The picture of one release, folded from its journal."""

from __future__ import annotations

from typing import Any

from grind.core import events as e
from grind.core.timeline import Timeline, timeline

AT = 1_700_000_000.0


def head(key: str, *needs: str) -> e.JobHead:
    steps = (e.StepHead(0, "Build", "executed", line=7),)
    return e.JobHead(key, key.partition("/")[2], "ci.yml", "executed", "", needs, steps)


def started(*jobs: e.JobHead, resumed: bool = False) -> e.RunStarted:
    return e.RunStarted(
        run="r", command="check", tree="t", commit="c", digest="d", host="local", jobs=jobs,
        resumed=resumed,
    )  # fmt: skip


def job(key: str, start: float, end: float, conclusion: str = "success") -> list[tuple[float, Any]]:
    return [
        (start, e.JobStarted(key)),
        (end, step(key, duration=end - start - 0.5, conclusion=conclusion)),
        (end, e.JobEnded(job=key, conclusion=conclusion, duration=end - start)),
    ]


def step(key: str, **more: Any) -> e.StepEnded:
    told = {"verdict": "executed", "outcome": "success", "conclusion": "success", "exit_code": 0}
    return e.StepEnded(job=key, step=0, name="Build", **(told | more))


def over(at: float, state: str = "green") -> tuple[float, Any]:
    ended = e.RunEnded(
        run="r", state=state, exit_code=0, executed=1, failed=0, refused=0, duration=at
    )
    return at, ended


def fold(*told: tuple[float, Any]) -> Timeline:
    entries = [e.Entry(e.EVENTS_SCHEMA, n, AT + at, event) for n, (at, event) in enumerate(told)]
    picture = timeline(entries)
    assert picture is not None
    return picture


def critical(picture: Timeline) -> list[str]:
    return [one.key for one in picture.jobs if one.critical]


def test_nothing_began() -> None:
    assert timeline([]) is None
    assert timeline([e.Entry(e.EVENTS_SCHEMA, 1, AT, e.Note("info", "hello"))]) is None


def test_times_are_counted_from_the_beginning() -> None:
    picture = fold((0, started(head("ci.yml/a"))), *job("ci.yml/a", 1, 4), over(5))
    (one,) = picture.jobs
    assert (picture.at, picture.duration) == (AT, 5)
    assert (one.start, one.end, one.duration) == (1, 4, 3)
    (ran,) = one.steps
    assert (ran.start, ran.duration, ran.line) == (1.5, 2.5, 7)


def test_the_critical_path_goes_back_along_needs() -> None:
    heads = head("ci.yml/a"), head("ci.yml/b"), head("ci.yml/c", "a", "b"), head("ci.yml/d", "a")
    picture = fold(
        (0, started(*heads)),
        *job("ci.yml/a", 0, 2),
        *job("ci.yml/b", 0, 5),
        *job("ci.yml/c", 5, 9),
        *job("ci.yml/d", 2, 8),
        over(9),
    )
    assert critical(picture) == ["ci.yml/b", "ci.yml/c"]


def test_of_a_matrix_the_slowest_combination_is_waited_for() -> None:
    heads = head("ci.yml/t (1)"), head("ci.yml/t (2)"), head("ci.yml/end", "t")
    others = head("other.yml/t")
    picture = fold(
        (0, started(*heads, others)),
        *job("ci.yml/t (1)", 0, 2),
        *job("ci.yml/t (2)", 0, 3),
        *job("other.yml/t", 0, 4),
        *job("ci.yml/end", 3, 6),
        over(6),
    )
    assert critical(picture) == ["ci.yml/t (2)", "ci.yml/end"]


def test_a_job_that_did_not_run_is_on_no_path_and_has_no_times() -> None:
    heads = head("ci.yml/a"), head("ci.yml/deploy", "a")
    skipped = (3, e.JobEnded(job="ci.yml/deploy", conclusion="unproven", reason="deploys"))
    picture = fold((0, started(*heads)), *job("ci.yml/a", 0, 2), skipped, over(3))
    assert critical(picture) == ["ci.yml/a"]
    left_out = picture.jobs[1]
    assert (left_out.start, left_out.end, left_out.reason) == (None, None, "deploys")
    assert left_out.steps[0].start is None


def test_a_run_that_was_cut_off_ends_with_what_is_known() -> None:
    picture = fold((0, started(head("ci.yml/a"))), (2, e.JobStarted("ci.yml/a")))
    assert picture.ended is None
    assert picture.duration == 2
    assert (picture.jobs[0].conclusion, picture.jobs[0].end) == ("running", None)


def test_taken_up_again_it_is_one_run() -> None:
    one = head("ci.yml/a")
    again = (5, started(one, resumed=True))
    picture = fold((0, started(one)), *job("ci.yml/a", 0, 2), again, over(6))
    assert (picture.resumed, picture.runs) == (1, 1)
    assert picture.jobs[0].end == 2


def test_of_several_runs_the_last_one_is_shown() -> None:
    one = head("ci.yml/a")
    first = [(0, started(one)), *job("ci.yml/a", 0, 2, "failure"), over(3, "red")]
    picture = fold(*first, (10, started(one)), *job("ci.yml/a", 11, 12), over(2.5))
    assert (picture.runs, picture.resumed, picture.at) == (2, 0, AT + 10)
    assert picture.jobs[0].conclusion == "success"
    assert picture.jobs[0].start == 1


def test_what_came_after_is_kept_in_order() -> None:
    intent = e.LandIntent(tree="t", remote="origin", branch="main", expected=None)
    pushed = e.LandPushed("t", "o", "origin", "main")
    picture = fold((0, started()), over(1), (2, intent), (3, pushed))
    assert [entry.event for entry in picture.after] == [intent, pushed]


def test_a_clock_that_went_back_gives_no_time_before_the_beginning() -> None:
    picture = fold((0, started(head("ci.yml/a"))), *job("ci.yml/a", -9, -5), over(1))
    (one,) = picture.jobs
    assert (one.start, one.end) == (0, 0)
    assert one.steps[0].start == 0

"""How long a run will still take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.estimate import EARLIER, Estimate, remaining, told, typical
from grind.core.events import JobHead, RunStarted
from grind.core.timeline import JobTime, Timeline


def head(name: str, *needs: str, verdict: str = "executed") -> JobHead:
    return JobHead(f"ci.yml/{name}", name, "ci.yml", verdict, "", needs, ())


def left(
    *jobs: JobHead, known: dict[str, float], parallel: int = 2, **more: object
) -> float | None:
    given = {"done": (), "running": {}} | more
    keyed = {f"ci.yml/{name}": seconds for name, seconds in known.items()}
    running = {f"ci.yml/{k}": v for k, v in given["running"].items()}  # type: ignore[attr-defined]
    done = [f"ci.yml/{name}" for name in given["done"]]  # type: ignore[attr-defined]
    found = remaining(jobs, done, running, keyed, parallel)
    return None if found is None else found.seconds


def test_side_by_side_and_one_after_the_other() -> None:
    a, b, c = head("a"), head("b"), head("c")
    known = {"a": 10.0, "b": 20.0, "c": 5.0}
    assert left(a, b, c, known=known, parallel=3) == 20
    assert left(a, b, c, known=known, parallel=2) == 20
    assert left(a, b, c, known=known, parallel=1) == 35


def test_needs_are_waited_for_whatever_the_order() -> None:
    a, b = head("a"), head("b", "a")
    assert left(b, a, known={"a": 10.0, "b": 20.0}) == 30


def test_what_is_done_counts_no_more_and_what_runs_counts_its_rest() -> None:
    a, b, c = head("a"), head("b", "a"), head("c", "b")
    known = {"a": 10.0, "b": 20.0, "c": 5.0}
    assert left(a, b, c, known=known, done=["a"], running={"b": 15.0}) == 10
    assert left(a, b, c, known=known, done=["a", "b", "c"]) == 0


def test_what_was_never_seen_gives_no_figure() -> None:
    assert left(head("a"), head("b"), known={"a": 1.0}) is None
    assert left(head("a"), head("b"), known={"a": 1.0}, done=["b"]) == 1
    deploy = head("deploy", verdict="skipped")  # never runs here
    assert left(head("a"), deploy, known={"a": 1.0}) == 1


def test_one_that_takes_longer_than_ever_makes_it_a_lower_bound() -> None:
    found = remaining(
        [head("a"), head("b")], [], {"ci.yml/a": 9.0}, {"ci.yml/a": 5.0, "ci.yml/b": 90.0}, 2
    )
    assert found == Estimate(90.0, True)
    assert told(found) == "over 1½ min left"
    assert told(Estimate(0.0, True)) == "longer than usual"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "5 s"),
        (12, "10 s"),
        (58, "60 s"),
        (70, "1 min"),
        (100, "1½ min"),
        (590, "10 min"),
        (3700, "62 min"),
    ],
)
def test_words(seconds: float, words: str) -> None:
    assert told(Estimate(seconds)) == f"about {words} left"
    assert told(None) == ""


NAMES = ["a", "b", "c", "d", "e"]
PLANS = st.lists(
    st.tuples(st.floats(0, 100), st.lists(st.sampled_from(NAMES), max_size=3)),
    min_size=1,
    max_size=5,
)


@given(PLANS, st.integers(1, 4))
def test_it_lies_between_the_longest_job_and_all_of_them(
    plan: list[tuple[float, list[str]]], parallel: int
) -> None:
    jobs, known = [], {}
    for number, (seconds, needs) in enumerate(plan):
        jobs.append(head(NAMES[number], *[n for n in needs if n < NAMES[number]]))
        known[NAMES[number]] = seconds
    found = left(*jobs, known=known, parallel=parallel)
    assert found is not None
    assert max(known.values()) <= found <= sum(known.values()) + 1e-6


def test_typical_is_the_median_of_the_newest_green_times() -> None:
    def picture(seconds: float, conclusion: str = "success") -> Timeline:
        job = JobTime(
            key="ci.yml/a", name="a", workflow="ci.yml", verdict="executed", conclusion=conclusion,
            start=0.0, end=seconds,
        )  # fmt: skip
        started = RunStarted(
            run="r", command="check", tree="t", commit="c", digest="d", host="h", jobs=()
        )
        return Timeline(started=started, at=0.0, duration=seconds, jobs=(job,))

    assert typical([picture(1), picture(99, "failure"), picture(3), picture(2)]) == {"ci.yml/a": 2}
    assert typical([picture(1)] * EARLIER + [picture(100)] * 50) == {"ci.yml/a": 1}
    assert typical([picture(9, "failure")]) == {}

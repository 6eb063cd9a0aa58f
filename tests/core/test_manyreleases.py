"""What many releases tell together."""

from __future__ import annotations

from grind.core import events as e
from grind.core.hostevents import ActivateEnded, ActivateStarted
from grind.core.manyreleases import Kept, host_changes, over_releases
from grind.core.timeline import JobTime, StepTime, Timeline


def kept(
    number: int,
    *,
    tree: str = "t",
    digest: str = "d",
    conclusion: str = "success",
    took: float = 1.0,
    commit: str = "",
    ci: str = "",
) -> Kept:
    started = e.RunStarted(
        run="r", command="check", tree=tree, commit="c", digest=digest, host="h", jobs=()
    )
    step = StepTime(
        index=0, name="Test", line=1, verdict="executed", gating=True, conclusion=conclusion,
        exit_code=int(conclusion != "success"),
    )  # fmt: skip
    job = JobTime(
        key="ci.yml/a", name="a", workflow="ci.yml", verdict="executed", conclusion=conclusion,
        start=0.0, end=took, steps=(step,),
    )  # fmt: skip
    at = 1000.0 * number
    return Kept(
        f"r{number}", Timeline(started=started, at=at, duration=took, jobs=(job,)), commit, ci
    )


def test_the_newest_comes_first_however_they_are_given() -> None:
    rows = over_releases([kept(2), kept(3), kept(1)]).rows
    assert [row.id for row in rows] == ["r3", "r2", "r1"]
    assert rows[0].state == "cut off"


def test_flaky_is_green_and_red_for_the_same_tree_and_plan() -> None:
    many = over_releases(
        [kept(1), kept(2, conclusion="failure"), kept(3), kept(4, tree="u", conclusion="failure")]
    )
    (flaky,) = many.flaky
    assert (flaky.job, flaky.step, flaky.green, flaky.red, flaky.last) == (
        "ci.yml/a", "Test", 2, 1, 2000.0,
    )  # fmt: skip


def test_a_repair_is_not_flaky() -> None:
    assert not over_releases([kept(1, conclusion="failure"), kept(2, tree="u")]).flaky
    assert not over_releases([kept(1, conclusion="failure"), kept(2, digest="e")]).flaky


def test_flaky_in_several_trees_is_counted_together() -> None:
    pairs = [(1, "t", "failure"), (2, "t", "success"), (3, "u", "success"), (4, "u", "failure")]
    many = over_releases([kept(n, tree=tree, conclusion=how) for n, tree, how in pairs])
    (flaky,) = many.flaky
    assert (flaky.green, flaky.red, flaky.last) == (2, 2, 4000.0)


def test_trends_are_of_green_jobs_the_oldest_first() -> None:
    many = over_releases(
        [kept(3, took=5), kept(1, took=1), kept(2, took=9, conclusion="failure"), kept(4, took=3)]
    )
    (trend,) = many.trends
    assert (trend.durations, trend.median) == ((1, 5, 3), 3)
    assert not over_releases([kept(1)]).trends


def test_first_push_green_counts_what_ci_judged() -> None:
    many = over_releases(
        [
            kept(1, commit="c1", ci="clean"),
            kept(2, commit="c2", ci="failed"),
            kept(3, commit="c3", ci="flaky"),
            kept(4, commit="c4", ci="superseded"),
            kept(5, commit="c5"),
            kept(6, ci="clean"),
        ]
    )
    assert (many.pushes, many.first_green) == (3, 1)


def test_what_was_done_to_hosts_is_told_the_newest_first() -> None:
    def entry(at: float, event: e.Event) -> e.Entry:
        return e.Entry(e.EVENTS_SCHEMA, 1, at, event)

    def ended(state: str, generation: str) -> ActivateEnded:
        return ActivateEnded(
            activation="a", host="web", state=state, exit_code=0, generation=generation
        )

    begun = ActivateStarted(activation="a", host="web", purpose="activate", kind="nixos")
    entries = [
        entry(1.0, begun),
        entry(2.0, ended("planned", "7")),
        entry(3.0, begun),
        entry(4.0, ended("rolled-back", "7")),
        entry(5.0, begun),
        entry(6.0, ended("activated", "9")),
    ]
    hosts = over_releases([], host_changes(entries)).hosts
    assert [(one.at, one.state, one.generation) for one in hosts] == [
        (6.0, "activated", "9"),
        (4.0, "rolled-back", "7"),
    ]

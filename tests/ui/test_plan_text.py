"""`grind plan` for people."""

from __future__ import annotations

import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.plan import Plan, Verdict
from grind.ui.layout import cells, fit, wrap
from grind.ui.plan_text import render_plan
from grind.ui.words import ASCII
from tests.ui.golden import check, visible
from tests.ui.sample import EVIL, PLAN, job, step

WIDTHS = (40, 60, 80, 120)
SGR = re.compile("\x1b\\[[0-9;]*m")


@pytest.mark.parametrize("width", WIDTHS)
def test_golden(width: int) -> None:
    text = render_plan(PLAN, width, False)
    assert max(map(cells, text.splitlines())) <= width
    check(f"plan-{width}", text)


def test_colour_adds_nothing_but_colour() -> None:
    coloured = render_plan(PLAN, 80, True)
    assert SGR.sub("", coloured) == render_plan(PLAN, 80, False)
    check("plan-80-colour", visible(coloured))


def test_ascii_signs_only() -> None:
    text = render_plan(msgspec.structs.replace(PLAN, jobs=PLAN.jobs[2:3]), 80, False, ASCII)
    assert text.isascii()


@given(st.text(max_size=30), st.integers(20, 130))
def test_law_hostile_names_and_reasons_stay_in_their_columns(text: str, width: int) -> None:
    plan = msgspec.structs.replace(
        PLAN,
        ref=text,
        notes=(text,),
        jobs=(
            job(EVIL + text, step(0, text, reason=text), reason=text, needs=(text,), workflow=text),
            job("b", step(0, "x", gating=False, gating_reason=text), active=True),
            job(text, active=False, reason=text),
        ),
    )
    shown = render_plan(plan, width, False)
    assert "\x1b" not in shown
    assert all(cells(line) <= width for line in shown.split("\n"))


def test_every_step_of_every_active_job_is_there() -> None:
    jobs = tuple(
        job(f"j{i}", *(step(n, f"step-{i}-{n}", verdict=v) for n, v in enumerate(Verdict)))
        for i in range(5)
    )
    shown = render_plan(msgspec.structs.replace(PLAN, jobs=jobs), 80, False)
    for i in range(5):
        for n, verdict in enumerate(Verdict):
            assert re.search(rf"step-{i}-{n} .*{verdict}", shown)
    assert "25 steps in 5 jobs" in shown


def test_jobs_that_differ_in_their_verdict_are_not_folded() -> None:
    jobs = (
        job("test (1)", step(0, "a"), id="test"),
        job("test (2)", step(0, "a"), id="test", verdict=Verdict.REFUSED),
    )
    shown = render_plan(msgspec.structs.replace(PLAN, jobs=jobs), 80, False)
    assert "2 jobs)" not in shown
    assert "test (2)  refused" in shown or "test (2) refused" in shown


def test_a_job_that_is_refused_whole_is_one_sentence() -> None:
    why = "runs-on windows-latest: this host is not one"
    refused = {"verdict": Verdict.REFUSED, "reason": why}
    steps = [step(n, f"part {n}", **refused) for n in range(3)]
    shown = render_plan(
        msgspec.structs.replace(PLAN, jobs=(job("win", *steps, **refused),)), 80, False
    )
    assert shown.count(why) == 1
    assert "! 3 steps: part 0, part 1, part 2" in shown
    own = step(3, "part 3", verdict=Verdict.REFUSED, reason="another reason")
    shown = render_plan(
        msgspec.structs.replace(PLAN, jobs=(job("win", *steps, own, **refused),)), 80, False
    )
    assert "another reason" in shown
    assert "4 steps:" not in shown


def test_a_reason_that_the_job_has_is_not_said_of_its_steps_again() -> None:
    why = "deploys to environment 'production': shown, never executed"
    first, second = step(0, "one", reason=why), step(1, "two", reason="another")
    jobs = (job("deploy", first, second, reason=why), job("other", first))
    shown = render_plan(msgspec.structs.replace(PLAN, jobs=jobs), 100, False)
    assert [line.strip() for line in shown.splitlines() if why in line] == [why, why]
    deploy, other = shown.split("  other\n")
    assert deploy.index(why) < deploy.index("one") < deploy.index("another")
    assert other.index("one") < other.index(why)


def test_a_matrix_that_is_not_run_is_named_once() -> None:
    jobs = tuple(
        job(f"build (os-{n})", step(0, "a"), id="build", active=False, reason="no tag")
        for n in range(4)
    )
    shown = render_plan(msgspec.structs.replace(PLAN, jobs=jobs), 80, False)
    assert "build (4 jobs): not run for this event, no tag" in shown
    assert "os-1" not in shown


def test_a_plan_of_nothing() -> None:
    empty = Plan(tree="a", commit="b", event="push", ref="r", base=None, jobs=())
    assert "0 steps in 0 jobs" in render_plan(empty, 80, False)


@given(st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60), st.integers(1, 40))
def test_law_fit_fits(text: str, width: int) -> None:
    assert cells(fit(text, width)) <= width
    assert fit(text, 1000) == text


@given(st.lists(st.text("abc日🦀", min_size=1, max_size=30), max_size=10), st.integers(12, 60))
def test_law_wrap_loses_nothing(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width, first="> ", rest="  ")
    assert all(cells(line) <= width for line in lines)
    assert "".join(line[2:] for line in lines).replace(" ", "") == "".join(words)

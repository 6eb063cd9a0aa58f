"""What the results of a run mean."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grind.core.errors import ExitCode
from grind.core.outcome import JobOutcome, Outcome, judge
from grind.core.plan import JobPlan, Plan, Recipe, StepClass, StepPlan, Verdict
from grind.core.receipt import StepRecord

GREEN = JobOutcome("success")


def step(index: int = 0, **more: object) -> StepPlan:
    told: dict[str, object] = {
        "id": "",
        "name": f"step {index}",
        "run": "make",
        "uses": None,
        "shell": "",
        "working_directory": "",
        "env": {},
        "klass": StepClass.CHECK,
        "gating": True,
        "verdict": Verdict.EXECUTED,
        "line": 3 + index,
    }
    return StepPlan(index=index, **(told | more))  # type: ignore[arg-type]


def job(*steps: StepPlan, **more: object) -> JobPlan:
    told: dict[str, object] = {
        "key": "ci.yml/j",
        "id": "j",
        "name": "j",
        "workflow": "ci.yml",
        "line": 1,
        "active": True,
        "klass": StepClass.CHECK,
        "verdict": Verdict.EXECUTED,
    }
    return JobPlan(steps=steps, **(told | more))  # type: ignore[arg-type]


def plan(*jobs: JobPlan) -> Plan:
    return Plan(tree="t", commit="c", event="push", ref="r", base=None, jobs=jobs)


def record(one: StepPlan, key: str = "ci.yml/j", **more: object) -> StepRecord:
    ran = one.executes
    told: dict[str, object] = {
        "verdict": one.verdict.value,
        "conclusion": "success" if one.verdict.proves else "skipped",
        "gating": one.gating,
        "reason": one.reason,
        "exit_code": 0 if ran else None,
    }
    return StepRecord(job=key, step=one.index, name=one.name, **(told | more))  # type: ignore[arg-type]


def judged(one: JobPlan, outcome: JobOutcome = GREEN, *records: StepRecord) -> Outcome:
    return judge(plan(one), {one.key: outcome}, records or [record(s) for s in one.steps])


REFUSED = step(1, verdict=Verdict.REFUSED, reason="no", remedy="do")
NOTIFY = step(1, verdict=Verdict.SKIPPED, klass=StepClass.NOTIFY, reason="tells")
SECRET = step(1, verdict=Verdict.SKIPPED, reason="uses the secret X", remedy="override")
SATISFIED = step(
    1, run=None, uses="a/b@v1", verdict=Verdict.SATISFIED, recipe=Recipe(kind="nothing")
)
OVERRIDDEN = step(1, verdict=Verdict.OVERRIDDEN, recipe=Recipe(kind="nothing"))
INSTEAD = step(1, verdict=Verdict.OVERRIDDEN, recipe=Recipe(kind="run", script="x"))


@pytest.mark.parametrize(
    ("steps", "state", "executed"),
    [
        ((step(),), "green", 1),
        ((step(), SATISFIED), "green", 1),
        ((step(), OVERRIDDEN), "green", 1),
        ((step(), INSTEAD), "green", 2),
        ((step(), NOTIFY), "green", 1),
        ((step(), SECRET), "partial", 1),
        ((step(), REFUSED), "partial", 1),
        ((SATISFIED,), "hollow", 0),
        ((OVERRIDDEN,), "hollow", 0),
        ((INSTEAD,), "green", 1),
        ((step(gating=False),), "hollow", 0),
        ((NOTIFY,), "hollow", 0),
        ((), "hollow", 0),
    ],
)
def test_a_job_that_ended_well(steps: tuple[StepPlan, ...], state: str, executed: int) -> None:
    outcome = judged(job(*steps))
    assert (outcome.state, outcome.executed) == (state, executed)


@pytest.mark.parametrize(
    ("conclusion", "state", "code"),
    [
        ("failure", "red", ExitCode.STEP_FAILED),
        ("lost", "red", ExitCode.STEP_FAILED),
        ("cancelled", "red", ExitCode.STEP_FAILED),
        ("refused", "partial", ExitCode.REFUSED),
        ("no such word", "partial", ExitCode.REFUSED),
        ("skipped", "green", ExitCode.DONE),
        ("unproven", "green", ExitCode.DONE),
    ],
)
def test_a_job_beside_a_green_one(conclusion: str, state: str, code: ExitCode) -> None:
    good, other = job(step()), job(step(), key="ci.yml/other", id="other")
    records = [record(good.steps[0])]
    outcome = judge(
        plan(good, other), {good.key: GREEN, other.key: JobOutcome(conclusion, "why")}, records
    )
    assert (outcome.state, outcome.exit_code) == (state, code)


def test_a_job_that_was_not_run_is_open() -> None:
    good, other = job(step()), job(step(), key="ci.yml/other")
    outcome = judge(plan(good, other), {good.key: GREEN}, [record(good.steps[0])])
    assert outcome.state == "partial"
    assert outcome.open == ("ci.yml/other: was not run",)


def test_a_job_refused_as_a_whole_proves_nothing_whatever_is_said_of_it() -> None:
    """A job without steps (a reusable workflow) once ended in success without having run."""
    good = job(step())
    call = job(key="ci.yml/call", verdict=Verdict.REFUSED, reason="not followed", remedy="settle")
    outcome = judge(plan(good, call), {good.key: GREEN, call.key: GREEN}, [record(good.steps[0])])
    assert outcome.state == "partial"
    assert outcome.open == ("ci.yml/call: not followed",)
    assert outcome.remedies == ("settle",)


def test_a_step_without_a_result_is_open() -> None:
    one = job(step(), step(1))
    assert judged(one, GREEN, record(one.steps[0])).state == "partial"


def test_a_failed_step_in_a_job_that_says_success_is_red() -> None:
    one = job(step())
    assert judged(one, GREEN, record(one.steps[0], conclusion="failure")).state == "red"


def test_a_forgiven_job_does_not_gate() -> None:
    good, other = job(step()), job(step(), key="ci.yml/other")
    outcomes = {good.key: GREEN, other.key: JobOutcome("failure", "", forgiven=True)}
    assert judge(plan(good, other), outcomes, [record(good.steps[0])]).state == "green"


def test_jobs_that_ci_does_not_run_do_not_count() -> None:
    good, off = job(step()), job(step(), key="ci.yml/off", active=False)
    assert judge(plan(good, off), {good.key: GREEN}, [record(good.steps[0])]).state == "green"


def test_red_goes_before_partial_and_partial_before_hollow() -> None:
    red, refused = job(step()), job(REFUSED, key="ci.yml/r", verdict=Verdict.REFUSED)
    both = {red.key: JobOutcome("failure"), refused.key: JobOutcome("refused", "no")}
    assert judge(plan(red, refused), both, []).state == "red"
    assert judge(plan(refused), both, []).state == "partial"


verdicts = st.sampled_from(list(Verdict))
steps = st.lists(
    st.tuples(verdicts, st.booleans(), st.sampled_from(list(StepClass)), st.booleans()), max_size=5
)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_green_iff_every_gating_step_proves_and_one_was_executed(
    rows: list[tuple[Verdict, bool, StepClass, bool]],
) -> None:
    made = tuple(
        step(i, verdict=v, gating=g, klass=k, run="x" if own else None, reason="r")
        for i, (v, g, k, own) in enumerate(rows)
    )
    one = job(*made)
    gating = [s for s in made if s.gating]
    proven = all(s.verdict.proves or s.klass.outward for s in gating)
    ran = any(s.executes for s in gating)
    assert (judged(one).state == "green") == (proven and ran)


def test_where_the_event_starts_no_job_the_way_on_is_named() -> None:
    one = step(0)
    idle = judge(plan(job(one, active=False, reason="does not run on push")), {}, [])
    assert idle.state == "hollow"
    assert "no job runs on push" in idle.remedies[0]
    assert not judge(plan(), {}, []).remedies

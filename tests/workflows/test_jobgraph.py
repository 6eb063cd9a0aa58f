"""`needs` and job conditions, against a second reading of GitHub's rules made by brute force."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grind.core.plan import JobPlan, StepClass, Verdict
from grind.workflows.expressions import UNKNOWN
from grind.workflows.jobgraph import JobResult, Leave, Start, combined, decide

IFS = (
    "",
    "success()",
    "failure()",
    "always()",
    "!failure()",
    "!cancelled()",
    "failure() || success()",
)
ENDS = ("success", "failure", "cancelled", "skipped")


def job(name: str, needs: tuple[str, ...] = (), if_: str = "") -> JobPlan:
    return JobPlan(
        key=f"ci.yml/{name}",
        id=name,
        name=name,
        workflow=".github/workflows/ci.yml",
        line=1,
        needs=needs,
        active=True,
        klass=StepClass.CHECK,
        verdict=Verdict.EXECUTED,
        if_=if_,
    )


def siblings(*jobs: JobPlan) -> dict[str, tuple[JobPlan, ...]]:
    return {one.id: (one,) for one in jobs}


def ends(**conclusions: str) -> dict[str, JobResult]:
    return {f"ci.yml/{name}": JobResult(word, {}) for name, word in conclusions.items()}


def ask(if_: str, conclusion: str, contexts: Mapping[str, object] | None = None) -> Start | Leave:
    first, last = job("a"), job("b", ("a",), if_)
    return decide(last, siblings(first, last), ends(a=conclusion), contexts or {})


def word_of(answer: Start | Leave) -> str:
    return "starts" if isinstance(answer, Start) else answer.conclusion


@pytest.mark.parametrize(
    ("if_", "conclusion", "expected"),
    [
        ("", "success", "starts"),
        ("", "failure", "skipped"),
        ("", "skipped", "skipped"),
        ("", "cancelled", "skipped"),
        ("", "refused", "refused"),
        ("", "unproven", "refused"),
        ("always()", "failure", "starts"),
        ("always()", "skipped", "starts"),
        ("always()", "refused", "starts"),
        ("always()", "unproven", "starts"),
        ("!cancelled()", "unproven", "starts"),
        ("failure()", "failure", "starts"),
        ("failure()", "success", "skipped"),
        ("failure()", "refused", "skipped"),
        ("needs.a.result == 'failure'", "failure", "skipped"),  # success() is implied
        ("always() && needs.a.result == 'failure'", "failure", "starts"),
        ("always() && needs.a.result == 'success'", "unproven", "refused"),
        ("always() && needs.a.result == 'skipped'", "skipped", "starts"),
        ("always() && contains(needs.*.result, 'failure')", "refused", "refused"),
        ("false", "refused", "refused"),
        ("fromJSON('{')", "success", "refused"),
        ("vars.X == 'y'", "success", "refused"),
    ],
)
def test_a_job_after_another(if_: str, conclusion: str, expected: str) -> None:
    assert word_of(ask(if_, conclusion, {"vars": UNKNOWN})) == expected


def test_needs_counts_through_jobs_between() -> None:
    jobs = job("a"), job("b", ("a",), "always()"), job("c", ("b",))
    answer = decide(jobs[2], siblings(*jobs), ends(a="skipped", b="success"), {})
    assert word_of(answer) == "skipped"


def test_an_output_that_is_not_known_refuses_what_hangs_on_it() -> None:
    first, last = job("a"), job("b", ("a",), "needs.a.outputs.build == 'yes'")
    results = {"ci.yml/a": JobResult("success", {"build": UNKNOWN})}
    answer = decide(last, siblings(first, last), results, {})
    assert isinstance(answer, Leave)
    assert answer.conclusion == "refused"
    assert "needs.a.outputs.build" in answer.reason


def test_a_forgiven_failure_is_a_success_to_others() -> None:
    assert combined([JobResult("failure", {}, forgiven=True)]).conclusion == "success"


def test_outputs_of_combinations_that_differ_are_not_known() -> None:
    both = combined(
        [JobResult("success", {"x": "1", "y": ""}), JobResult("success", {"x": "2", "y": "b"})]
    )
    assert both.outputs == {"x": UNKNOWN, "y": "b"}


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[JobPlan], dict[str, str]]:
    """Jobs in order of their needs, and how each ends if it starts."""
    names = [f"j{i}" for i in range(draw(st.integers(1, 6)))]
    jobs = []
    for index, name in enumerate(names):
        needs = draw(st.lists(st.sampled_from(names[:index]), unique=True)) if index else []
        jobs.append(job(name, tuple(needs), draw(st.sampled_from(IFS))))
    return jobs, {name: draw(st.sampled_from(("success", "failure"))) for name in names}


def reference(jobs: list[JobPlan], would: dict[str, str]) -> dict[str, str]:
    """GitHub's rules, written down a second time: by words, and by recursion over the needs."""
    by_id = {one.id: one for one in jobs}
    found: dict[str, str] = {}

    def ancestors(name: str) -> set[str]:
        direct = set(by_id[name].needs)
        return direct.union(*(ancestors(other) for other in direct))

    for one in jobs:
        before = [found[name] for name in ancestors(one.id)]
        good, bad = all(word == "success" for word in before), "failure" in before
        runs = {
            "": good,
            "success()": good,
            "failure()": bad,
            "always()": True,
            "!failure()": not bad,
            "!cancelled()": True,
            "failure() || success()": good or bad,
        }[one.if_]
        found[one.id] = would[one.id] if runs else "skipped"
    return found


@settings(max_examples=300, deadline=None)
@given(graphs())
def test_agrees_with_a_reference_by_brute_force(
    graph: tuple[list[JobPlan], dict[str, str]],
) -> None:
    jobs, would = graph
    results: dict[str, JobResult] = {}
    for one in jobs:
        answer = decide(one, siblings(*jobs), results, {})
        word = would[one.id] if isinstance(answer, Start) else answer.conclusion
        results[one.key] = JobResult(word, {})
    assert {one.id: results[one.key].conclusion for one in jobs} == reference(jobs, would)

"""Combinations that a `[[verdict]]` selects: matching, what is left to CI, and what selects nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.config import load, require_selected
from grind.core.errors import ProblemsError
from grind.core.plan import Verdict
from grind.core.plandoc import document
from grind.core.remedy import inline
from grind.core.weakening import weakened_plan
from grind.workflows.expressions import UNKNOWN
from grind.workflows.jobgraph import JobResult, combined
from grind.workflows.legs import agrees, unmatched
from tests.workflows.plans import plan_of

CI = """
name: CI
on: push
jobs:
  test:
    runs-on: ${{ matrix.os }}
    strategy:
      matrix:
        os: [ubuntu-latest, windows-latest, macos-latest]
        python: ["3.10", 3.11]
    steps:
      - run: make test
      - name: odd
        run: make odd
  after:
    runs-on: ubuntu-latest
    needs: test
    steps:
      - run: echo done
"""
LEFT = """
[[verdict]]
workflow = "ci.yml"
job = "test"
matrix = { os = ["windows-latest", "macos-latest"] }
verdict = "skipped"
reason = "only CI has these"
"""

plain = st.one_of(
    st.text(max_size=5), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False, width=16)
)
legs = st.dictionaries(st.text("abcd", min_size=1, max_size=2), plain, max_size=4)


@given(legs, st.data())
def test_every_part_of_a_combination_selects_it(
    values: dict[str, Any], data: st.DataObject
) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(values)), unique=True)) if values else []
    assert agrees({name: values[name] for name in names}, values)
    assert agrees({name.upper(): [0, values[name]] for name in names}, values)


@given(legs, legs)
def test_all_keys_must_have_their_value(wanted: dict[str, Any], values: dict[str, Any]) -> None:
    """Selecting by two tables at once is selecting by both."""
    both = {**wanted, **values}
    if all(agrees({name: value}, values) for name, value in wanted.items()):
        assert agrees(both, values) == agrees(wanted, values) == agrees(values, values)
    else:
        assert not agrees(wanted, values)


@given(plain, st.lists(plain, max_size=4))
def test_a_list_is_any_of_its_values(value: Any, several: list[Any]) -> None:
    leg = {"a": value}
    assert agrees({"a": several}, leg) == any(agrees({"a": one}, leg) for one in several)


@given(plain, plain)
def test_values_of_two_kinds_are_never_the_same(one: Any, other: Any) -> None:
    def kind(value: Any) -> str:
        return "b" if isinstance(value, bool) else "s" if isinstance(value, str) else "n"

    if kind(one) != kind(other):
        assert not agrees({"a": one}, {"a": other})


@pytest.mark.parametrize(
    ("wanted", "value", "same"),
    [
        ("Windows-Latest", "windows-latest", True),
        ("3.10", 3.1, False),
        (3.1, "3.10", False),
        (3, 3.0, True),
        (1, True, False),
        (True, True, True),
        ("true", True, False),
        ("", None, False),
        ("a", {"b": "a"}, False),
    ],
)
def test_compared_as_they_are_typed(wanted: Any, value: Any, same: bool) -> None:
    assert agrees({"x": wanted}, {"x": value}) is same


def test_neither_without_a_matrix_nor_before_it_is_known() -> None:
    assert not agrees({"os": "a"}, None)
    assert not agrees({"os": "a"}, {})


def test_without_a_word_of_yours_they_are_refused_with_the_lines_that_would_settle_it() -> None:
    plan = plan_of(CI)
    leg = plan.job("ci.yml/test (windows-latest, 3.10)")
    assert (leg.verdict, leg.left) == (Verdict.REFUSED, False)
    advice, _, table = leg.remedy.partition("\n")
    assert "no Linux host can stand for it; if that is what you decide:" in advice
    assert 'matrix = { os = "windows-latest" }\nverdict = "skipped"\n' in table
    # What is suggested settles exactly that, and is accepted.
    settled = plan_of(CI, config=table)
    assert {job.key for job in settled.jobs if job.left} == {
        "ci.yml/test (windows-latest, 3.10)",
        "ci.yml/test (windows-latest, 3.11)",
    }


def test_what_is_left_to_ci_is_skipped_whole_with_the_reason() -> None:
    plan = plan_of(CI, config=LEFT)
    left = [job for job in plan.jobs if job.left]
    assert len(left) == 4
    for job in left:
        assert (job.verdict, job.active) == (Verdict.SKIPPED, True)
        assert job.reason == "left to CI by grind.toml: only CI has these"
        assert {step.verdict for step in job.steps} == {Verdict.SKIPPED}
    rows = {row["key"]: row for row in document(plan)["jobs"]}
    assert rows["ci.yml/test (macos-latest, 3.11)"]["left"] is True
    assert "left" not in rows["ci.yml/test (ubuntu-latest, 3.10)"]
    assert plan.job("ci.yml/test (ubuntu-latest, 3.10)").verdict is Verdict.EXECUTED


def test_what_needs_the_job_goes_on_unless_nothing_of_it_is_proven() -> None:
    after = plan_of(CI, config=LEFT).job("ci.yml/after")
    assert after.verdict is Verdict.EXECUTED
    everything = LEFT.replace('["windows', '["ubuntu-latest", "windows')
    after = plan_of(CI, config=everything).job("ci.yml/after")
    assert after.verdict is Verdict.SKIPPED
    assert "left to CI by grind.toml" in after.reason


def test_results_of_a_job_of_which_a_part_is_left() -> None:
    left = JobResult("unproven", {"x": UNKNOWN}, left=True)
    well, red = JobResult("success", {"x": "1"}), JobResult("failure", {})
    assert combined([left, well]).conclusion == "success"
    assert combined([left, well]).outputs == {"x": UNKNOWN}
    assert combined([left, red]).conclusion == "failure"
    assert combined([left, left]).conclusion == "unproven"


def test_a_step_of_one_combination() -> None:
    config = """
    [[verdict]]
    job = "test"
    step = "odd"
    matrix = { os = "ubuntu-latest", python = "3.10" }
    verdict = "overridden"
    reason = "not here"
    """
    plan = plan_of(CI, config=config)
    odd = {job.key: job.steps[1].verdict for job in plan.jobs if job.key.startswith("ci.yml/test")}
    assert odd["ci.yml/test (ubuntu-latest, 3.10)"] is Verdict.OVERRIDDEN
    assert odd["ci.yml/test (ubuntu-latest, 3.11)"] is Verdict.EXECUTED
    assert not any(job.left for job in plan.jobs)


def test_leaving_a_combination_to_ci_is_weakening_and_changes_what_is_proven() -> None:
    base, now = plan_of(CI), plan_of(CI, config=LEFT)
    found = weakened_plan(base, now)
    assert [(one.where, one.base) for one in found] == [
        (job.key, "must be proven") for job in now.jobs if job.left
    ]
    assert weakened_plan(now, now) == weakened_plan(now, base) == ()
    assert base.digest != now.digest
    other = plan_of(CI, config=LEFT.replace("only CI", "CI alone"))
    assert other.digest == now.digest, "a reason changes nothing of what is run"


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (
            'job = "test"\nmatrix = { os = "window-latest" }',
            "one of these, or a part of it: { os = ",
        ),
        ('job = "test"\nmatrix = { os = "windows-latest", arch = "x" }', "python = 3.11 }"),
        ("matrix = { python = 3.10 }", '{ os = "ubuntu-latest", python = "3.10" }'),
        ('job = "after"\nmatrix = { os = "windows-latest" }', "those selected have none"),
        ('job = "tests"\nmatrix = { os = "windows-latest" }', "no job is selected by these"),
    ],
)
def test_what_selects_nothing_is_an_error_at_its_place(rule: str, told: str) -> None:
    text = f'\n[[verdict]]\n{rule}\nverdict = "skipped"\nreason = "r"\n'
    config = load("grind.toml", text.encode())
    plan = plan_of(CI, config=text)
    with pytest.raises(ProblemsError) as raised:
        require_selected(text.encode(), unmatched(config, plan.jobs))
    (problem,) = raised.value.problems
    assert told in problem.expected
    assert (
        problem.line
        == text.split("\n").index(next(x for x in text.split("\n") if "matrix" in x)) + 1
    )
    assert "selects no combination" in problem.message


def test_a_matrix_that_is_not_known_yet_may_be_what_is_meant() -> None:
    text = CI.replace(
        "[ubuntu-latest, windows-latest, macos-latest]", "${{ fromJSON(needs.a.outputs.x) }}"
    )
    text = text.replace(
        "  test:\n",
        "  a:\n    runs-on: ubuntu-latest\n    outputs: {x: '[1]'}\n    steps: [run: x]\n  test:\n    needs: a\n",
    )
    plan = plan_of(text, config=LEFT)
    assert list(unmatched(load("grind.toml", LEFT.encode()), plan.jobs)) == []


@pytest.mark.parametrize("value", ["{}", "{ os = {a = 1} }", "[1]", '"x"', "{ os = 2020-01-01 }"])
def test_selectors_of_the_wrong_shape(value: str) -> None:
    text = f'[[verdict]]\nmatrix = {value}\nverdict = "skipped"\nreason = "r"\n'
    with pytest.raises(ProblemsError) as raised:
        load("grind.toml", text.encode())
    assert raised.value.problems[0].line == 2


@given(legs)
def test_a_combination_is_written_as_toml_reads_it(values: dict[str, Any]) -> None:
    import tomllib

    assert tomllib.loads(f"a = {inline(values)}")["a"] == values

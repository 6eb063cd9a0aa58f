"""What a job gives the reusable workflow that it calls."""

from __future__ import annotations

import pytest

from grind.workflows.calls import check_call, inputs_of
from grind.workflows.reader import read_workflow
from grind.workflows.syntax import Workflow


def workflow(text: str) -> Workflow:
    reading = read_workflow("called.yml", text.encode())
    assert reading.problems == ()
    assert reading.workflow is not None
    return reading.workflow


CALLED = workflow(
    "on:\n  workflow_call:\n    inputs:\n      Name: {type: string, required: true}\n"
    "      count: {type: number, default: 3}\n      dry: {type: boolean}\n"
    "    secrets:\n      token: {required: true}\n      other:\n"
    "jobs: {a: {runs-on: x}}\n"
)
USES = "uses: ./.github/workflows/called.yml"
GOOD = "with: {name: a}, secrets: {TOKEN: b}"


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        (GOOD, []),
        ("with: {name: 3, count: 4, dry: true}, secrets: {token: b, other: c}", []),
        ("with: {name: a}, secrets: inherit", []),
        ("with: '${{ fromJSON(vars.X) }}', secrets: inherit", []),
        ("with: {name: a, count: '${{ vars.X }}', dry: '${{ vars.Y }}'}, secrets: inherit", []),
        (
            "secrets: inherit",
            ["c.yml:2:18: the input 'Name' of the called workflow is missing"],
        ),
        (
            "with: {name: a}",
            ["c.yml:2:18: the secret 'token' of the called workflow is missing"],
        ),
        (
            "with: {name: a, what: b}, secrets: {token: a, nope: b}",
            [
                "c.yml:2:66: the called workflow has no input 'what'"
                " (expected one of Name, count, dry)",
                "c.yml:2:96: the called workflow has no secret 'nope'",
            ],
        ),
        (
            "with: {name: a, count: many, dry: 'true'}, secrets: inherit",
            [
                "c.yml:2:73: 'many' is no number, which 'count' is (expected a number)",
                "c.yml:2:84: 'true' is no boolean, which 'dry' is (expected a boolean)",
            ],
        ),
    ],
)
def test_a_call_gives_what_is_declared(given: str, messages: list[str]) -> None:
    text = f"on: push\njobs: {{a: {{{USES}, {given}}}}}\n"
    (job,) = workflow(text).jobs
    assert [str(problem) for problem in check_call("c.yml", job, CALLED)] == messages


def test_a_workflow_without_workflow_call_cannot_be_called() -> None:
    (job,) = workflow(f"on: push\njobs: {{a: {{{USES}, {GOOD}}}}}\n").jobs
    (problem,) = check_call("c.yml", job, workflow("on: push\njobs: {a: {runs-on: x}}\n"))
    assert "cannot be called" in problem.message


def test_inputs_have_types_and_defaults() -> None:
    name, count, dry = inputs_of(CALLED)
    assert (name.type, name.required, name.default, name.absent()) == ("string", True, None, "")
    assert count.default is not None
    assert (count.type, count.required, count.default.value) == ("number", False, 3)
    assert (dry.absent(), count.absent()) == (False, 0)
    dispatch = workflow(
        "on: {workflow_dispatch: {inputs: {a: , b: {type: choice, options: [x, y]}}}}\n"
        "jobs: {a: {runs-on: x}}\n"
    )
    plain, choice = inputs_of(dispatch, "workflow_dispatch")
    assert (plain.type, plain.options) == ("string", ())
    assert [option.text for option in choice.options] == ["x", "y"]
    assert inputs_of(dispatch) == ()

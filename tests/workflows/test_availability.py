"""Which contexts and functions may be used where, from GitHub's table of context availability."""

from __future__ import annotations

import pytest

from grind.workflows.action import read_action
from grind.workflows.availability import Use, check_expressions, uses_of
from grind.workflows.expressions import ExpressionError
from grind.workflows.reader import read_workflow

CONTEXTS = {
    *("github", "inputs", "vars", "needs", "strategy", "matrix"),
    *("steps", "job", "runner", "env", "secrets", "jobs"),
}
FUNCTIONS = {"always()", "success()", "failure()", "cancelled()", "hashFiles('a')"}
GLOBAL = {"github", "inputs", "vars"}
NEEDS = GLOBAL | {"needs"}
MATRIX = NEEDS | {"strategy", "matrix"}
RUNNER = MATRIX | {"steps", "job", "runner", "env"}
STEP = RUNNER | {"secrets", "hashFiles('a')"}
STATUS = {"always()", "success()", "failure()", "cancelled()"}

TABLE = {
    "run-name": ("on: push\nrun-name: HERE\njobs: {a: {runs-on: x}}", GLOBAL),
    "env": ("on: push\nenv: {A: HERE}\njobs: {a: {runs-on: x}}", GLOBAL | {"secrets"}),
    "concurrency": ("on: push\nconcurrency: HERE\njobs: {a: {runs-on: x}}", GLOBAL),
    "inputs.default": (
        "on: {workflow_call: {inputs: {i: {type: string, default: HERE}}}}\n"
        "jobs: {a: {runs-on: x}}",
        GLOBAL,
    ),
    "outputs.value": (
        "on: {workflow_call: {outputs: {o: {value: HERE}}}}\njobs: {a: {runs-on: x}}",
        GLOBAL | {"jobs"},
    ),
    "job.if": ("{if: HERE}", NEEDS | STATUS),
    "job.name": ("{name: HERE}", MATRIX),
    "job.runs-on": ("{runs-on: HERE}", MATRIX),
    "job.runs-on.group": ("{runs-on: {group: HERE}}", MATRIX),
    "job.concurrency": ("{concurrency: {group: HERE}}", MATRIX),
    "job.environment": ("{environment: HERE}", MATRIX),
    "job.environment.url": ("{environment: {name: n, url: HERE}}", RUNNER),
    "job.env": ("{env: {A: HERE}}", MATRIX | {"secrets"}),
    "job.outputs": ("{outputs: {o: HERE}}", RUNNER | {"secrets"}),
    "job.strategy": ("{strategy: {matrix: HERE}}", NEEDS),
    "job.strategy.fail-fast": ("{strategy: {fail-fast: HERE}}", NEEDS),
    "job.timeout-minutes": ("{timeout-minutes: HERE}", MATRIX),
    "job.continue-on-error": ("{continue-on-error: HERE}", MATRIX),
    "job.container": ("{container: HERE}", MATRIX),
    "job.container.credentials": (
        "{container: {image: i, credentials: {username: HERE, password: p}}}",
        MATRIX | {"env", "secrets"},
    ),
    "job.container.env": ("{container: {image: i, env: {A: HERE}}}", RUNNER | {"secrets"}),
    "job.services": ("{services: {s: {image: HERE}}}", MATRIX),
    "job.defaults.run.shell": ("{defaults: {run: {shell: HERE}}}", MATRIX | {"env"}),
    "step.if": ("{steps: [{run: a, if: HERE}]}", RUNNER | STATUS | {"hashFiles('a')"}),
    "step.run": ("{steps: [{run: HERE}]}", STEP),
    "step.name": ("{steps: [{run: a, name: HERE}]}", STEP),
    "step.env": ("{steps: [{run: a, env: {A: HERE}}]}", STEP),
    "step.with": ("{steps: [{uses: ./a, with: {a: HERE}}]}", STEP),
    "step.working-directory": ("{steps: [{run: a, working-directory: HERE}]}", STEP),
    "step.timeout-minutes": ("{steps: [{run: a, timeout-minutes: HERE}]}", STEP),
    "step.continue-on-error": ("{steps: [{run: a, continue-on-error: HERE}]}", STEP),
    "parallel step": ("{steps: [{parallel: [{run: HERE}]}]}", STEP),
    "call.with": ("CALL {with: {a: HERE}}", MATRIX),
    "call.secrets": ("CALL {secrets: {a: HERE}}", MATRIX | {"secrets"}),
}
CALL = "uses: ./.github/workflows/b.yml, "


@pytest.mark.parametrize("key", TABLE)
def test_contexts_and_functions_are_available_as_documented(key: str) -> None:
    text, allowed = TABLE[key]
    if text.startswith("CALL"):
        text = "on: push\njobs: {a: {" + CALL + text.removeprefix("CALL {") + "}"
    elif text.startswith("{"):
        runs_on = "" if "runs-on" in text else "runs-on: x, "
        text = "on: push\njobs: {a: {" + runs_on + text.removeprefix("{") + "}"
    for use in sorted(CONTEXTS | FUNCTIONS):
        expression = use if "(" in use else f"{use}.x"
        source = text.replace("HERE", '"${{ ' + expression + ' }}"')
        reading = read_workflow("w.yml", source.encode())
        assert reading.problems == (), source
        assert reading.workflow is not None
        found = check_expressions(reading.workflow)
        assert (found == ()) is (use in allowed), (key, use, found)


def test_where_no_context_is_available_no_expression_is_allowed() -> None:
    for text in ("{steps: [{run: a, shell: HERE}]}", "{steps: [{run: a, id: HERE}]}"):
        source = f"on: push\njobs: {{a: {{runs-on: x, {text[1:]}}}".replace(
            "HERE", "'${{ github.x }}'"
        )
        reading = read_workflow("w.yml", source.encode())
        assert "an expression is not allowed here" in str(reading.problems)


def test_case_does_not_matter_and_built_in_functions_are_everywhere() -> None:
    source = (
        b"on: push\nrun-name: ${{ fromJSON(toJSON(GitHub.sha)) }} ${{ format('{0}', INPUTS.x) }}\n"
        b"jobs: {a: {runs-on: x, if: \"ALWAYS() && contains(GITHUB.ref, 'x')\"}}\n"
    )
    reading = read_workflow("w.yml", source)
    assert reading.workflow is not None
    assert check_expressions(reading.workflow) == ()


def test_places_in_blocks_are_the_lines_of_the_file() -> None:
    source = (
        "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: |\n          one\n"
        "          ${{ nope.x }}\n      - run: >\n          folded\n          ${{ nope.x }}\n"
    )
    reading = read_workflow("w.yml", source.encode())
    assert reading.workflow is not None
    places = [(found.line, found.column) for found in check_expressions(reading.workflow)]
    assert places == [(8, None), (10, None)]


def test_the_parse_function_is_the_callers() -> None:
    def parse(text: str, condition: bool) -> tuple[Use, ...]:
        if "boom" in text:
            raise ExpressionError("no", 0)
        return (Use("secrets", 0),) if condition else ()

    source = b"on: push\njobs: {a: {runs-on: '${{ boom }}', if: x}}\n"
    reading = read_workflow("w.yml", source)
    assert reading.workflow is not None
    found = [str(problem) for problem in check_expressions(reading.workflow, parse)]
    assert [line.split(" (")[0] for line in found] == [
        "w.yml:2:21: no",
        "w.yml:2:40: the context 'secrets' is not available here",
    ]


def test_uses_are_found_with_their_offsets() -> None:
    assert uses_of("a ${{ env.A }} ${{ join(matrix.b) }}", False) == (
        Use("env", 6),
        Use("join()", 19),
        Use("matrix", 24),
    )
    assert uses_of("  always()", True) == (Use("always()", 2),)
    assert uses_of("", True) == ()
    assert uses_of("no hole", False) == ()


def test_actions_have_a_table_of_their_own() -> None:
    source = (
        b"inputs: {a: {default: '${{ github.token }}'}, b: {default: '${{ inputs.a }}'}}\n"
        b"outputs: {o: {value: '${{ steps.s.outputs.o }}'}}\n"
        b"runs:\n  using: composite\n  steps:\n"
        b"    - {run: '${{ inputs.a }} ${{ secrets.b }}', shell: '${{ env.A }}', if: failure()}\n"
    )
    reading = read_action("action.yml", source)
    assert reading.problems == ()
    assert reading.action is not None
    found = check_expressions(reading.action)
    assert [(one.line, one.message) for one in found] == [
        (1, "the context 'inputs' is not available here"),
        (6, "the context 'secrets' is not available here"),
    ]

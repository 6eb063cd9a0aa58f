"""The reader as a whole: totality, limits, and what the goldens do not show."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grind.workflows.availability import check_expressions
from grind.workflows.checks_on import cron_fault
from grind.workflows.conform import MAX_PROBLEMS, quote
from grind.workflows.reader import read_workflow
from grind.workflows.schema import EVENTS, WORKFLOW
from grind.workflows.schema_action import ACTION
from grind.workflows.triggers import Event, decide

JOB = "jobs: {a: {runs-on: x, steps: [{run: make}]}}\n"


def problems(text: str) -> list[str]:
    return [str(problem) for problem in read_workflow("w.yml", text.encode()).problems]


def test_every_rule_that_a_table_names_exists() -> None:
    for rules in (WORKFLOW, ACTION):
        for name, rule in rules.items():
            wanted = {rule.item, *(shape.value for shape in rule.shapes)} - {""}
            for shape in rule.shapes:
                wanted |= set(shape.keys.values())
                assert set(shape.required) <= set(shape.keys), name
            assert wanted <= set(rules), name


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_may_stand_alone(event: str) -> None:
    if event != "schedule":
        assert problems(f"on: {event}\n{JOB}") == []
        assert problems(f"on: [{event}]\n{JOB}") == []
        assert problems(f"on: {{{event}: }}\n{JOB}") == []


def test_what_can_be_read_of_a_faulty_file_is_there() -> None:
    reading = read_workflow("w.yml", b"on: push\nfoo: 1\njobs: {a: {runs-on: x, steps: [{}]}}\n")
    assert len(reading.problems) == 2
    assert reading.workflow is not None
    assert [job.id for job in reading.workflow.jobs] == ["a"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (JOB, "w.yml:1:1: 'on' is missing in this mapping"),
        ("on: push\n", "w.yml:1:1: 'jobs' is missing in this mapping"),
        ("on:\njobs: {a: {runs-on: x}}\n", "w.yml:1:4: a value is missing"),
        ("on: push\njobs: {a: }\n", "w.yml:2:11: a value is missing (expected a mapping)"),
        ("on: push\njobs: {a: {runs-on: }}\n", "w.yml:2:21: a value is missing"),
        ("on: push\njobs: {a: {runs-on: []}}\n", "w.yml:2:21: runs-on names no label"),
        ("on: pusj\n" + JOB, "w.yml:1:5: 'pusj' is not known; did you mean 'push'?"),
        ("on: push\npermissions: admin\n" + JOB, "w.yml:2:14: 'admin' is not known"),
        ("on: push\npermissions: {id-token: read}\n" + JOB, "w.yml:2:25: 'read' is not known"),
        (
            "on: push\nconcurrency: {group: a, queue: max, cancel-in-progress: true}\n" + JOB,
            "w.yml:2:32: 'queue: max' excludes 'cancel-in-progress: true'",
        ),
        (
            f"on: push\nconcurrency: {'x' * 401}\n{JOB}",
            "w.yml:2:14: the name of a concurrency group may have at most 400 characters",
        ),
        (
            "on: push\nconcurrency: g\njobs: {a: {runs-on: x, concurrency: g}}\n",
            "w.yml:3:37: the group 'g' is the workflow's own: the job waits for itself",
        ),
        (
            "on: push\njobs: {a: {runs-on: {group: a/b}}}\n",
            "w.yml:2:29: 'a/b' is no runner group",
        ),
        (
            "on: push\njobs: {a: {runs-on: x, container: {options: y}}}\n",
            "w.yml:2:35: a container needs an image",
        ),
        (
            "on: push\njobs: {a: {runs-on: x, services: {b: ''}}}\n",
            "w.yml:2:38: a container image must not be empty",
        ),
        (
            "on: push\njobs: {a: {runs-on: x, strategy: {matrix: {a: %s}}}}\n" % [*range(257)],
            "w.yml:2:43: the matrix has more than 256 jobs",
        ),
    ],
)
def test_problems_have_a_place_and_a_reason(text: str, message: str) -> None:
    found = problems(text)
    assert len(found) == 1, found
    assert found[0].startswith(message)


def test_an_excluded_away_matrix_is_left_to_who_runs_it() -> None:
    matrix = "{a: [1], exclude: [{a: 1}]}"
    assert (
        problems(f"on: push\njobs: {{a: {{runs-on: x, strategy: {{matrix: {matrix}}}}}}}\n") == []
    )


@pytest.mark.parametrize(
    ("cron", "good"),
    [
        ("* * * * *", True),
        ("*/5 0-23/2 1,15 jan-Mar MON-FRI", True),
        ("0 0 * * 0", True),
        ("5/15 * * * *", True),
        ("60 * * * *", False),
        ("* 24 * * *", False),
        ("* * 0 * *", False),
        ("* * * 13 *", False),
        ("* * * * 8", False),
        ("* * * *", False),
        ("@daily", False),
        ("*/0 * * * *", False),
        ("5-1 * * * *", False),
        ("1- * * * *", False),
        (", * * * *", False),
        ("mon * * * *", False),
    ],
)
def test_schedules(cron: str, good: bool) -> None:
    assert (cron_fault(cron) == "") is good


def test_hostile_texts_in_messages_are_tamed() -> None:
    assert quote("a\x1b[31m" + "b" * 100) == "'a�[31m" + "b" * 51 + "…'"
    (found,) = problems(f'on: push\n"\\e[31m{"x" * 90}": 1\n{JOB}')
    assert "\x1b" not in found


def test_problems_are_limited_and_deep_texts_end() -> None:
    many = "on: push\njobs:\n" + "".join(f"  {n}x: {{bad: 1}}\n" for n in range(3000))
    assert len(problems(many)) == MAX_PROBLEMS
    chain = "on: push\njobs:\n" + "".join(
        f"  j{n}: {{runs-on: x, needs: j{n + 1}}}\n" for n in range(2000)
    )
    (found,) = problems(chain)
    assert "which is missing" in found
    all_on_all = ", ".join(f"j{n}" for n in range(150))
    dense = "on: push\njobs:\n" + "".join(
        f"  j{n}: {{runs-on: x, needs: [{all_on_all}]}}\n" for n in range(150)
    )
    assert len(problems(dense)) == MAX_PROBLEMS


def test_what_aliases_repeat_is_looked_at_once() -> None:
    """40,000 times 20,000 characters: this ends soon, or not before the test run is killed."""
    expression = "${{ " + "!" * 40 + "(" + " || ".join(["secrets.x"] * 1500) + ") }}"
    aliases = ", ".join(["*e"] * 40_000)
    text = f"on: push\njobs: {{a: {{runs-on: [&e '{expression}', {aliases}]}}}}\n"
    reading = read_workflow("w.yml", text.encode())
    assert reading.workflow is not None
    assert 0 < len(check_expressions(reading.workflow)) <= MAX_PROBLEMS
    pattern = "[a-z]+*" * 140
    aliases = ", ".join(["*p"] * 40_000)
    filters = f"on: {{push: {{branches: [&p '{pattern}', {aliases}]}}}}\n{JOB}"
    reading = read_workflow("w.yml", filters.encode())
    assert reading.problems == ()
    assert reading.workflow is not None
    assert not decide(reading.workflow, Event("push", "refs/heads/1")).active


WORDS = st.sampled_from(
    [
        *("on", "jobs", "steps", "run", "uses", "needs", "if", "strategy", "matrix", "include"),
        *("push", "env", "a", "runs-on", "with", "branches", "parallel", "wait", "inputs"),
        *("${{ github.sha }}", "${{ open", "${{ insert }}", "${{ 'x' }}", "true", "1", "~", "[!a]"),
    ]
)
TREES = st.recursive(
    WORDS | st.none() | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=25,
)


@settings(max_examples=300)
@given(st.dictionaries(WORDS, TREES, max_size=5), TREES, TREES)
def test_any_tree_is_read(extra: dict[str, object], on: object, steps: object) -> None:
    import json

    tree = {"on": on, "jobs": {"a": {"runs-on": "x", "steps": steps, **extra}}}
    first = read_workflow("w.yml", json.dumps(tree).encode())
    assert first.workflow is not None
    check_expressions(first.workflow)
    assert first == read_workflow("w.yml", json.dumps(tree).encode())

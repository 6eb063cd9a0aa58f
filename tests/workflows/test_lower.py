"""Lowering: the same twice, and a digest that changes if and only if what would run changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grind.core.plan import Plan, Verdict
from grind.workflows.binding import bound_to_commit
from grind.workflows.expressions import UNKNOWN
from tests.workflows.plans import plan_of, request_of, settled, steps_job

BASE: dict[str, Any] = {
    "name": "CI",
    "wenv": "a",
    "jenv": "b",
    "id": "test",
    "needs": "",
    "if": "",
    "runs": "ubuntu-latest",
    "sname": "Test",
    "sid": "s",
    "run": "make test",
    "sif": "",
    "senv": "c",
    "shell": "bash",
    "folder": "sub",
    "soe": "false",
    "time": "5",
    "with": "1",
    "jobname": "A job",
    "comment": "",
}


def text_of(**changes: str) -> str:
    v = BASE | changes
    return f"""{v["comment"]}
name: {v["name"]}
on: push
env: {{A: "{v["wenv"]}"}}
jobs:
  first: {{runs-on: ubuntu-latest, steps: [{{run: make}}]}}
  {v["id"]}:
    name: {v["jobname"]}
    needs: [{v["needs"]}]
    if: "{v["if"] or "true"}"
    runs-on: {v["runs"]}
    env: {{B: "{v["jenv"]}"}}
    outputs: {{o: "${{{{ steps.{v["sid"]}.outputs.x }}}}"}}
    steps:
      - uses: actions/checkout@v4
        with: {{fetch-depth: {v["with"]}}}
      - name: {v["sname"]}
        id: {v["sid"]}
        if: "{v["sif"] or "true"}"
        run: {v["run"]}
        shell: {v["shell"]}
        working-directory: {v["folder"]}
        continue-on-error: {v["soe"]}
        timeout-minutes: {v["time"]}
        env: {{C: "{v["senv"]}"}}
"""


SAID = {
    "jobname": "Another",
    "sname": "Another",
    "comment": "# a comment\n# and one more\n",
}
DONE = {
    "name": "Other",  # GITHUB_WORKFLOW
    "wenv": "z",
    "jenv": "z",
    "id": "other",  # GITHUB_JOB
    "needs": "first",
    "if": "always()",
    "runs": "[self-hosted]",
    "sid": "t",
    "run": "make check",
    "sif": "always()",
    "senv": "z",
    "shell": "sh",
    "folder": "other",
    "soe": "true",
    "time": "6",
    "with": "0",
}


def test_every_part_of_the_text_is_tried() -> None:
    assert {*SAID, *DONE} == set(BASE)


@pytest.mark.parametrize("part", sorted(SAID))
def test_what_is_only_said_does_not_change_the_digest(part: str) -> None:
    assert plan_of(text_of(**{part: SAID[part]})).digest == plan_of(text_of()).digest


@pytest.mark.parametrize("part", sorted(DONE))
def test_what_runs_changes_the_digest(part: str) -> None:
    assert plan_of(text_of(**{part: DONE[part]})).digest != plan_of(text_of()).digest


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted({*SAID, *DONE})), st.booleans(), max_size=5))
def test_the_digest_tells_plans_apart_exactly(parts: dict[str, bool]) -> None:
    changes = {part: (SAID | DONE)[part] for part, changed in parts.items() if changed}
    one, two = plan_of(text_of(**changes)), plan_of(text_of(**changes))
    assert one == two
    assert one.digest == two.digest
    assert (one.digest == plan_of(text_of()).digest) == (not set(changes) & set(DONE))


def test_the_digest_depends_on_event_ref_and_repository() -> None:
    import msgspec

    plan = plan_of(text_of())
    for change in ({"event": "x"}, {"ref": "x"}, {"repository": "x"}):
        assert msgspec.structs.replace(plan, **change).digest != plan.digest
    for change in ({"tree": "x"}, {"commit": "x"}, {"base": "x"}, {"notes": ("x",)}):
        assert msgspec.structs.replace(plan, **change).digest == plan.digest


def test_what_ci_does_not_run_is_no_part_of_the_digest() -> None:
    off = text_of() + "  off: {if: false, runs-on: ubuntu-latest, steps: [{run: x}]}\n"
    assert plan_of(off).digest == plan_of(text_of()).digest


# --- bound to the commit --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "bound"),
    [
        ({}, False),
        ({"run": "echo ${{ github.ref }}"}, False),
        ({"run": "echo ${{ github.sha }}"}, True),
        ({"senv": "${{ toJSON(github) }}"}, True),
        ({"if": "github.event.head_commit.message != 'x'"}, True),
        # a condition that keeps a job from being active may let it go for another commit
        ({"if": "contains(github.event.head_commit.message, 'x')"}, True),
        ({"if": "github.event_name == 'release'"}, False),
    ],
)
def test_a_plan_that_speaks_of_the_commit(changes: dict[str, str], bound: bool) -> None:
    assert bound_to_commit(plan_of(text_of(**changes))) is bound


def test_a_message_that_skips_ci_binds_the_plan() -> None:
    plan = plan_of(text_of(), message="Fix [skip ci]")
    assert not any(job.active for job in plan.jobs)
    assert bound_to_commit(plan)


def test_a_matrix_that_speaks_of_the_commit_binds_the_plan() -> None:
    text = """
    on: push
    jobs:
      a:
        runs-on: ubuntu-latest
        strategy: {matrix: {x: ["${{ github.sha }}"]}}
        steps: [{run: make}]
    """
    assert bound_to_commit(plan_of(text))


# --- what is refused, and why ---------------------------------------------------------------------


def test_executed_by_grind_toml_keeps_what_its_text_says_of_gating() -> None:
    """A deploy step that cannot fail proves nothing, also when grind.toml lets it run."""
    config = '[[verdict]]\njob = "a"\nstep = 0\nverdict = "executed"\nreason = "fine"'
    text = "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'kubectl apply | tee x'}]}}"
    step = plan_of(text, config=config).jobs[0].steps[0]
    assert (step.verdict, step.gating) == (Verdict.EXECUTED, False)


def test_a_job_for_another_machine_is_settled_when_every_step_is() -> None:
    text = "on: push\njobs: {a: {runs-on: macos-latest, steps: [{run: x}, {run: y, if: false}]}}"
    rule = '[[verdict]]\njob = "a"\nverdict = "{}"\nreason = "no Mac here"'
    assert plan_of(text).jobs[0].verdict is Verdict.REFUSED
    assert plan_of(text, config=rule.format("skipped")).jobs[0].verdict is Verdict.REFUSED
    assert plan_of(text, config=rule.format("overridden")).jobs[0].verdict is Verdict.EXECUTED


def test_an_event_that_somebody_fills_a_form_for_leaves_inputs_open() -> None:
    text = """
    on: workflow_dispatch
    jobs:
      a:
        runs-on: ubuntu-latest
        if: inputs.deploy == true
        steps: [{run: make}]
    """
    assert plan_of(text, event="workflow_dispatch").jobs[0].active


def test_a_step_with_own_env_is_lowered_with_it() -> None:
    job = steps_job("- {run: make, if: \"env.OWN == 'x'\", env: {OWN: x}}")
    assert job.steps[0].verdict is Verdict.EXECUTED


@pytest.mark.parametrize(
    ("secret", "text", "used"),
    [
        ("KEY", "echo $KEY", True),
        ("KEY", 'echo "${KEY}"', True),
        ("KEY", "printenv KEY", True),
        ("KEY", "echo $KEYS", False),
        ("KEY", "echo ${{ env.KEY }}", True),
    ],
)
def test_a_step_that_names_a_secret_of_its_job(secret: str, text: str, used: bool) -> None:
    job = steps_job(f"- run: '{text}'", f"env: {{{secret}: '${{{{ secrets.X }}}}'}}")
    assert (job.steps[0].verdict is Verdict.SKIPPED) is used


def test_jobs_keep_the_order_of_the_file() -> None:
    plan = plan_of(
        """
        on: push
        jobs:
          last: {needs: first, runs-on: ubuntu-latest, steps: [{run: x}]}
          first: {runs-on: ubuntu-latest, steps: [{run: x}]}
        """
    )
    assert [job.id for job in plan.jobs] == ["last", "first"]


# --- odd workflows never crash --------------------------------------------------------------------

VALUES = (
    "true",
    "0",
    "null",
    '""',
    "[]",
    "{}",
    '"${{ vars.X }}"',
    "\"${{ fromJSON('[1]') }}\"",
    "\"${{ fromJSON('{}') }}\"",
    '"${{ needs.x.outputs.y }}"',
    '"${{ secrets.X }}"',
    '"${{ nonsense"',
    "1e400",
    "-1",
    ".nan",
)
PLACES: tuple[Callable[[str], str], ...] = (
    lambda v: f"if: {v}",
    lambda v: f"name: {v}",
    lambda v: f"runs-on: {v}",
    lambda v: f"timeout-minutes: {v}",
    lambda v: f"continue-on-error: {v}",
    lambda v: f"strategy: {{matrix: {v}}}",
    lambda v: f"strategy: {{matrix: {{a: {v}}}}}",
    lambda v: f"strategy: {{max-parallel: {v}, matrix: {{a: [1]}}}}",
    lambda v: f"strategy: {{fail-fast: {v}, matrix: {{a: [1]}}}}",
    lambda v: f"env: {{A: {v}}}",
    lambda v: f"outputs: {{A: {v}}}",
    lambda v: f"environment: {v}",
    lambda v: f"container: {v}",
    lambda v: f"defaults: {{run: {{shell: {v}}}}}",
)


@pytest.mark.parametrize("place", PLACES)
def test_odd_values_lower_to_something(place: Callable[[str], str]) -> None:
    from grind.workflows.reader import read_workflow

    read_any = 0
    for value in VALUES:
        lines = ["runs-on: ubuntu-latest", place(value), "steps: [{run: make}]"]
        if lines[1].startswith("runs-on"):
            del lines[0]
        text = "on: push\njobs:\n  a:\n" + "".join(f"    {line}\n" for line in lines)
        reading = read_workflow(".github/workflows/ci.yml", text.encode())
        if reading.workflow is None or reading.problems:
            continue
        read_any += 1
        plan = settled(request_of(reading.workflow))
        assert isinstance(plan, Plan)
        assert len(plan.digest) == 64
    assert read_any


def test_unknown_is_not_written_into_a_plan() -> None:
    plan = plan_of(
        """
        on: push
        jobs:
          a:
            runs-on: ubuntu-latest
            strategy: {matrix: {x: ["${{ vars.X }}", 1]}}
            steps: [{run: "echo ${{ matrix.x }}"}]
        """
    )
    assert all(value is not UNKNOWN for job in plan.jobs for value in (job.matrix or {}).values())
    assert plan.jobs[0].verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    ("given", "limit"), [("1", 1), ("2.9", 2), ("0", None), ("0.5", None), ("-1", None)]
)
def test_max_parallel_as_github_takes_it(given: str, limit: int | None) -> None:
    plan = plan_of(
        f"""
        on: push
        jobs:
          a:
            runs-on: ubuntu-latest
            strategy: {{max-parallel: {given}, matrix: {{x: [1, 2]}}}}
            steps: [{{run: make}}]
        """
    )
    assert [job.max_parallel for job in plan.jobs] == [limit, limit]
    assert {job.verdict for job in plan.jobs} == {Verdict.EXECUTED}


def test_literals_reach_steps_as_the_texts_that_github_makes_of_them() -> None:
    """TemplateReader of actions/runner: where a string is wanted, a number becomes its `G15` text."""
    plan = plan_of(
        """
        on: push
        env: {A: 1.50, B: 0o17, C: 0xff, D: TRUE, E: ~, F: 1e3, G: "1.50", H: 007, I: 2024-01-01}
        jobs:
          j:
            runs-on: ubuntu-latest
            env: {J: 12345678901234567890}
            steps:
              - run: "true"
                env: {K: 3.10}
              - uses: actions/setup-python@v5
                with: {python-version: 3.10}
              - uses: actions/checkout@v4
              - uses: ./act
                with: {given: 3.10}
              - run: TRUE
                name: 2.50
        """,
        files={
            "act/action.yml": """
                name: act
                inputs: {given: {default: 1.0}, other: {default: 1.0}}
                runs:
                  using: composite
                  steps: [{run: "test ${{ inputs.given }}/${{ inputs.other }}", shell: bash}]
            """
        },
    )
    job = plan.jobs[0]
    assert job.workflow_env == {
        "A": "1.5",
        "B": "15",
        "C": "255",
        "D": "true",
        "E": "",
        "F": "1000",
        "G": "1.50",
        "H": "7",
        "I": "2024-01-01",
    }
    assert job.env == {"J": "1.23456789012346E+19"}
    assert job.steps[0].env == {"K": "3.1"}
    assert "Python 3.1 is not on the host" in job.steps[1].reason
    assert (job.steps[-1].run, job.steps[-1].name) == ("true", "2.5")
    assert any("test 3.1/1" in (step.run or "") for step in job.steps), [s.run for s in job.steps]

"""Workflows of the repository that are called, carried out: order, inputs, outputs, results."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

import pytest

from grind.core.outcome import judge
from grind.core.plan import Plan
from tests.flows.stage import Act, Run, play
from tests.workflows.plans import read, request_of, settled

INNER = """
on:
  workflow_call:
    inputs: {x: {type: string, default: none}, deep: {type: boolean}}
    outputs:
      all: {value: "${{ jobs.one.outputs.o }}-${{ jobs.two.result }}"}
jobs:
  one:
    runs-on: ubuntu-latest
    outputs: {o: "${{ steps.s.outputs.o }}"}
    steps: [{id: s, run: "one ${{ inputs.x }} ${{ inputs.deep == true }} ${{ github.job }}"}]
  two:
    needs: one
    runs-on: ubuntu-latest
    steps: [{run: "two ${{ needs.one.outputs.o }}"}]
"""


def calling(body: str, files: Mapping[str, str] | None = None, config: str = "") -> Plan:
    head = "name: Top\non: push\njobs:\n"
    text = head + "".join(f"  {line}\n" for line in dedent(body).strip().split("\n"))
    held = {f".github/workflows/{name}.yml": t for name, t in (files or {"in": INNER}).items()}
    return settled(
        request_of(read(text.replace("ubuntu,", "ubuntu-latest,")), files=held, config=config)
    )


def ran(run: Run) -> list[str]:
    return [script for script in run.host.ran if script and "\n" not in script.strip()]


def state(plan: Plan, run: Run) -> str:
    return judge(plan, run.results.jobs, run.results.steps).state


IN = "uses: ./.github/workflows/in.yml"


def test_inputs_go_in_and_outputs_come_out() -> None:
    plan = calling(
        f"""
        before:
          runs-on: ubuntu-latest
          outputs: {{v: "${{{{ steps.v.outputs.v }}}}"}}
          steps: [{{id: v, run: version}}]
        call:
          needs: before
          {IN}
          with: {{x: "${{{{ needs.before.outputs.v }}}}", deep: true}}
        after:
          needs: call
          runs-on: ubuntu-latest
          steps: [{{run: "after ${{{{ needs.call.outputs.all }}}} ${{{{ needs.call.result }}}}"}}]
        """
    )
    run = play(plan, {"version": Act(output=b"v=7\n"), "one": Act(output=b"o=O\n")})
    assert ran(run) == ["version", "one 7 true one", "two O", "after O-success success"]
    assert run.conclusions() == dict.fromkeys(
        ("before", "call", "call / one", "call / two", "after"), "success"
    )
    assert state(plan, run) == "green"


def test_a_failure_inside_fails_the_call() -> None:
    plan = calling(
        f"""
        call: {{{IN}}}
        after: {{needs: call, runs-on: ubuntu, steps: [{{run: after}}]}}
        anyway: {{needs: call, if: failure(), runs-on: ubuntu, steps: [{{run: anyway}}]}}
        """
    )
    run = play(plan, {"one": Act(1)})
    assert run.conclusions() == {
        "call": "failure",
        "call / one": "failure",
        "call / two": "skipped",
        "after": "skipped",
        "anyway": "success",
    }
    assert state(plan, run) == "red"


@pytest.mark.parametrize("if_", ["needs.a.outputs.go == 'yes'", "success()", "true"])
def test_a_call_that_does_not_start_runs_nothing(if_: str) -> None:
    plan = calling(
        f"""
        a: {{runs-on: ubuntu, outputs: {{go: "no"}}, steps: [{{run: red}}]}}
        call: {{needs: a, if: "{if_}", {IN}}}
        after: {{needs: call, runs-on: ubuntu, steps: [{{run: after}}]}}
        """
    )
    run = play(plan, {"red": Act(1)})
    assert ran(run) == ["red"]
    assert {k: v for k, v in run.conclusions().items() if k != "a"} == dict.fromkeys(
        ("call", "call / one", "call / two", "after"), "skipped"
    )


def test_a_job_inside_does_not_start_before_what_its_caller_needs() -> None:
    plan = calling(
        f"""
        call: {{needs: [a, b], {IN}}}
        a: {{runs-on: ubuntu, steps: [{{run: a}}]}}
        b: {{runs-on: ubuntu, needs: a, steps: [{{run: b}}]}}
        """
    )
    assert ran(play(plan, parallel=8)) == ["a", "b", "one none false one", "two "]


def test_always_inside_speaks_of_the_called_workflow_alone() -> None:
    inner = """
        on: workflow_call
        jobs:
          one: {runs-on: ubuntu-latest, if: success(), steps: [{run: one}]}
          two: {runs-on: ubuntu-latest, if: always(), steps: [{run: two}]}
        """
    plan = calling(
        f"""
        a: {{runs-on: ubuntu, steps: [{{run: red}}]}}
        ran: {{needs: a, if: always(), {IN}}}
        not: {{needs: a, {IN}}}
        """,
        {"in": dedent(inner)},
    )
    run = play(plan, {"red": Act(1)})
    assert sorted(ran(run)) == ["one", "red", "two"]


def test_a_matrix_of_calls() -> None:
    plan = calling(
        f"""
        call:
          strategy: {{matrix: {{v: [1, 2]}}}}
          {IN}
          with: {{x: "${{{{ matrix.v }}}}"}}
        """
    )
    run = play(plan, parallel=1)
    assert sorted(s for s in ran(run) if s.startswith("one")) == [
        "one 1 false one",
        "one 2 false one",
    ]
    assert set(run.conclusions()) == {
        f"call ({v}){rest}" for v in (1, 2) for rest in ("", " / one", " / two")
    }


def test_calls_within_calls() -> None:
    middle = """
        on: {workflow_call: {inputs: {m: {type: string}}}}
        jobs:
          in:
            uses: ./.github/workflows/in.yml
            with: {x: "${{ inputs.m }}+"}
          end: {needs: in, runs-on: ubuntu-latest, steps: [{run: "end ${{ needs.in.result }}"}]}
        """
    plan = calling(
        "top: {uses: ./.github/workflows/mid.yml, with: {m: hi}}",
        {"in": INNER, "mid": dedent(middle)},
    )
    run = play(plan)
    assert ran(run) == ["one hi+ false one", "two ", "end success"]
    assert run.conclusions()["top / in / one"] == "success"
    assert state(plan, run) == "green"


def test_a_refused_job_inside_makes_the_run_partial() -> None:
    inner = "on: workflow_call\njobs: {a: {runs-on: windows-latest, steps: [{run: a}]}}"
    plan = calling(
        f"""
        call: {{{IN}}}
        after: {{needs: call, runs-on: ubuntu, steps: [{{run: after}}]}}
        other: {{runs-on: ubuntu, steps: [{{run: other}}]}}
        """,
        {"in": inner},
    )
    run = play(plan)
    assert ran(run) == ["other"]
    assert run.conclusions()["after"] == "refused"
    assert state(plan, run) == "partial"


def test_an_input_of_another_type_is_refused() -> None:
    plan = calling(
        f"""
        a: {{runs-on: ubuntu, outputs: {{t: "true"}}, steps: [{{run: a}}]}}
        call: {{needs: a, {IN}, with: {{deep: "${{{{ needs.a.outputs.t }}}}"}}}}
        """
    )
    run = play(plan)
    assert run.conclusions()["call / one"] == "refused"
    assert state(plan, run) == "partial"


def test_a_secret_stays_unknown() -> None:
    inner = """
        on: {workflow_call: {secrets: {T: {required: true}}}}
        jobs: {a: {runs-on: ubuntu-latest, steps: [{run: "use ${{ secrets.T }}"}, {run: other}]}}
        """
    plan = calling(f"call: {{{IN}, secrets: inherit}}", {"in": dedent(inner)})
    run = play(plan)
    assert ran(run) == ["other"]
    assert state(plan, run) == "partial"


def test_nobody_knows_what_a_call_is_whose_jobs_are_all_skipped() -> None:
    inner = "on: workflow_call\njobs: {a: {if: false, runs-on: ubuntu-latest, steps: [{run: a}]}}"
    plan = calling(
        f"""
        call: {{{IN}}}
        after: {{needs: call, runs-on: ubuntu, steps: [{{run: after}}]}}
        """,
        {"in": inner},
    )
    run = play(plan)
    assert ran(run) == []
    assert run.conclusions()["after"] == "refused"


def test_a_verdict_settles_a_call_whole() -> None:
    config = """
        [[verdict]]
        job = "call"
        verdict = "overridden"
        run = "make it"
        outputs = {all = "yes"}
        reason = "the same"
        """
    plan = calling(
        """
        call: {uses: owner/repo/.github/workflows/w.yml@v1}
        after:
          needs: call
          runs-on: ubuntu-latest
          steps: [{run: "after ${{ needs.call.outputs.all }}"}]
        """,
        config=config,
    )
    run = play(plan)
    assert ran(run) == ["make it", "after yes"]
    assert state(plan, run) == "green"
    left_out = calling(
        "call: {uses: owner/repo/.github/workflows/w.yml@v1}",
        config='[[verdict]]\njob = "call"\nverdict = "skipped"\nreason = "x"\n',
    )
    assert state(left_out, play(left_out)) == "partial"


def test_a_tower_of_calls_ends() -> None:
    files = {
        f"l{n}": f"on: workflow_call\njobs: {{c: {{uses: ./.github/workflows/l{n + 1}.yml}}}}"
        for n in range(1, 10)
    } | {"l10": "on: workflow_call\njobs: {c: {runs-on: ubuntu-latest, steps: [{run: deep}]}}"}
    plan = calling("c: {uses: ./.github/workflows/l1.yml}", files)
    assert any("GitHub allows 10" in job.reason for job in plan.jobs)
    shorter = calling("c: {uses: ./.github/workflows/l2.yml}", files)
    assert ran(play(shorter)) == ["deep"]


def test_a_fan_of_calls_is_bounded() -> None:
    body = ", ".join(f"c{n}: {{uses: ./.github/workflows/l%d.yml}}" for n in range(10))
    files = {
        f"l{n}": "on: workflow_call\njobs: {" + body.replace("%d", str(n + 1)) + "}"
        for n in range(1, 10)
    }
    plan = calling("c: {uses: ./.github/workflows/l1.yml}", files)
    assert len(plan.jobs) < 5000

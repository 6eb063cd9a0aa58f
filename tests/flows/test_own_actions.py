"""Composite actions of the repository, carried out: scopes, statuses, outputs, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent, indent

import pytest

from grind.core.outcome import judge
from grind.core.plan import Plan
from tests.flows.stage import Act, Run, play
from tests.workflows.plans import read, request_of, settled

CHECKOUT = "- uses: actions/checkout@v4\n"


def own(steps: str, actions: Mapping[str, str], head: str = "") -> Plan:
    """Plan a job `j` with these steps; `actions` are the steps of actions, by name.

    A text with `runs:` is the whole action.
    """
    files = {
        f"{name}/action.yml": text
        if "runs:" in text
        else "runs:\n  using: composite\n  steps:\n" + indent(dedent(text).strip(), "    ")
        for name, text in actions.items()
    }
    body = indent(CHECKOUT + dedent(steps).strip(), "      ")
    extra = indent(dedent(head).strip(), "    ")
    text = f"on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n{extra}\n    steps:\n{body}\n"
    return settled(request_of(read(text), files=files))


def ran(run: Run) -> list[str]:
    """The scripts that ran, but for the job's setup and the checkout."""
    return [script.strip() for script in run.host.ran if "\n" not in script.strip() and script]


def words(run: Run) -> dict[str, str]:
    return {r.name: f"{r.verdict}/{r.conclusion}" for r in run.results.steps}


def state(plan: Plan, run: Run) -> str:
    return judge(plan, run.results.jobs, run.results.steps).state


A = """
- run: one ${{ inputs.x }} ${{ env.E }} ${{ github.action_path }}
  shell: bash
- run: two
  shell: bash
"""


def test_its_steps_run_in_its_place_with_its_inputs() -> None:
    plan = own(
        """
        - run: before
        - {uses: ./a, with: {X: "1"}, env: {E: mine}}
        - run: after ${{ env.E }}
        """,
        {"a": A},
        "env: {E: job}",
    )
    run = play(plan)
    assert ran(run) == ["before", "one 1 mine /w/a", "two", "after job"]
    assert state(plan, run) == "green"
    inner = [t for lane in run.host.lanes for t in lane.tasks if t.script.strip() == "two"]
    assert dict(inner[0].env)["E"] == "mine"
    assert dict(inner[0].env)["GITHUB_ACTION_PATH"] == "/w/a"


def test_outputs_defaults_and_ids_are_its_own() -> None:
    action = """
        inputs:
          who: {default: "${{ github.ref_name }}"}
        outputs:
          said: {value: "${{ steps.s.outputs.word }} by ${{ inputs.who }}"}
          none: {value: "${{ steps.outer.outputs.word }}"}
        runs:
          using: composite
          steps:
            - {id: s, run: speak, shell: bash}
        """
    plan = own(
        """
        - {id: outer, run: speak louder}
        - {id: s, uses: ./a}
        - {id: t, uses: ./a, with: {who: me}}
        - run: got ${{ steps.s.outputs.said }}/${{ steps.t.outputs.said }}
        - run: none ${{ steps.s.outputs.none }} ${{ steps.s.outcome }}
        """,
        {"a": dedent(action)},
    )
    run = play(plan, {"speak": Act(output=b"word=hi\n")})
    assert ran(run)[-2:] == ["got hi by main/hi by me", "none  success"]
    assert state(plan, run) == "green"


@pytest.mark.parametrize(
    ("caller", "inner", "expected", "job"),
    [
        ("", "", [], "failure"),
        ("", "if: failure()", ["inner"], "failure"),
        ("", "if: always()", ["inner"], "failure"),
        ("continue-on-error: true", "", ["after"], "success"),
        ("continue-on-error: true", "if: failure()", ["inner", "after"], "success"),
        ("continue-on-error: true", "if: always()", ["inner", "after"], "success"),
    ],
)
def test_a_failure_inside(caller: str, inner: str, expected: list[str], job: str) -> None:
    plan = own(
        f"""
        - id: c
          uses: ./a
          {caller}
        - run: after
        - if: always()
          run: told ${{{{ steps.c.outcome }}}} ${{{{ steps.c.conclusion }}}}
        """,
        {"a": f"- {{run: red, shell: bash}}\n- run: inner\n  shell: bash\n  {inner}\n"},
    )
    run = play(plan, {"red": Act(1)})
    conclusion = "success" if caller else "failure"
    assert ran(run) == ["red", *expected, f"told failure {conclusion}"]
    assert run.conclusions() == {"j": job}


def test_a_step_inside_that_may_fail_fails_nothing() -> None:
    plan = own(
        "- uses: ./a\n- run: after",
        {"a": "- {run: red, shell: bash, continue-on-error: true}\n- {run: two, shell: bash}"},
    )
    run = play(plan, {"red": Act(1)})
    assert ran(run) == ["red", "two", "after"]
    assert run.conclusions() == {"j": "success"}


@pytest.mark.parametrize(
    ("if_", "inner", "expected"),
    [
        ("", "", []),
        ("", "if: always()", []),
        ("", "if: failure()", []),
        # within the action, success() and failure() speak of its own steps
        ("if: always()", "", ["inner"]),
        ("if: always()", "if: failure()", []),
        ("if: failure()", "if: success()", ["inner"]),
        ("if: failure()", "if: always()", ["inner"]),
        ("if: failure()", "if: cancelled()", []),
    ],
)
def test_called_after_a_failure(if_: str, inner: str, expected: list[str]) -> None:
    plan = own(
        f"""
        - run: red
        - uses: ./a
          {if_}
        """,
        {"a": f"- run: inner\n  shell: bash\n  {inner}\n"},
    )
    run = play(plan, {"red": Act(1)})
    assert ran(run) == ["red", *expected]
    assert run.conclusions() == {"j": "failure"}


def test_actions_within_actions() -> None:
    plan = own(
        """
        - {id: o, uses: ./outer, with: {x: "7"}, continue-on-error: true}
        - run: after ${{ steps.o.outputs.y }} ${{ steps.o.outcome }}
        """,
        {
            "outer": dedent(
                """
                inputs: {x: {}}
                outputs: {y: {value: "${{ steps.i.outputs.y }}"}}
                runs:
                  using: composite
                  steps:
                    - {run: first, shell: bash}
                    - {id: i, uses: ./inner, with: {z: "${{ inputs.x }}1"}}
                    - {run: never, shell: bash}
                    - {run: "last ${{ steps.i.outcome }}", shell: bash, if: failure()}
                """
            ),
            "inner": dedent(
                """
                inputs: {z: {}}
                outputs: {y: {value: "${{ inputs.z }}${{ inputs.x }}"}}
                runs:
                  using: composite
                  steps:
                    - {run: "red ${{ inputs.z }}", shell: bash}
                    - {run: "still ${{ github.action_path }}", shell: bash, if: always()}
                """
            ),
        },
    )
    run = play(plan, {"red": Act(1)})
    assert ran(run) == ["first", "red 71", "still /w/inner", "last failure", "after 71 failure"]
    assert run.conclusions() == {"j": "success"}


def test_a_refused_step_inside_refuses_the_call_with_its_line() -> None:
    plan = own(
        "- uses: ./a\n- run: after",
        {"a": "- {run: one, shell: bash}\n- uses: owner/unknown@v1\n"},
    )
    run = play(plan)
    assert ran(run) == ["one"]
    assert words(run)["Run ./a"] == "refused/skipped"
    reason = next(r.reason for r in run.results.steps if r.name == "Run ./a")
    assert reason.startswith("a/action.yml:5: owner/unknown")
    assert run.conclusions() == {"j": "refused"}
    assert state(plan, run) == "partial"


def test_a_refused_step_that_is_not_reached_refuses_nothing() -> None:
    plan = own(
        "- {uses: ./a, with: {x: no}}\n- run: after",
        {"a": "- {run: one, shell: bash}\n- {uses: owner/unknown@v1, if: inputs.x == 'yes'}\n"},
    )
    run = play(plan)
    assert ran(run) == ["one", "after"]
    assert state(plan, run) == "green"


def test_a_secret_by_way_of_an_input_is_a_secret() -> None:
    plan = own(
        "- {uses: ./a, with: {token: '${{ secrets.T }}'}}",
        {"a": '- {run: "use ${{ inputs.token }}", shell: bash}\n- {run: other, shell: bash}'},
    )
    run = play(plan)
    assert ran(run) == ["other"]
    assert state(plan, run) == "partial"


def test_a_variable_written_inside_is_seen_after_it() -> None:
    plan = own(
        "- {uses: ./a, env: {V: mine}}\n- run: after ${{ env.V }} ${{ env.W }}",
        {"a": '- {run: writes, shell: bash}\n- {run: "has ${{ env.V }}", shell: bash}'},
    )
    run = play(plan, {"writes": Act(env=b"V=new\nW=w\n")})
    assert ran(run) == ["writes", "has mine", "after new w"]


def test_contexts_that_an_action_has_not_are_refused() -> None:
    plan = own("- uses: ./a\n", {"a": '- {run: "x ${{ needs.a.result }}", shell: bash}'})
    assert plan.jobs[0].verdict == "refused"
    assert "needs" in plan.jobs[0].reason


def test_the_limit_of_actions_within_actions() -> None:
    actions = {f"a{n}": f"- uses: ./a{n + 1}\n" for n in range(10)} | {
        "a10": "- {run: deep, shell: bash}"
    }
    assert "more than GitHub allows" in own("- uses: ./a0", actions).jobs[0].reason
    run = play(own("- uses: ./a1", actions))
    assert ran(run) == ["deep"]


def test_a_lost_host_gives_every_step_its_result() -> None:
    plan = own("- uses: ./a\n- run: after", {"a": A})
    run = play(plan, {"one": Act(lost="gone")})
    assert run.conclusions() == {"j": "lost"}
    assert [r.step for r in run.results.steps].count(1) == 1
    assert {r.step for r in run.results.steps} == {step.index for step in plan.jobs[0].steps}


def test_each_step_has_one_result_and_an_index_of_its_own() -> None:
    plan = own("- uses: ./a\n- uses: ./a\n- {uses: ./a, if: false}\n- run: after", {"a": A})
    indexes = [step.index for step in plan.jobs[0].steps]
    assert indexes == list(range(len(indexes)))
    run = play(plan)
    assert sorted(r.step for r in run.results.steps) == indexes

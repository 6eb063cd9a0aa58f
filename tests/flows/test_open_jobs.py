"""Jobs that hang on what others say: open in the plan, and the real combinations when they run."""

from __future__ import annotations

import json
from collections.abc import Mapping
from textwrap import dedent

import pytest

from grind.core import events as e
from grind.core.outcome import Outcome, judge
from grind.core.plan import Plan, StepClass, Verdict
from grind.flows.expand import Expander
from grind.workflows.facts import Answer
from grind.workflows.lower import Request
from tests.flows.stage import Act, Run, play
from tests.workflows.plans import HOST, read, request_of, settled

LIST = """
list:
  runs-on: ubuntu-latest
  outputs: {all: "${{ steps.l.outputs.all }}"}
  steps: [{id: l, run: list}]
"""
MATRIX = "strategy: {matrix: {x: '${{ fromJSON(needs.list.outputs.all) }}'}}"


def asked(jobs: str, files: Mapping[str, str] | None = None, config: str = "") -> Request:
    body = "".join(f"  {line}\n" for line in dedent(LIST + dedent(jobs)).strip().split("\n"))
    held = {f".github/workflows/{name}.yml": text for name, text in (files or {}).items()}
    return request_of(read(f"on: push\njobs:\n{body}"), files=held, config=config)


def run(request: Request, value: object, acts: Mapping[str, Act] | None = None, **more: int) -> Run:
    """Carry out, with `all` as the output of the first job."""
    text = value if isinstance(value, str) else json.dumps(value)
    plan = settled(request)
    answers = dict(HOST)

    async def ask(wanted: tuple[tuple[str, ...], ...]) -> Mapping[tuple[str, ...], Answer]:
        return {argv: Answer(127) for argv in wanted}

    said = Act(output=f"all={text}\n".encode())
    expander = Expander(request, ask, answers)
    return play(plan, {"list": said, **(acts or {})}, expand=expander.expand, **more)  # type: ignore[arg-type]


def outcome(plan: Plan, played: Run) -> Outcome:
    real = Plan(
        tree="t", commit="c", event="push", ref="r", base=None,
        jobs=tuple(played.results.real(plan.jobs)),
    )  # fmt: skip
    return judge(real, played.results.jobs, played.results.steps)


def ran(played: Run) -> list[str]:
    return [script for script in played.host.ran if script and "\n" not in script.strip()]


TEST = f"""
test:
  needs: list
  runs-on: ubuntu-latest
  {MATRIX}
  steps: [{{run: "test ${{{{ matrix.x }}}} ${{{{ strategy.job-index }}}}/${{{{ strategy.job-total }}}}"}}]
"""


def test_it_stands_in_the_plan_and_says_why_it_is_open() -> None:
    job = settled(asked(TEST)).job("ci.yml/test")
    assert (job.verdict, job.active) == (Verdict.EXECUTED, True)
    assert job.name == "test (${{ matrix }})"
    assert job.reason == "its matrix is known when `list` has run"
    assert "fromJSON(needs.list.outputs.all)" in job.open
    assert [step.verdict for step in job.steps] == [Verdict.EXECUTED]


def test_it_comes_to_its_real_combinations() -> None:
    request = asked(TEST)
    played = run(request, ["a", "b", 3])
    assert ran(played) == ["list", "test a 0/3", "test b 1/3", "test 3 2/3"]
    assert played.conclusions() == {
        "list": "success",
        "test (a)": "success",
        "test (b)": "success",
        "test (3)": "success",
        "test": "success",
    }
    (told,) = [event for event in played.events if isinstance(event, e.JobExpanded)]
    assert told.job == "ci.yml/test"
    assert [head.name for head in told.jobs] == ["test (a)", "test (b)", "test (3)"]
    found = outcome(settled(request), played)
    assert (found.state, found.executed) == ("green", 4)


def test_a_combination_that_fails_is_red_and_cancels_the_others() -> None:
    request = asked(TEST)
    played = run(request, ["bad", "b", "c"], {"test bad": Act(exit_code=1)}, parallel=1)
    assert played.conclusions()["test (bad)"] == "failure"
    assert played.conclusions()["test (b)"] == "cancelled"
    assert played.conclusions()["test"] == "failure"
    assert outcome(settled(request), played).state == "red"


def test_fail_fast_may_be_off_and_max_parallel_holds() -> None:
    text = TEST.replace("strategy: {", "strategy: {fail-fast: false, max-parallel: 1, ")
    request = asked(text)
    played = run(request, ["bad", "b", "c"], {"test bad": Act(exit_code=1)}, parallel=8)
    assert [played.conclusions()[f"test ({x})"] for x in ("bad", "b", "c")] == [
        "failure", "success", "success",
    ]  # fmt: skip
    assert played.host.most == 1


def test_what_needs_it_waits_for_all_of_it_and_sees_its_result_and_outputs() -> None:
    request = asked(
        TEST.replace("steps: [{run", "outputs: {o: '${{ matrix.x }}'}\n  steps: [{run")
        + """
after:
  needs: [test]
  if: always()
  runs-on: ubuntu-latest
  steps: [{run: "after ${{ needs.test.result }} ${{ needs.test.outputs.o }}"}]
"""
    )
    played = run(request, ["only"])
    assert ran(played) == ["list", "test only 0/1", "after success only"]
    played = run(request, ["a", "b"], {"test b": Act(exit_code=1)})
    assert played.conclusions()["after"] == "refused"  # nobody knows which one ended last
    assert outcome(settled(request), played).state == "red"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("[]", "has no values"),
        ("", "fromJSON"),
        ("no json", "fromJSON"),
        ('"text"', "is not a list"),
        (json.dumps(list(range(257))), "more than 256 jobs"),
    ],
)
def test_a_value_that_is_no_matrix_fails_the_job(value: str, told: str) -> None:
    request = asked(TEST)
    played = run(request, value)
    assert played.results.jobs["ci.yml/test"].conclusion == "failure"
    assert told.lower() in played.results.jobs["ci.yml/test"].reason.lower()
    assert ran(played) == ["list"]
    assert outcome(settled(request), played).state == "red"


def test_256_jobs_are_allowed() -> None:
    played = run(asked(TEST), list(range(256)), parallel=8)
    assert len(ran(played)) == 257


def test_the_whole_matrix_may_be_an_output() -> None:
    text = TEST.replace(
        "{x: '${{ fromJSON(needs.list.outputs.all) }}'}",
        "'${{ fromJSON(needs.list.outputs.all) }}'",
    )
    played = run(asked(text), {"x": [1, 2], "exclude": [{"x": 1}], "include": [{"x": 9}]})
    assert ran(played) == ["list", "test 2 0/2", "test 9 1/2"]
    failed = run(asked(text), {"include": []})
    assert failed.results.jobs["ci.yml/test"].conclusion == "failure"


def test_one_axis_may_be_known_and_the_other_not() -> None:
    text = TEST.replace("{x: '", "{os: [p, q], x: '").replace('"test ', '"test ${{ matrix.os }} ')
    assert ran(run(asked(text), ["a"])) == ["list", "test p a 0/2", "test q a 1/2"]


def test_values_without_text_do_not_clash_with_the_open_job() -> None:
    request = asked(TEST)
    played = run(request, ["", ""])
    assert set(played.conclusions()) == {"list", "test", "test #2"}
    found = outcome(settled(request), played)
    assert (found.state, found.executed) == ("green", 3)
    red = run(request, ["", "x"], {"test x": Act(exit_code=1)}, parallel=1)
    assert outcome(settled(request), red).state == "red"


def test_an_output_that_is_not_known_refuses_and_is_never_green() -> None:
    request = asked(TEST.replace("list.outputs.all", "list.outputs.other"))
    played = run(request, ["a"])
    assert outcome(settled(request), played).state == "red"  # null is no JSON, as on GitHub
    text = TEST.replace("needs: list", "needs: [list, deploy]").replace(
        "list.outputs", "deploy.outputs"
    )
    deploys = "\ndeploy:\n  runs-on: ubuntu-latest\n  environment: prod\n  steps: [{run: x}]\n"
    held = settled(asked(text + deploys)).job("ci.yml/test")
    assert held.verdict is Verdict.SKIPPED
    assert "never executed" in held.reason


def test_it_is_skipped_when_what_it_needs_fails() -> None:
    request = asked(TEST)
    played = play(settled(request), {"list": Act(exit_code=1)})
    assert played.conclusions() == {"list": "failure", "test": "skipped"}


def test_without_somebody_to_lower_it_again_it_is_refused() -> None:
    request = asked(TEST)
    played = play(settled(request), {"list": Act(output=b'all=["a"]\n')})
    assert played.conclusions()["test"] == "refused"
    assert outcome(settled(request), played).state == "partial"


def test_verdicts_are_given_when_the_combination_is_known() -> None:
    text = f"""
test:
  needs: list
  runs-on: ${{{{ matrix.x }}}}
  {MATRIX}
  steps: [{{run: "test ${{{{ matrix.x }}}}"}}]
"""
    request = asked(text)
    job = settled(request).job("ci.yml/test")
    assert job.verdict is Verdict.EXECUTED
    played = run(request, ["ubuntu-latest", "windows-latest"])
    assert played.conclusions()["test (ubuntu-latest)"] == "success"
    assert played.conclusions()["test (windows-latest)"] == "refused"
    assert outcome(settled(request), played).state == "partial"


@pytest.mark.parametrize(
    "key", ["container: '${{ matrix.x }}'", "services: {db: {image: '${{ matrix.x }}'}}"]
)
def test_a_container_is_judged_with_the_real_image(key: str) -> None:
    request = asked(TEST.replace("  steps:", f"  {key}\n  steps:"))
    job = settled(request).job("ci.yml/test")
    assert job.verdict is Verdict.EXECUTED
    assert settled(request).digest != settled(asked(TEST)).digest
    played = run(request, ["", "postgres:16"])
    conclusions = played.conclusions()
    assert conclusions["test (postgres:16)"] == "refused"
    assert conclusions["test"] in ("success", "refused")  # without an image there is no container
    assert ran(played) == ["list", "test  0/2"]
    assert outcome(settled(request), played).state == "partial"


def test_a_setup_action_is_judged_with_the_real_version() -> None:
    text = TEST.replace(
        "steps: [",
        "steps: [{uses: actions/setup-node@v4, with: {node-version: '${{ matrix.x }}'}}, ",
    )
    request = asked(text)
    step = settled(request).job("ci.yml/test").steps[0]
    assert (step.verdict, step.open) == (Verdict.EXECUTED, True)
    assert step.reason == "judged when its input `node-version` is known"
    played = run(request, ["99"])
    assert outcome(settled(request), played).state == "partial"
    assert ran(played) == ["list"]


def test_a_step_that_turns_out_to_deploy_is_never_run() -> None:
    text = TEST.replace('"test ${{', '"${{ matrix.x }} ${{')
    request = asked(text)
    played = run(request, ["kubectl apply -f ."])
    assert ran(played) == ["list"]
    (job,) = played.results.expanded["ci.yml/test"]
    assert StepClass.DEPLOY in {step.klass for step in job.steps}


def test_a_machine_may_be_an_output_without_a_matrix() -> None:
    text = "\ntest:\n  needs: list\n  runs-on: '${{ needs.list.outputs.all }}'\n  steps: [{run: test}]\n"
    request = asked(text)
    job = settled(request).job("ci.yml/test")
    assert job.reason == "its machine is known when `list` has run"
    assert ran(run(request, "ubuntu-latest")) == ["list", "test"]
    elsewhere = run(request, "macos-latest")
    assert elsewhere.conclusions()["test"] == "refused"
    assert outcome(settled(request), elsewhere).state == "partial"


def test_one_combination_of_a_known_matrix_may_be_open() -> None:
    text = """
test:
  needs: list
  runs-on: ${{ matrix.os || needs.list.outputs.all }}
  strategy: {matrix: {os: [ubuntu-latest, '']}}
  steps: [{run: "test ${{ strategy.job-index }}"}]
"""
    request = asked(text)
    opened = [job.key for job in settled(request).jobs if job.open]
    assert opened == ["ci.yml/test"]
    played = run(request, "ubuntu-22.04")
    assert sorted(ran(played)) == ["list", "test 0", "test 1"]
    assert outcome(settled(request), played).state == "green"


INNER = """
on:
  workflow_call:
    inputs: {x: {type: string}, all: {type: string}}
    outputs: {o: {value: "${{ jobs.one.outputs.o }}"}}
jobs:
  one:
    runs-on: ubuntu-latest
    outputs: {o: "got ${{ inputs.x }}"}
    steps: [{run: "one ${{ inputs.x }}"}]
"""


def test_a_call_with_an_open_matrix_comes_to_its_calls() -> None:
    text = f"""
call:
  needs: list
  {MATRIX}
  uses: ./.github/workflows/in.yml
  with: {{x: "${{{{ matrix.x }}}}"}}
after:
  needs: call
  runs-on: ubuntu-latest
  steps: [{{run: "after ${{{{ needs.call.outputs.o }}}}"}}]
"""
    request = asked(text, {"in": INNER})
    plan = settled(request)
    assert [job.key for job in plan.jobs] == ["ci.yml/list", "ci.yml/call", "ci.yml/after"]
    played = run(request, ["a"])
    assert ran(played) == ["list", "one a", "after got a"]
    assert played.conclusions()["call (a) / one"] == "success"
    assert outcome(plan, played).state == "green"
    red = run(request, ["a", "b"], {"one b": Act(exit_code=1)})
    assert red.conclusions()["call (b) / one"] == "failure"
    assert red.conclusions()["after"] == "skipped"
    assert outcome(plan, red).state == "red"


def test_the_digest_changes_with_the_workflow_that_an_open_call_calls() -> None:
    text = f"\ncall:\n  needs: list\n  {MATRIX}\n  uses: ./.github/workflows/in.yml\n"
    one = settled(asked(text, {"in": INNER})).digest
    assert one == settled(asked(text, {"in": INNER})).digest
    assert one != settled(asked(text, {"in": INNER.replace("one ${{", "two ${{")})).digest


def test_a_matrix_may_hang_on_an_input_of_a_called_workflow() -> None:
    inner = """
on: {workflow_call: {inputs: {all: {type: string}}}}
jobs:
  deep:
    runs-on: ubuntu-latest
    strategy: {matrix: {x: "${{ fromJSON(inputs.all) }}"}}
    steps: [{run: "deep ${{ matrix.x }}"}]
  after: {needs: deep, runs-on: ubuntu-latest, steps: [{run: "after ${{ needs.deep.result }}"}]}
"""
    text = """
call:
  needs: list
  uses: ./.github/workflows/in.yml
  with: {all: "${{ needs.list.outputs.all }}"}
"""
    request = asked(text, {"in": inner})
    assert settled(request).job("ci.yml/call / deep").open
    played = run(request, [1, 2])
    assert ran(played) == ["list", "deep 1", "deep 2", "after success"]
    assert outcome(settled(request), played).state == "green"


def test_an_open_job_within_an_open_call() -> None:
    inner = """
on: {workflow_call: {inputs: {x: {type: string}}}}
jobs:
  say:
    runs-on: ubuntu-latest
    outputs: {l: "${{ steps.s.outputs.l }}"}
    steps: [{id: s, run: "say ${{ inputs.x }}"}]
  deep:
    needs: say
    runs-on: ubuntu-latest
    strategy: {matrix: {y: "${{ fromJSON(needs.say.outputs.l) }}"}}
    steps: [{run: "deep ${{ inputs.x }}${{ matrix.y }}"}]
"""
    call = "uses: ./.github/workflows/in.yml\n  with: {x: '${{ matrix.x }}'}\n"
    text = f"\ncall:\n  needs: list\n  {MATRIX}\n  {call}"
    request = asked(text, {"in": inner})
    said = {"say a": Act(output=b"l=[1,2]\n"), "say b": Act(output=b"l=[3]\n")}
    played = run(request, ["a", "b"], said)
    assert sorted(ran(played)) == ["deep a1", "deep a2", "deep b3", "list", "say a", "say b"]
    assert outcome(settled(request), played).state == "green"


@pytest.mark.parametrize(
    "other",
    [
        TEST.replace("fromJSON(needs.list.outputs.all)", "fromJSON(needs.list.outputs.b)"),
        TEST.replace("strategy: {", "strategy: {fail-fast: false, "),
        TEST.replace("test ${{", "other ${{"),
    ],
)
def test_the_digest_changes_with_what_is_open(other: str) -> None:
    assert settled(asked(TEST)).digest != settled(asked(other)).digest


def test_a_matrix_that_will_never_be_known_is_refused() -> None:
    text = TEST.replace("needs.list.outputs.all", "vars.ALL")
    job = settled(asked(text)).job("ci.yml/test")
    assert (job.verdict, job.open) == (Verdict.REFUSED, "")
    assert job.reason == "the matrix is never known here: vars.ALL is not known here"

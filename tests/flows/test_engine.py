"""Carrying a plan out: order, limits, failures, cancelling; and that nothing is lost or invented."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grind.core import events as e
from grind.core.outcome import judge
from grind.core.plan import Plan
from grind.flows.job import lane_key
from tests.flows.stage import SETUP, Act, Run, play
from tests.workflows.plans import checks_of, plan_of


def jobs(body: str) -> Plan:
    text = dedent(body).replace("ubuntu", "ubuntu-latest")
    return plan_of(
        "on: push\njobs:\n" + "\n".join("  " + line for line in text.splitlines()) + "\n"
    )


def state(plan: Plan, run: Run) -> str:
    return judge(plan, run.results.jobs, run.results.steps).state


RED = {"red": Act(1)}


def test_a_green_plan_is_green() -> None:
    plan = jobs("a: {runs-on: ubuntu, steps: [{run: make}]}")
    run = play(plan)
    assert run.conclusions() == {"a": "success"}
    assert state(plan, run) == "green"


def test_a_called_workflow_is_refused_and_never_success() -> None:
    plan = jobs(
        """
        a: {runs-on: ubuntu, steps: [{run: make}]}
        b: {uses: ./.github/workflows/other.yml}
        c: {needs: b, runs-on: ubuntu, steps: [{run: make c}]}
        """
    )
    run = play(plan)
    assert run.conclusions() == {"a": "success", "b": "refused", "c": "refused"}
    assert state(plan, run) == "partial"


def test_needs_in_another_case_are_waited_for() -> None:
    plan = jobs(
        """
        Build: {runs-on: ubuntu, steps: [{run: make}]}
        test: {needs: BUILD, runs-on: ubuntu, steps: [{run: make test}]}
        """
    )
    run = play(plan)
    assert run.conclusions() == {"Build": "success", "test": "success"}


@pytest.mark.parametrize(
    ("if_", "conclusion"),
    [
        ("always()", "success"),
        ("failure()", "success"),
        ("success()", "skipped"),
        ("true", "skipped"),
    ],
)
def test_a_job_after_a_failed_one(if_: str, conclusion: str) -> None:
    """(6)"""
    plan = jobs(
        f"""
        a: {{runs-on: ubuntu, steps: [{{run: red}}]}}
        b: {{needs: a, if: "{if_}", runs-on: ubuntu, steps: [{{run: make}}]}}
        """
    )
    run = play(plan, RED)
    assert run.conclusions() == {"a": "failure", "b": conclusion}
    assert state(plan, run) == "red"


def test_what_needs_a_deployment_is_unproven_with_it() -> None:
    plan = jobs(
        """
        a: {runs-on: ubuntu, steps: [{run: make}]}
        d: {needs: a, environment: production, runs-on: ubuntu, steps: [{run: ./ship}]}
        e: {needs: d, if: always(), runs-on: ubuntu, steps: [{run: make e2e}]}
        """
    )
    run = play(plan)
    assert run.conclusions() == {"a": "success", "d": "unproven", "e": "unproven"}
    assert state(plan, run) == "green"


def test_an_output_that_is_not_known_refuses_its_dependents() -> None:
    """(7)"""
    plan = jobs(
        """
        a:
          runs-on: ubuntu
          outputs: {x: "${{ steps.s.outputs.x }}"}
          steps: [{run: make}, {id: s, run: 'echo "${{ secrets.K }}"'}]
        b: {needs: a, if: "needs.a.outputs.x == '1'", runs-on: ubuntu, steps: [{run: make b}]}
        """
    )
    run = play(plan)
    assert run.conclusions()["b"] == "refused"
    assert "make b" not in run.host.ran


def test_outputs_reach_the_jobs_that_need_them() -> None:
    plan = jobs(
        """
        a:
          runs-on: ubuntu
          outputs: {x: "${{ steps.s.outputs.x }}"}
          steps: [{id: s, run: make}]
        b: {needs: a, runs-on: ubuntu, steps: [{run: "echo ${{ needs.a.outputs.x }}"}]}
        """
    )
    run = play(plan, {"make": Act(output=b"x=1\n")})
    assert "echo 1" in run.host.ran


# --- limits -------------------------------------------------------------------------------------

MATRIX = """
m:
  runs-on: ubuntu
  strategy: {STRATEGY}
  steps: [{run: "go ${{ matrix.x }}"}, {run: after}]
"""


def test_no_more_jobs_at_once_than_asked_for() -> None:
    plan = jobs(MATRIX.replace("STRATEGY", "matrix: {x: [1, 2, 3, 4]}, max-parallel: 2"))
    assert play(plan, parallel=8).host.most <= 2
    assert play(plan, parallel=1).host.most == 1


@pytest.mark.parametrize(
    ("limit", "conclusion", "end"),
    [
        ("0", "success", "green"),  # without a positive number there is no limit
        ("-1", "success", "green"),
        ("1.5e9", "refused", "partial"),
        ("${{ github.ref }}", "refused", "partial"),
    ],
)
def test_an_odd_max_parallel_neither_crashes_nor_deadlocks(
    limit: str, conclusion: str, end: str
) -> None:
    plan = jobs(
        MATRIX.replace(
            "STRATEGY",
            f'matrix: {{x: [1]}}, max-parallel: "{limit}"'
            if "$" in limit
            else f"matrix: {{x: [1]}}, max-parallel: {limit}",
        )
    )
    run = play(plan)
    assert set(run.conclusions().values()) == {conclusion}
    assert state(plan, run) == end


def test_fail_fast_cancels_the_others_and_ends() -> None:
    """(5, 12)"""
    plan = jobs(MATRIX.replace("STRATEGY", "matrix: {x: [1, 2, 3, 4]}"))
    run = play(plan, {"go 1": Act(1), "go": Act(waits=True)}, parallel=2)
    assert sorted(run.conclusions().values()) == ["cancelled", "cancelled", "cancelled", "failure"]
    assert state(plan, run) == "red"


def test_without_fail_fast_the_others_go_on() -> None:
    plan = jobs(MATRIX.replace("STRATEGY", "matrix: {x: [1, 2]}, fail-fast: false"))
    run = play(plan, {"go 1": Act(1)})
    assert sorted(run.conclusions().values()) == ["failure", "success"]


def test_a_combination_that_may_fail_cancels_nobody_and_is_forgiven() -> None:
    """(11)"""
    plan = jobs(
        """
        m:
          runs-on: ubuntu
          continue-on-error: ${{ matrix.odd == true }}
          strategy: {matrix: {x: [1, 2], include: [{x: 1, odd: true}]}}
          steps: [{run: "go ${{ matrix.x }}"}]
        n: {needs: m, runs-on: ubuntu, steps: [{run: make n}]}
        """
    )
    run = play(plan, {"go 1": Act(1)})
    assert sorted(run.conclusions().values()) == ["failure", "success", "success"]
    assert state(plan, run) == "green"
    run = play(plan, {"go 2": Act(1)})
    assert state(plan, run) == "red"


def test_continue_on_error_of_a_job_that_is_known_when_it_runs() -> None:
    plan = jobs(
        """
        a:
          runs-on: ubuntu
          outputs: {may: "${{ steps.s.outputs.may }}"}
          steps: [{id: s, run: make}]
        b:
          needs: a
          runs-on: ubuntu
          continue-on-error: ${{ needs.a.outputs.may == 'yes' }}
          steps: [{run: red}]
        """
    )
    assert state(plan, play(plan, RED | {"make": Act(output=b"may=yes\n")})) == "green"
    assert state(plan, play(plan, RED | {"make": Act(output=b"may=no\n")})) == "red"


def test_timeout_of_a_job() -> None:
    body = 'a: {runs-on: ubuntu, timeout-minutes: "TIME", steps: [{run: make}]}'
    seconds = [
        play(jobs(body.replace("TIME", time))).host.lanes[0].spec.timeout
        for time in ("${{ 2 }}", "${{ fromJSON('0.5') }}", "${{ 0 }}")
    ]
    assert seconds == [120, 30, 360 * 60]


# --- what goes wrong on the host ----------------------------------------------------------------

THREE = "a: {runs-on: ubuntu, steps: [{run: one}, {run: two}, {run: three}]}"


def results_of(run: Run) -> list[tuple[str, str]]:
    return [(r.verdict, r.conclusion) for r in sorted(run.results.steps, key=lambda r: r.step)]


def test_a_lost_lane_is_red_and_every_step_has_a_result() -> None:
    plan = jobs(THREE)
    run = play(plan, {"two": Act(says=b"half a line", lost="the runner was killed")})
    assert run.conclusions() == {"a": "lost"}
    assert results_of(run) == [
        ("executed", "success"),
        ("executed", "failure"),
        ("skipped", "skipped"),
    ]
    assert state(plan, run) == "red"
    assert run.logs.books["ci.yml/a", 1].text == b"half a line"
    assert all(book.closed for book in run.logs.books.values())
    started = [event.step for event in run.events if isinstance(event, e.StepStarted)]
    ended = [event.step for event in run.events if isinstance(event, e.StepEnded)]
    assert set(started) <= set(ended) == {0, 1, 2}


def test_a_job_that_the_host_stops_is_not_green() -> None:
    plan = jobs(THREE)
    run = play(plan, {"two": Act(stops=True)})
    assert run.conclusions() == {"a": "cancelled"}
    assert state(plan, run) == "red"


def test_a_job_that_the_host_stops_behind_its_last_command_is_not_green() -> None:
    plan = jobs("a: {runs-on: ubuntu, steps: [{run: one}, {if: failure(), run: two}]}")
    run = play(plan, {"two": Act(stops=True)})
    assert run.conclusions() == {"a": "cancelled"}
    assert "time" in run.results.jobs["ci.yml/a"].reason


def test_a_setup_that_fails_is_told_with_what_it_said() -> None:
    plan = jobs(THREE)
    run = play(plan, {SETUP: Act(1, says=b"no space left")})
    assert run.conclusions() == {"a": "failure"}
    assert "no space left" in run.results.jobs["ci.yml/a"].reason
    assert len(run.results.steps) == 3


def test_a_lane_that_is_stopped_before_its_setup_ends() -> None:
    plan = jobs(THREE)
    run = play(plan, {SETUP: Act(stops=True)})
    assert run.conclusions() == {"a": "cancelled"}


# --- tests and masks ----------------------------------------------------------------------------


def test_a_filter_that_matches_no_test_is_red() -> None:
    """F20"""
    plan = jobs("a: {runs-on: ubuntu, steps: [{run: cargo test no_such}]}")
    said = b"test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 9 filtered out\n"
    run = play(plan, {"cargo": Act(says=said)})
    assert run.conclusions() == {"a": "failure"}
    assert "ran no test" in run.results.jobs["ci.yml/a"].reason
    assert state(plan, run) == "red"
    assert (
        state(plan, play(plan, {"cargo": Act(says=said + said.replace(b"0 p", b"3 p"))})) == "green"
    )


@pytest.mark.parametrize(("said", "expected"), [(b"5 passed in 1s\n", "green"), (b"", "red")])
def test_the_tests_that_a_check_must_run(said: bytes, expected: str) -> None:
    """The checkout before it runs none, and is no test."""
    plan = checks_of('[[check]]\nname = "t"\nrun = "pytest"\nmin_tests = 5')
    run = play(plan, {"pytest": Act(says=said)}, min_tests={"grind.toml/t": 5})
    assert state(plan, run) == expected


def test_masked_values_leave_the_job_nowhere() -> None:
    """(9)"""
    plan = jobs(
        """
        a:
          runs-on: ubuntu
          outputs: {x: "${{ steps.s.outputs.x }}"}
          steps: [{run: one}, {id: s, run: two}]
        b: {needs: a, runs-on: ubuntu, steps: [{run: "echo [${{ needs.a.outputs.x }}]"}]}
        """
    )
    says = (
        b"::add-mask::hush\nhush\n::error file=hush.py,title=hush::hush\n" + b"x" * 65533 + b"hush!"
    )
    run = play(plan, {"one": Act(says=says), "two": Act(0, output=b"x=hush1\n", detail="hush")})
    assert "hush" not in repr(run.events)
    assert b"hush" not in b"".join(book.text for book in run.logs.books.values())
    assert "echo []" in run.host.ran


# --- a part of the plan -------------------------------------------------------------------------


def test_only_what_is_chosen_runs_and_the_rest_stays_open() -> None:
    """(8)"""
    plan = jobs(
        """
        a: {runs-on: ubuntu, steps: [{run: make a}]}
        b: {runs-on: ubuntu, steps: [{run: make b}]}
        """
    )
    run = play(plan, only=["ci.yml/a"])
    assert run.conclusions() == {"a": "success"}
    assert state(plan, run) == "partial"


def test_a_check_after_one_that_need_not_run_runs() -> None:
    plan = checks_of(
        """
        [[check]]
        name = "a"
        run = "make a"
        inputs = ["src/**"]
        [[check]]
        name = "b"
        run = "make b"
        needs = ["a"]
        """,
        ("README.md",),
    )
    run = play(plan)
    assert run.conclusions() == {"b": "success"}


def test_lane_keys_are_safe_and_apart() -> None:
    """(10)"""
    names = ["a/b", "a-b", "a\0b", "../x", "é" * 300, "", "\ud800", "A/b"]
    keys = [lane_key(name) for name in names]
    assert len(set(keys)) == len(names)
    assert all(len(key) < 64 and set(key) <= set("-._~" + _SAFE) for key in keys)
    assert all(key[0] not in ".~" for key in keys)


_SAFE = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"


# --- laws ---------------------------------------------------------------------------------------


@st.composite
def workflows(draw: st.DrawFn) -> tuple[str, dict[str, Act]]:
    count = draw(st.integers(1, 4))
    lines, acts = [], {}
    for index in range(count):
        needs = (
            draw(st.lists(st.sampled_from([f"j{i}" for i in range(index)]), unique=True))
            if index
            else []
        )
        if_ = draw(st.sampled_from(("", "always()", "failure()", "!cancelled()")))
        combos = draw(st.integers(1, 3))
        limit = draw(st.sampled_from(("", ", max-parallel: 1", ", fail-fast: false")))
        lines.append(
            f"  j{index}:\n    runs-on: ubuntu-latest\n    needs: {needs}\n"
            + (f"    if: {if_!r}\n" if if_ else "")
            + f"    strategy: {{matrix: {{x: {list(range(combos))}}}{limit}}}\n"
            + f"    steps: [{{run: 'job{index} ${{{{ matrix.x }}}};'}}, {{run: end, if: always()}}]\n"
        )
        for x in range(combos):
            acts[f"job{index} {x};"] = draw(
                st.sampled_from((Act(), Act(), Act(1), Act(lost="gone"), Act(stops=True)))
            )
    return "on: push\njobs:\n" + "".join(lines), acts


@settings(max_examples=60, deadline=None)
@given(workflows(), st.integers(1, 3))
def test_every_job_ends_once_and_green_means_that_all_ran(
    made: tuple[str, dict[str, Act]], parallel: int
) -> None:
    text, acts = made
    plan = plan_of(text)
    run = play(plan, acts, parallel=parallel)
    active = [job.key for job in plan.jobs if job.active]
    ended = [event.job for event in run.events if isinstance(event, e.JobEnded)]
    assert sorted(ended) == sorted(active) == sorted(run.results.jobs)
    keys = [(record.job, record.step) for record in run.results.steps]
    assert len(keys) == len(set(keys))
    if state(plan, run) == "green":
        met = [act for word, act in acts.items() for script in run.host.ran if word in script]
        assert met
        assert all(act == Act() for act in met)

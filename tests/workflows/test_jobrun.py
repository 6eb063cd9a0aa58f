"""One job while it runs: the machine against a host that does what GitHub's runner would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from grind.core.plan import JobPlan, Recipe, StepPlan, Verdict
from grind.core.task import Condition, StepTask
from grind.workflows.conditions import holds
from grind.workflows.expressions import UNKNOWN
from grind.workflows.jobrun import JobMachine
from grind.workflows.moves import Finish, Hash, Move, Queue, Settle, StepResult
from grind.workflows.tasks import TaskInputs
from tests.workflows.plans import steps_job

INPUTS = TaskInputs(oid="o", ref="refs/heads/main", origin="")


class Ending(NamedTuple):
    """How the host says that a step ended."""

    exit_code: int = 0
    reason: str = "exit"
    outputs: Mapping[str, str] = {}
    env: Mapping[str, str] = {}


class Play:
    """A host that works through what is queued, one step at a time, with GitHub's statuses."""

    def __init__(
        self,
        plan: JobPlan,
        endings: Mapping[int, Ending] | None = None,
        *,
        contexts: Mapping[str, Any] | None = None,
        stop_before: int | None = None,
        cancel_before: int | None = None,
    ) -> None:
        self.machine = JobMachine(plan, {"github": {}, "matrix": None, **(contexts or {})}, INPUTS)
        self.endings = endings or {}
        self.stop_before, self.cancel_before = stop_before, cancel_before
        self.status = "success"
        self.ran: list[int] = []
        self.batches: list[list[int]] = []
        self.told: dict[int, list[StepResult]] = {}
        self.finishes: list[Finish] = []
        self.final = False
        self.queue: list[StepTask] = []

    def __call__(self) -> Finish:
        self._ask()
        while self.queue:
            task = self.queue.pop(0)
            index = task.index - 1
            if self.stop_before is not None and index >= self.stop_before:
                self.status = "cancelled"  # the host stops the job by itself
            if self.cancel_before is not None and index >= self.cancel_before:
                self.machine.cancelled()
                self.status = "cancelled"
            if holds(task.condition, self.status):
                self._run(task, index)
            else:
                self._tell(self.machine.passed(index))
            self._ask()
        assert len(self.finishes) == 1
        return self.finishes[0]

    def _run(self, task: StepTask, index: int) -> None:
        self.ran.append(index)
        ending = self.endings.get(index, Ending())
        if ending.exit_code and self.status == "success" and not task.continue_on_error:
            self.status = "failure"
        self._tell(self._end(index, ending))

    def _end(self, index: int, ending: Ending) -> StepResult:
        return self.machine.ended(
            index,
            exit_code=ending.exit_code,
            reason=ending.reason,
            outputs=ending.outputs,
            env=ending.env,
        )

    def _ask(self) -> None:
        self._take(self.machine.moves())

    def _take(self, moves: list[Move]) -> None:
        batch = []
        for move in moves:
            if isinstance(move, Queue):
                assert not self.final, "queued after final"
                self.queue.append(move.task)
                batch.append(move.task.index)
            elif isinstance(move, Settle):
                self._tell(move.result)
            elif isinstance(move, Finish):
                self.finishes.append(move)
        self.final = self.machine.exhausted
        if batch:
            self.batches.append(batch)

    def _tell(self, result: StepResult) -> None:
        self.told.setdefault(result.step.index, []).append(result)

    @property
    def words(self) -> list[str]:
        """Each step's verdict and conclusion, in order."""
        return [
            f"{results[0].verdict}/{results[0].conclusion}"
            for _, results in sorted(self.told.items())
        ]


def play(steps: str, head: str = "", **more: Any) -> Play:
    made = Play(steps_job(steps, head), **more)
    made()
    return made


RAN, FAILED, SKIPPED, REFUSED = (
    "executed/success",
    "executed/failure",
    "skipped/skipped",
    "refused/skipped",
)
RED = {0: Ending(1)}


@pytest.mark.parametrize(
    ("if_", "after_success", "after_failure"),
    [
        ("success()", RAN, SKIPPED),
        ("failure()", SKIPPED, RAN),
        ("always()", RAN, RAN),
        ("!cancelled()", RAN, RAN),
        ("cancelled()", SKIPPED, SKIPPED),
        ("failure() || cancelled()", SKIPPED, RAN),
        ("success() || cancelled()", RAN, SKIPPED),
        ("true", RAN, SKIPPED),
        ("false", SKIPPED, SKIPPED),
        ("always() && false", SKIPPED, SKIPPED),
        # (1) status functions mixed with values that are known only when the step before ended
        ("steps.a.outcome == 'success'", RAN, SKIPPED),
        ("always() && steps.a.outcome == 'failure'", SKIPPED, RAN),
        ("failure() && steps.a.outputs.x == '1'", SKIPPED, RAN),
        ("always() && steps.a.outputs.x == '1'", RAN, RAN),
        ("success() && steps.a.outputs.x == '2'", SKIPPED, SKIPPED),
        ("failure() && steps.a.conclusion == 'failure'", SKIPPED, RAN),
        ("job.status == 'failure' && failure()", SKIPPED, RAN),
        ("always() && env.SAID == 'yes'", RAN, RAN),
        ("env.NEVER == 'yes'", SKIPPED, SKIPPED),
        # what nobody knows does not matter where the status alone decides
        ("failure() && vars.X == 'y'", SKIPPED, REFUSED),
        ("always() && vars.X == 'y'", REFUSED, REFUSED),
        ("vars.X == 'y'", REFUSED, SKIPPED),
    ],
)
def test_a_condition_after_a_step(if_: str, after_success: str, after_failure: str) -> None:
    steps = f"""
    - {{id: a, run: make}}
    - {{run: make b, if: "{if_}"}}
    """
    said = {"outputs": {"x": "1"}, "env": {"SAID": "yes"}}
    more = {"contexts": {"vars": UNKNOWN}}
    assert play(steps, endings={0: Ending(**said)}, **more).words[1] == after_success
    assert play(steps, endings={0: Ending(1, **said)}, **more).words[1] == after_failure


def test_outcome_is_before_continue_on_error_and_conclusion_after() -> None:
    """(2)"""
    done = play(
        """
        - {id: a, run: make, continue-on-error: true}
        - {run: b, if: "steps.a.outcome == 'failure'"}
        - {run: c, if: "steps.a.conclusion == 'failure'"}
        - {run: d, if: "failure()"}
        - {run: e}
        """,
        endings=RED,
    )
    assert done.words == [RAN, RAN, SKIPPED, SKIPPED, RAN]
    assert done.machine.results[0].outcome == "failure"
    assert done.finishes[0].conclusion == "success"


@pytest.mark.parametrize(("value", "conclusion"), [("true", "success"), ("false", "failure")])
def test_continue_on_error_by_expression_is_told_to_the_host(value: str, conclusion: str) -> None:
    """The host once took it for a failure and passed over what followed: a green job unrun."""
    done = play(
        """
        - {id: a, run: make, continue-on-error: "${{ fromJSON(needs.x.outputs.may) }}"}
        - {run: b}
        """,
        endings=RED,
        contexts={"needs": {"x": {"outputs": {"may": value}}}},
    )
    assert done.finishes[0].conclusion == conclusion
    assert done.ran == ([0, 1] if value == "true" else [0])


def test_a_steps_own_env_is_seen_by_its_condition() -> None:
    done = play(
        """
        - {run: a, if: "env.OWN == 'x'", env: {OWN: x}}
        - {run: b, if: "env.OWN == 'x'"}
        - {run: c, if: "env.own == 'x'", env: {OWN: x}}
        """
    )
    assert done.words == [RAN, SKIPPED, SKIPPED]


def test_env_is_layered_and_unknown_while_steps_may_still_set_it() -> None:
    """(3)"""
    plan = steps_job(
        """
        - {run: one}
        - {run: "echo ${{ env.A }} ${{ env.B }} ${{ env.C }}", env: {B: "${{ env.A }}!"}}
        """,
        "env: {A: job, C: job}",
    )
    made = Play(plan, {0: Ending(env={"C": "file"})})
    made()
    assert made.batches == [[1], [2]]
    machine = JobMachine(plan, {"github": {}}, INPUTS)
    machine.moves()
    machine.ended(0, exit_code=0, reason="exit", outputs={}, env={"C": "file"})
    moves = machine.moves()
    assert isinstance(moves[0], Queue)
    assert moves[0].task.script == "echo job job! file"


def test_a_variable_whose_value_nobody_knows_refuses_the_job() -> None:
    """An empty one would make another command of every step that uses it."""
    plan = replace(steps_job("- {run: make}"), env={"FEATURES": "${{ vars.FEATURES }}"})
    made = Play(plan, contexts={"vars": UNKNOWN})
    finish = made()
    assert finish.conclusion == "refused"
    assert "env: FEATURES: vars is not known here" in finish.reason
    assert made.ran == []


def test_a_variable_that_holds_a_secret_is_empty_as_for_a_fork() -> None:
    plan = replace(steps_job("- {run: make}"), env={"T": "${{ secrets.T }}"})
    assert Play(plan)().conclusion == "success"


def test_a_refused_step_in_the_middle() -> None:
    """(4) What is before it runs, what is behind it is not reached, and the job is refused."""
    done = play(
        """
        - {run: a}
        - {run: "echo ${{ vars.X }}"}
        - {run: c}
        - {run: d, if: always()}
        """,
        contexts={"vars": UNKNOWN},
    )
    assert done.ran == [0]
    assert done.words == [RAN, REFUSED, SKIPPED, SKIPPED]
    assert "not reached" in done.machine.results[3].reason
    assert done.machine.results[3].gating
    assert done.finishes[0].conclusion == "refused"


def test_a_refused_step_that_ci_skips_refuses_nothing() -> None:
    done = play(
        """
        - {id: a, run: make}
        - {uses: some/unknown@v1, if: "steps.a.outputs.x == 'never'"}
        - {run: c}
        """
    )
    assert done.words == [RAN, SKIPPED, RAN]
    assert done.finishes[0].conclusion == "success"


def test_an_output_of_an_action_that_is_not_declared_is_not_known() -> None:
    """An `if:` on it was once false, and what it guards silently left out."""
    plan = steps_job(
        """
        - {id: a, uses: actions/cache@v4, with: {path: x, key: y}}
        - {run: b, if: "steps.a.outputs.cache-hit != 'true'"}
        - {run: c, if: "steps.a.outputs.other == 'true'"}
        """
    )
    made = Play(plan)
    made()
    assert made.words[1:] == [RAN, REFUSED]


def test_what_a_step_declares_is_given_although_a_script_ran_for_it() -> None:
    recipe = Recipe(kind="run", script="x", outputs={"version": "1"})
    plan = steps_job(
        """
        - {id: a, run: make}
        - {run: b, if: "steps.a.outputs.version == '1'"}
        """
    )
    first = replace(plan.steps[0], recipe=recipe, verdict=Verdict.OVERRIDDEN)
    made = Play(replace(plan, steps=(first, plan.steps[1])))
    made()
    assert made.ran == [0, 1]


def test_a_step_left_out_that_sets_variables_makes_env_unknown() -> None:
    done = play(
        """
        - {run: 'echo "K=${{ secrets.K }}" >> $GITHUB_ENV'}
        - {run: b, if: "env.K != ''"}
        """
    )
    assert done.words == [SKIPPED, REFUSED]


def test_a_skipped_step_has_no_outputs_and_says_skipped() -> None:
    done = play(
        """
        - {id: a, run: make, if: false}
        - {run: b, if: "steps.a.outcome == 'skipped' && steps.a.outputs.x == ''"}
        """
    )
    assert done.words == [SKIPPED, RAN]


# --- the host and the machine -------------------------------------------------------------------


def test_a_host_that_stops_the_job_between_steps_makes_no_green() -> None:
    """(12) The job's time ran out while nothing ran: the steps behind were taken for skipped."""
    done = play("- {run: a}\n- {run: b}", stop_before=1)
    assert done.finishes[0].conclusion == "cancelled"
    assert done.words == [RAN, SKIPPED]
    assert done.machine.results[1].gating


def test_cancelling_runs_what_wants_to_run_then() -> None:
    steps = "- {run: a}\n- {run: b}\n- {run: c, if: always()}\n- {run: d, if: cancelled()}"
    done = play(steps, cancel_before=1)
    assert done.ran == [0, 2, 3]
    assert done.finishes[0].conclusion == "cancelled"
    assert done.machine.results[1].reason == "the job was cancelled"


def test_a_step_that_ran_out_of_time_has_failed() -> None:
    done = play("- {run: a}\n- {run: b}", endings={0: Ending(143, "timeout")})
    assert done.machine.results[0].reason == "timed out"
    assert done.finishes[0].conclusion == "failure"


def test_a_job_that_is_lost_still_gives_every_step_one_result() -> None:
    machine = JobMachine(steps_job("- {run: a}\n- {run: b}\n- {run: c}"), {"github": {}}, INPUTS)
    machine.moves()
    machine.ended(0, exit_code=0, reason="exit", outputs={}, env={})
    left = machine.abandoned("gone")
    assert [result.step.index for result in left] == [1, 2]
    assert all(result.gating and result.reason == "gone" for result in left)
    assert machine.moves() == []


def test_a_job_that_was_not_set_up_has_failed() -> None:
    machine = JobMachine(steps_job("- {run: a}\n- {run: b, if: failure()}"), {"github": {}}, INPUTS)
    machine.moves()
    machine.not_set_up()
    assert machine.passed(0).gating is False
    machine.ended(1, exit_code=0, reason="exit", outputs={}, env={})
    finish = machine.moves()[-1]
    assert isinstance(finish, Finish)
    assert finish.conclusion == "failure"


def test_a_nul_or_an_odd_name_refuses_its_step_and_nothing_else() -> None:
    done = play('- {run: a}\n- {run: "echo \\0"}')
    assert done.words == [RAN, REFUSED]
    assert "NUL" in done.finishes[0].reason
    done = play('- {run: a, env: {"A=B": c}}')
    assert done.words == [REFUSED]


@pytest.mark.parametrize(("minutes", "seconds"), [("0.5", 30.0), ("0", None), ("-1", None)])
def test_a_steps_timeout(minutes: str, seconds: float | None) -> None:
    plan = steps_job("- {run: a}")
    source = replace(plan.steps[0].source, timeout_minutes=float(minutes))
    plan = replace(plan, steps=(replace(plan.steps[0], source=source),))
    move = JobMachine(plan, {"github": {}}, INPUTS).moves()[0]
    assert isinstance(move, Queue)
    assert move.task.timeout == seconds


# --- laws ---------------------------------------------------------------------------------------

CONDITIONS = (
    "",
    "always()",
    "failure()",
    "cancelled()",
    "!cancelled()",
    "failure() || cancelled()",
    "success() || cancelled()",
    "steps.s0.outcome == 'success'",
    "always() && steps.s0.conclusion == 'failure'",
    "always() && steps.s1.outputs.x == 'y'",
    "env.E == 'e'",
    "always() && vars.V == 'v'",
    "failure() && steps.s2.outputs.x == 'y'",
    "fromJSON('{')",
)
TEXTS = ("make", "echo ${{ steps.s0.outputs.x }}", "echo ${{ env.E }}", "echo ${{ vars.V }}")
RECIPES: tuple[Callable[[StepPlan], StepPlan], ...] = (
    lambda one: one,
    lambda one: replace(one, verdict=Verdict.REFUSED, reason="no"),
    lambda one: replace(one, verdict=Verdict.SKIPPED, reason="secret"),
    lambda one: replace(one, verdict=Verdict.SATISFIED, recipe=Recipe(kind="nothing")),
    lambda one: replace(one, verdict=Verdict.SATISFIED, recipe=Recipe(kind="provide", script="x")),
)
BLANK = steps_job("- {run: make}")


@st.composite
def jobs(draw: st.DrawFn) -> JobPlan:
    steps = []
    for index in range(draw(st.integers(0, 6))):
        source = replace(
            BLANK.steps[0].source,
            if_=draw(st.sampled_from(CONDITIONS)),
            run=draw(st.sampled_from(TEXTS)),
            continue_on_error=draw(st.sampled_from((False, True, "${{ env.E == 'e' }}"))),
        )
        made = replace(BLANK.steps[0], index=index, id=f"s{index}", source=source)
        steps.append(draw(st.sampled_from(RECIPES))(made))
    return replace(BLANK, steps=tuple(steps), outputs={"o": "${{ steps.s0.outputs.x }}"})


ENDINGS = st.dictionaries(
    st.integers(0, 5),
    st.builds(
        Ending,
        st.sampled_from((0, 0, 1)),
        st.sampled_from(("exit", "exit", "timeout", "file-command")),
        st.sampled_from(({}, {"x": "y"})),
        st.sampled_from(({}, {"E": "e"})),
    ).map(lambda e: e if e.reason == "exit" else e._replace(exit_code=1)),
)
PLACES = st.none() | st.integers(0, 5)


@settings(max_examples=200, deadline=None)
@given(jobs(), ENDINGS, PLACES, PLACES)
def test_every_step_gets_one_result_and_the_job_one_end(
    plan: JobPlan, endings: dict[int, Ending], stop: int | None, cancel: int | None
) -> None:
    made = Play(plan, endings, contexts={"vars": UNKNOWN}, stop_before=stop, cancel_before=cancel)
    finish = made()
    assert sorted(made.told) == [step.index for step in plan.steps]
    assert all(len(results) == 1 for results in made.told.values())
    queued = [index for batch in made.batches for index in batch]
    assert queued == sorted(set(queued))
    assert made.machine.moves() == []
    if finish.conclusion == "success":
        for results in made.told.values():
            result = results[0]
            assert result.conclusion != "failure"
            assert result.verdict is not Verdict.REFUSED
            # A gap in a job that succeeded is a step that grind leaves out, never one unreached.
            assert "not reached" not in result.reason


@settings(max_examples=200, deadline=None)
@given(jobs(), ENDINGS)
def test_what_runs_is_what_the_runner_runs(plan: JobPlan, endings: dict[int, Ending]) -> None:
    """Step by step, nothing queued ahead: the same steps run, with the same results."""
    ahead = Play(plan, endings, contexts={"vars": UNKNOWN})
    conclusion = ahead().conclusion
    results = [told[0] for _, told in sorted(ahead.told.items())]
    assert _one_by_one(plan, endings) == (results, conclusion)


def _one_by_one(plan: JobPlan, endings: dict[int, Ending]) -> tuple[list[StepResult], str]:
    """Carry the job out with a machine that learns of a step when it is its turn."""
    contexts = {"github": {}, "matrix": None, "vars": UNKNOWN}
    machine = JobMachine(replace(plan, steps=()), contexts, INPUTS)
    told: list[StepResult] = []
    for step in plan.steps:
        machine._job.plan = replace(plan, steps=(*machine._job.plan.steps, step))
        machine._finished = False
        for move in machine.moves():
            if isinstance(move, Settle):
                told.append(move.result)
            elif isinstance(move, Queue):
                ending = endings.get(step.index, Ending())
                if holds(move.task.condition, machine.status):
                    told.append(
                        machine.ended(
                            step.index,
                            exit_code=ending.exit_code,
                            reason=ending.reason,
                            outputs=ending.outputs,
                            env=ending.env,
                        )
                    )
                else:
                    told.append(machine.passed(step.index))
    machine._finished = False
    finish = machine.moves()[-1]
    assert isinstance(finish, Finish)
    return told, finish.conclusion


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(Condition)), st.sampled_from(("success", "failure", "cancelled")))
def test_a_condition_holds_as_the_host_has_it(condition: Condition, status: str) -> None:
    expected = {
        Condition.SUCCESS: ("success",),
        Condition.FAILURE: ("failure",),
        Condition.CANCELLED: ("cancelled",),
        Condition.NOT_CANCELLED: ("success", "failure"),
        Condition.ALWAYS: ("success", "failure", "cancelled"),
    }[condition]
    assert holds(condition, status) is (status in expected)


# --- hashFiles, and faults that the host does not know of -----------------------------------------


class Hashing(Play):
    """A host whose workspace is a text that its steps append their number to."""

    def __init__(self, *args: Any, fails: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        self.asked: list[tuple[int, tuple[str, ...], list[int]]] = []
        self.fails = fails

    def _ask(self) -> None:
        while True:
            moves = self.machine.moves()
            hashes = [move for move in moves if isinstance(move, Hash)]
            self._take(moves)
            if not hashes:
                return
            (asked,) = hashes
            assert asked is moves[-1]
            assert not self.queue, "asked while a step is queued"
            self.asked.append((asked.step, asked.arguments, list(self.ran)))
            if self.fails:
                self._tell(self.machine.not_hashed("it cannot be read").result)
            else:
                self.machine.hashed(asked.arguments, f"h{len(self.ran)}")


def hashing(steps: str, **more: Any) -> Hashing:
    made = Hashing(steps_job(steps), **more)
    made()
    return made


def test_hash_files_is_asked_in_its_turn() -> None:
    played = hashing("""
        - run: echo ${{ hashFiles('a', '*.b') }}
        - run: make
        - if: hashFiles('a') == 'h2'
          run: echo ${{ hashFiles('a') }} ${{ hashFiles('c') }}
          env: {KEY: "k-${{ hashFiles('a') }}"}
        - if: hashFiles('a') == 'h2'
          run: never
    """)
    assert played.asked == [
        (0, ("a", "*.b"), []),
        (2, ("a",), [0, 1]),
        (2, ("c",), [0, 1]),
        (3, ("a",), [0, 1, 2]),
    ]
    assert played.ran == [0, 1, 2]
    assert played.words[-1] == "skipped/skipped"
    # The first two are queued together: only what asks waits.
    assert played.batches == [[1, 2], [3]]


def test_hash_files_is_not_asked_where_it_does_not_matter() -> None:
    played = hashing("- if: failure() && hashFiles('a') != ''\n  run: never\n- run: make")
    assert (played.asked, played.ran) == ([], [1])


def test_a_step_whose_files_cannot_be_hashed_fails() -> None:
    played = hashing(
        "- run: echo ${{ hashFiles('a') }}\n- run: never\n- if: failure()\n  run: tell\n"
        "- if: always()\n  run: clean\n",
        fails=True,
    )
    assert played.finishes[0].conclusion == "failure"
    assert played.ran == [2, 3]
    assert played.words == [
        "executed/failure", "skipped/skipped", "executed/success", "executed/success",
    ]  # fmt: skip


def fault_after(steps: str, *, endings: Mapping[int, Ending] | None = None) -> tuple[Play, Finish]:
    """Play with a fault in step 0 that the host takes for a success."""

    class Faulty(Play):
        def _end(self, index: int, ending: Ending) -> StepResult:
            return self.machine.ended(
                index,
                exit_code=ending.exit_code,
                reason=ending.reason,
                outputs=ending.outputs,
                env=ending.env,
                fault="no such command" if index == 0 else "",
            )

    made = Faulty(steps_job(steps), endings)
    return made, made()


def test_a_fault_fails_the_job_although_the_host_goes_on() -> None:
    played, finish = fault_after("- run: a\n- run: b\n- if: failure()\n  run: c\n")
    assert finish.conclusion == "failure"
    assert played.told[0][0].outcome == "failure"
    assert played.told[0][0].reason == "no such command"
    # They were queued before the fault was seen: what ran has run, and what did not was not skipped.
    assert played.ran == [0, 1]
    assert played.told[2][0].reason == "not reached: it was queued for a success"


def test_what_is_queued_after_a_fault_follows_it() -> None:
    played, finish = fault_after(
        "- id: one\n  run: a\n- if: steps.one.outcome == 'success'\n  run: b\n"
        "- if: failure() && steps.one.outcome == 'failure'\n  run: c\n- run: d\n"
        "- if: failure()\n  run: e\n- if: always()\n  run: f\n"
    )
    assert finish.conclusion == "failure"
    assert played.ran == [0, 2, 4, 5]


def test_a_fault_is_forgiven_as_any_failure() -> None:
    played, finish = fault_after(
        "- id: one\n  run: a\n  continue-on-error: true\n"
        "- if: steps.one.outcome == 'failure' && steps.one.conclusion == 'success'\n  run: b\n"
    )
    assert finish.conclusion == "success"
    assert played.ran == [0, 1]

"""The `steps` context that grows with a job: what is seen, and that it costs each step the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.workflows.expressions import UNKNOWN, DisputedValueError, Object
from grind.workflows.jobsteps import Steps
from tests.workflows.plans import steps_job
from tests.workflows.test_jobrun import Ending, Play
from tests.workflows.work import lines_run

KEYS = st.sampled_from(("a", "A", "b", "K", "\u212a", "\u017f", "s", "2", "1"))
CHANGES = st.lists(st.tuples(st.booleans(), KEYS, st.sampled_from((1.0, 2.0))), max_size=12)


def _seen(of: Object) -> list[object]:
    """All that an expression can make out."""
    said: list[object] = [list(of.items())]
    for key in ("a", "A", "b", "k", "K", "\u212a", "\u017f", "s", "2"):
        try:
            said.append(of.get(key))
        except DisputedValueError as error:
            said.append(str(error))
    try:
        said.append(list(of.ordered()))
    except DisputedValueError as error:
        said.append(str(error))
    return said


@given(CHANGES, st.booleans())
def test_an_object_that_has_changed_is_one_that_was_made_so(
    changes: list[tuple[bool, str, float]], case: bool
) -> None:
    changed = Object(case_sensitive=case)
    model: dict[str, float] = {}
    for put, key, value in changes:
        if put:
            changed.put(key, value)
            model[key] = value
        else:
            changed.drop(key)
            model.pop(key, None)
    assert _seen(changed) == _seen(Object(model.items(), case_sensitive=case))


def test_what_is_awaited_is_unknown_until_all_have_been_heard() -> None:
    steps, one, two = Steps(), Object(), Object()
    steps.keep("a", one)
    steps.await_(["a", "b", ""])
    steps.await_(["b"])  # a `wait` for it
    assert dict(steps.context.items()) == {"a": UNKNOWN, "b": UNKNOWN}
    steps.heard(["a", "b", ""])
    steps.keep("b", two)
    assert dict(steps.context.items()) == {"a": one, "b": UNKNOWN}
    steps.heard(["b"])
    assert dict(steps.context.items()) == {"a": one, "b": two}


def test_what_was_awaited_and_said_nothing_is_absent_again() -> None:
    steps = Steps()
    steps.await_(["a"])
    steps.heard(["a"])
    assert list(steps.context.items()) == []


QUEUED_AHEAD = "- {{id: s{0}, run: make}}"
SPEAKS_OF_THE_FIRST = '- {{id: s{0}, run: "echo ${{{{ steps.s0.outputs.x }}}}"}}'
SPEAKS_OF_THE_LAST = "- {{id: s{0}, if: \"steps.s{1}.outcome == 'success'\", run: make}}"


@pytest.mark.parametrize("line", [QUEUED_AHEAD, SPEAKS_OF_THE_FIRST, SPEAKS_OF_THE_LAST])
def test_twice_the_steps_are_twice_the_work(line: str) -> None:
    """A thousand steps of which each hung on the one before once cost five seconds."""

    def work(number: int) -> int:
        rest = "\n".join(line.format(i, i - 1) for i in range(1, number))
        plan = steps_job(f"- {{id: s0, run: make}}\n{rest}")
        made = Play(plan, {0: Ending(outputs={"x": "y"})})
        lines = lines_run(made)
        assert made.ran == list(range(number))
        return lines

    assert work(160) < 2.1 * work(80)

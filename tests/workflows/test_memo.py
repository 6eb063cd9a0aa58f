"""What is remembered is what would have been answered."""

from __future__ import annotations

import pytest

from grind.workflows.facts import Answer, Facts
from grind.workflows.memo import Memo


def test_a_function_is_asked_once_for_the_same_arguments() -> None:
    asked: list[tuple[str, int]] = []

    def function(text: str, number: int = 0) -> str:
        asked.append((text, number))
        return f"{text}{number}"

    memo = Memo()
    assert [memo(function, "a"), memo(function, "a"), memo(function, "a", 1)] == ["a0", "a0", "a1"]
    assert memo(function, "a", number=1) == "a1"
    assert asked == [("a", 0), ("a", 1), ("a", 1)]
    assert Memo()(function, "a") == "a0"
    assert len(asked) == 4


def test_functions_are_told_apart() -> None:
    memo = Memo()
    assert (memo(str.upper, "a"), memo(str.lower, "a")) == ("A", "a")


def test_what_raises_is_asked_again() -> None:
    memo = Memo()
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            memo(int, "x")
    assert memo(int, "1") == 1


def test_objects_are_told_apart_by_identity() -> None:
    memo = Memo()
    one, equal = {"a": 1}, {"a": 1}
    first = memo.of_object(dict, one)
    assert first == one
    assert memo.of_object(dict, one) is first
    assert memo.of_object(dict, equal) is not first
    # An object that is gone must not answer for another that came to lie where it lay.
    answers = [memo.of_object(repr, {"n": number}) for number in range(1000)]
    assert answers == [repr({"n": number}) for number in range(1000)]


def test_a_sample_is_the_first_and_says_that_it_is_one() -> None:
    facts = Facts(sample=True)
    assert (facts.sample_of((1,)), facts.cut) == ((1,), False)
    assert (facts.sample_of((1, 2, 3)), facts.cut) == ((1,), True)
    everything = Facts({("x",): Answer(0)})
    assert (everything.sample_of((1, 2, 3)), everything.cut) == ((1, 2, 3), False)

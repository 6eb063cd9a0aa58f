"""Laws: nothing but an ExpressionError ever leaves, and printing is the inverse of parsing."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grind.workflows.expressions import (
    UNKNOWN,
    Array,
    ExpressionError,
    Node,
    Object,
    evaluate,
    evaluate_template,
    from_python,
    implicit_success,
    parse,
    parse_template,
    partial,
    references,
    to_json,
    unparse,
)
from tests.workflows.expressions import grammar

many = settings(
    max_examples=1000, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
some = settings(
    max_examples=300, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
BYTES = st.binary(min_size=60, max_size=400)
NASTY = st.lists(st.sampled_from([*"'(){}[]$!&|=<>.,*+- \n0aé\x00", "${{", "}}", "😊"])).map(
    "".join
)


def refused(question: Callable[[], object]) -> ExpressionError | None:
    try:
        question()
    except ExpressionError as error:
        return error
    return None


def ask_everything(source: str, contexts: Any) -> None:
    """Every public question about a text; only ExpressionError may come out."""
    functions = {"success": lambda: True, "hashFiles": lambda *_: UNKNOWN}
    for question in (
        lambda: evaluate(source, contexts, functions),
        lambda: evaluate_template(source, contexts, functions),
        lambda: partial(source, contexts, functions),
        lambda: references(source),
        lambda: implicit_success(source),
        lambda: parse_template(source).references(),
    ):
        problem = refused(question)
        if problem is not None:
            assert problem.message
            assert problem.position is None or 0 <= problem.position <= len(source)


@many
@given(BYTES)
def test_generated_text_raises_nothing_else(data: bytes) -> None:
    choices = grammar.Choices(data)
    contexts = grammar.contexts(choices)
    contexts["needs"] = UNKNOWN
    source = grammar.expression(choices)
    ask_everything(source, contexts)
    ask_everything(f"a${{{{{source}}}}} b ${{{{ needs }}}}", contexts)


@many
@given(st.one_of(NASTY, st.text()))
def test_any_text_raises_nothing_else(source: str) -> None:
    ask_everything(source, {"a": {"b": "${{ a }}"}})


@many
@given(BYTES)
def test_parsing_what_was_printed_gives_the_same_tree(data: bytes) -> None:
    try:
        node = parse(grammar.expression(grammar.Choices(data)))
        printed = unparse(node)
        again = parse(printed)
    except ExpressionError:
        return
    assert again == node
    assert unparse(again) == printed


@many
@given(BYTES)
def test_a_tree_and_its_text_answer_the_same(data: bytes) -> None:
    choices = grammar.Choices(data)
    contexts = {name: from_python(value) for name, value in grammar.contexts(choices).items()}
    source = grammar.expression(choices)

    def answer(source: str | Node) -> object:
        try:
            return evaluate(source, contexts)
        except ExpressionError as error:
            return type(error)

    try:
        parse(source)
        evaluate(source, contexts)
    except ExpressionError:
        return
    ours, theirs = answer(source), answer(parse(source))
    if isinstance(ours, Array | Object):
        assert type(ours) is type(theirs)
    else:
        assert ours == theirs or (isinstance(ours, float) and math.isnan(ours))


@some
@given(st.text(max_size=50), st.text(max_size=50))
def test_text_put_into_a_template_is_never_read_again(before: str, value: str) -> None:
    before = before.replace("$", "")
    template = parse_template(before + "${{ v }}" + "${{ later }}")
    contexts = {"v": value, "later": UNKNOWN}
    kept = partial(template, contexts)
    assert evaluate_template(kept, {"later": "x"}) == before + value + "x"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | st.text(st.characters(max_codepoint=0x7F)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text("abcdef", max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


@some
@given(JSON)
def test_json_goes_round(data: Any) -> None:
    text = to_json(from_python(data))
    assert evaluate("toJSON(fromJSON(text)) == text", {"text": text}) is True
    assert evaluate("toJSON(fromJSON(toJSON(data))) == toJSON(data)", {"data": data}) is True


def test_hostile_input_is_refused_and_not_followed() -> None:
    bomb: Any = ["x" * 100]
    for _ in range(60):
        bomb = [bomb, bomb]
    circle: dict[str, Any] = {}
    circle["self"] = circle
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    nested = "x"
    for _ in range(45):
        nested = f"format('{'{0}' * 60}', {nested})"
    hostile = [
        ("toJSON(bomb)", {"bomb": bomb}),
        ("toJSON(circle)", {"circle": circle}),
        ("deep", {"deep": deep}),
        (nested, {"x": "y"}),
        ("fromJSON(j)", {"j": "[" * 100_000}),
        ("fromJSON(j)", {"j": "[" * 100_000 + "]" * 100_000}),
        ("fromJSON(j)", {"j": '{"a":' * 5000 + "1" + "}" * 5000}),
        ("fromJSON(j) == 1", {"j": "9" * 100_000 + "x"}),
        ("(" * 20_000, {}),
        ("!" * 20_000 + "1", {}),
        ("1" + "==1" * 6000, {}),
        ("x" + "[0" * 9000, {"x": 1}),
        ("x" + ".*" * 9000, {"x": 1}),
        ("'" * 20_001, {}),
        ("join(b.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*.*)", {"b": bomb}),
        ("n == 1", {"n": 10**400}),
        ("n", {"n": object()}),
        ("n", {"n": {1: 2}}),
    ]
    for source, contexts in hostile:
        assert refused(lambda s=source, c=contexts: evaluate(s, c)), f"{source[:60]} was answered"


def test_a_caller_deep_in_the_stack_gets_an_expression_error() -> None:
    source = "!(" * 24 + "true" + ")" * 24

    def descend(depth: int) -> object:
        if depth:
            return descend(depth - 1)
        try:
            return evaluate(source)
        except ExpressionError as error:
            return error

    answers = [descend(depth) for depth in range(0, sys.getrecursionlimit() - 120, 20)]
    assert answers[0] is True
    assert all(answer is True or isinstance(answer, ExpressionError) for answer in answers)

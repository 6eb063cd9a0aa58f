"""Text with holes."""

from __future__ import annotations

import pytest

from grind.workflows.expressions import (
    UNKNOWN,
    ExpressionError,
    LexingError,
    ParsingError,
    UnknownValueError,
    evaluate,
    evaluate_template,
    implicit_success,
    parse_template,
    partial,
)

CONTEXTS = {
    "a": "A",
    "n": 1,
    "list": [1],
    "later": UNKNOWN,
    "hostile": "${{ secrets.token }}",
    "nothing": None,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("", ""),
        ("x${{ a }}y", "xAy"),
        ("${{ n }}", 1.0),
        ("${{n}}${{n}}", "11"),
        (" ${{ n }}", " 1"),
        ("${{ n }}\n", "1\n"),
        ("${{ '}}' }}", "}}"),
        ("${{ 'it''s }}' }}!", "it's }}!"),
        ("{0} {{ ' }} ${{ a }}", "{0} {{ ' }} A"),
        ("$ {{ a }} ${ a } ${{ a }}}}", "$ {{ a }} ${ a } A}}"),
        ("${{ list }} and ${{ nothing }}.", "Array and ."),
        ("${{ hostile }}/${{ a }}", "${{ secrets.token }}/A"),
        ("${{ format('{0}', '${{ a }}') }}", "${{ a }}"),
        ("${{ nothing }}", None),
    ],
)
def test_value(text: str, value: object) -> None:
    answer = evaluate_template(text, CONTEXTS)
    assert answer == value
    assert type(answer) is type(value)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("ab ${{ a ", 3, "The expression is not closed"),
        ("ab ${{ 'a }} ", 3, "The expression is not closed"),
        ("ab ${{ }}", 6, "An expression was expected"),
        ("ab ${{ a.1 }}", 9, "Unexpected symbol: '1'"),
        ("${{ a }} ${{ b", 9, "The expression is not closed"),
        ("${{ a }} ${{  unknown }}", 14, "Unrecognized named-value: 'unknown'"),
        ("x ${{ false && unknown }}", 15, "Unrecognized named-value"),
        ("x ${{ 1 + 1 }}", 8, "Unexpected symbol: '+'"),
        ("x ${{ fromJSON('[') }}", 6, "Error parsing fromJSON"),
        ("x ${{ 1e15 }}", 6, "disagree"),
        ("x ${{ success() }}", 6, "Unrecognized function"),
        ("x" * 21_000 + "${{ a }}", 0, "Exceeded max expression length 21000"),
        ("${{ a }} " * 255, 2290, "Too many parameters"),
    ],
)
def test_error_position_is_in_the_template(text: str, position: int, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate_template(text, CONTEXTS)
    assert message in caught.value.message
    assert caught.value.position == position


@pytest.mark.parametrize("filling", ["x", "{", "'", "😊"])
def test_the_limit_is_that_of_the_format_call(filling: str) -> None:
    # format('…{0}', a) around the filling is 16 characters; braces, quotes and 😊 count twice.
    fits = (21_000 - 16) // (1 if filling == "x" else 2)
    assert evaluate_template(filling * fits + "${{ a }}", CONTEXTS) == filling * fits + "A"
    with pytest.raises(ParsingError, match="Exceeded max expression length"):
        parse_template(filling * (fits + 1) + "${{ a }}")


def test_a_long_literal_is_no_expression_and_has_no_limit() -> None:
    assert evaluate_template("x" * 30_000, {}) == "x" * 30_000


def test_references() -> None:
    template = parse_template("${{ a.b }} ${{ c[d] || a.B }} ${{ a.b }}")
    assert template.references() == (("a", "b"), ("c", None), ("d",), ("a", "B"))
    assert not template.is_literal
    assert parse_template("x").is_literal
    assert parse_template("x").text == "x"
    with pytest.raises(ValueError, match="holes"):
        _ = template.text


def test_partial_keeps_what_is_not_known_and_never_reads_a_value_again() -> None:
    first = partial("${{ hostile }}-${{ later.x }}-${{ n }}", CONTEXTS)
    assert [hole.source for hole in first.holes] == ["later.x"]
    with pytest.raises(UnknownValueError):
        evaluate_template(first, CONTEXTS)
    known = {**CONTEXTS, "later": {"x": "${{ a }}"}}
    assert evaluate_template(first, known) == "${{ secrets.token }}-${{ a }}-1"
    second = partial(first, known)
    assert second.is_literal
    assert second.text == "${{ secrets.token }}-${{ a }}-1"


def test_partial_raises_what_is_wrong() -> None:
    with pytest.raises(ParsingError):
        partial("${{ later }} ${{ unknown }}", CONTEXTS)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", "success()"),
        ("  ", "success()"),
        ("a == 'x'", "success() && a == 'x'"),
        ("${{ a == 'x' }}", "success() && a == 'x'"),
        ("a || b", "success() && (a || b)"),
        ("a && b", "success() && a && b"),
        ("always()", "always()"),
        ("!CANCELLED() && a", "!CANCELLED() && a"),
        ("${{ failure() }}", "failure()"),
        ("contains('success()', 'x')", "success() && contains('success()', 'x')"),
        # The well-known trap: text around the hole makes it a text, which is always true.
        ("${{ a }} == 'x'", "success() && format('{0} == ''x''', a)"),
        ("!${{ a }}", "success() && format('!{0}', a)"),
        ("${{ always() }} x", "format('{0} x', always())"),
        ("hashFiles('x') != ''", "success() && hashFiles('x') != ''"),
    ],
)
def test_what_an_if_really_evaluates(text: str, meaning: str) -> None:
    assert implicit_success(text) == meaning


def test_the_trap_is_true() -> None:
    meaning = implicit_success("${{ a }} == 'x'")
    assert evaluate(f"{meaning} && true", CONTEXTS, {"success": lambda: True}) is True


def test_an_if_that_is_a_quoted_text_is_refused() -> None:
    with pytest.raises(ParsingError, match="no clear meaning"):
        implicit_success("${{ 'false' }}")


def test_positions_in_an_if() -> None:
    with pytest.raises(LexingError) as caught:
        implicit_success("  a = b")
    assert caught.value.position == 4

"""What expressions answer, by table: from GitHub's documentation and the runner's behaviour."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from grind.workflows.expressions import (
    Array,
    EvaluationError,
    ExpressionError,
    LexingError,
    Object,
    ParsingError,
    evaluate,
    kind,
)

CONTEXTS: dict[str, Any] = {
    "github": {"ref": "refs/heads/main", "event": {"labels": [{"name": "Bug"}, {"name": "ui"}]}},
    "env": {"EMPTY": "", "Mixed": "x"},
    "matrix": {"os": "ubuntu", "version": 3.12, "flags": [True, False, None]},
    "needs": {"a": {"result": "success"}, "b": {"result": "failure"}, "c": "text"},
    "nothing": None,
}


def plain(value: object) -> object:
    if isinstance(value, Object):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, Array) else value


VALUES: list[tuple[str, object]] = [
    # literals and number forms
    ("null", None), ("true", True), ("false", False), ("'it''s'", "it's"), ("''", ""), ("", None),
    ("1", 1.0), ("-1.5", -1.5), ("+.5", 0.5), ("1.", 1.0), ("0xff", 255.0), ("0o17", 15.0),
    ("1e3", 1000.0), ("1E-2", 0.01), ("Infinity", math.inf), ("-Infinity", -math.inf),
    ("'''a'''", "'a'"), ("'a''b''c'", "a'b'c"), ("''''''''''", "''''"),
    # operators: precedence, associativity, operands returned
    ("!true", False), ("!!''", False), ("!0 == true", True), ("1 < 2 == true", True),
    ("1 == 2 < 3", True), ("3 > 2 > 1", False), ("true || false && false", True),
    ("(true || false) && false", False), ("'' || 'b'", "b"), ("0 || null", None), ("1 && 'x'", "x"),
    ("null && 1", None), ("'a' && '' && 'c'", ""), ("1 != 1 || 2", 2.0),
    # equality and order with coercion
    ("null == 0", True), ("null == ''", True), ("null == false", True), ("true == 1", True),
    ("true == '1'", True), ("true == 'true'", False), ("'' == 0", True), ("' 1 ' == 1", True),
    ("'0x1F' == 31", True), ("'abc' == 0", False), ("NaN == NaN", False), ("NaN != NaN", True),
    ("'ABC' == 'abc'", True), ("'b' > 'A'", True), ("'a' < 'B'", True), ("'Z' > '_'", False),
    ("null >= null", True), ("null > null", False), ("true > false", True), ("'10' > 9", True),
    ("'a' < 1", False), ("'a' > 1", False), ("github == github", True), ("github >= github", True),
    ("fromJSON('[]') == fromJSON('[]')", False), ("github == 'Object'", False),
    ("nothing == github", False), ("'é' == 'É'", True), ("'😊' == '😊'", True),
    # access
    ("github.REF", "refs/heads/main"), ("GITHUB['Ref']", "refs/heads/main"), ("github.no", None),
    ("github.no.further", None), ("github.ref.x", None), ("nothing.a", None), ("env.mixed", "x"),
    ("github.event.labels[0].name", "Bug"), ("github.event.labels[1.9].name", "ui"),
    ("github.event.labels['1'].name", "ui"), ("github.event.labels[-1]", None),
    ("github.event.labels[9]", None), ("github.event.labels.*.name", ["Bug", "ui"]),
    ("github.event.labels.*.name[0]", []), ("needs.*.result", ["success", "failure"]),
    ("needs[*]['RESULT']", ["success", "failure"]), ("nothing.*", []), ("'x' && nothing.*.a", []),
    ("matrix.flags[null]", True), ("matrix.flags[true]", False), ("matrix.flags['x']", None),
    ("fromJSON('{\"a\":[1]}').a[0]", 1.0), ("(github).ref", "refs/heads/main"),
    # contains, startsWith, endsWith
    ("contains('Hello', 'ELL')", True), ("contains('a', '')", True), ("contains(123, 2)", True),
    ("contains(needs.*.result, 'FAILURE')", True), ("contains(matrix.flags, 'true')", False),
    ("contains(matrix.flags, 1)", True), ("contains(matrix.flags, '')", True),
    ("contains(github, 'ref')", False), ("contains('x', github)", False),
    ("contains(null, '')", True),
    ("startsWith(github.ref, 'REFS/')", True), ("startsWith(1.5, '1.')", True),
    ("startsWith(github, '')", False), ("endsWith('abc', 'BC')", True),
    ("endsWith('', null)", True),
    ("endsWith('abc', 'abcd')", False), ("startsWith('', 'a')", False),
    # format and join
    ("format('{0} {1} {0}', 'a', 1)", "a 1 a"), ("format('{{{0}}}', true)", "{true}"),
    ("format('{00}', 'x')", "x"), ("format('x')", "x"), ("format(1, 2)", "1"),
    ("format('{0}', github)", "Object"), ("format('{0}', null)", ""),
    ("join(matrix.flags)", "true,false,"), ("join(needs.*.result, ' or ')", "success or failure"),
    ("join('x', ',')", "x"), ("join(github)", ""), ("join(null)", ""),
    ("join(matrix.flags, github)", "true,false,"), ("join(fromJSON('[]'), 'x')", ""),
    ("join(fromJSON('[[1],{}]'))", "Array,Object"),
    # toJSON and fromJSON
    ("toJSON(matrix.flags)", "[\n  true,\n  false,\n  null\n]"), ("toJSON('a\"b')", '"a\\"b"'),
    ("toJSON(github.event)", json.dumps(CONTEXTS["github"]["event"], indent=2)),
    ("toJSON(-0)", "0"), ("toJSON(1.5)", "1.5"), ("toJSON(null)", "null"), ("toJSON('\t\u0001')",
     '"\\t\\u0001"'), ("toJSON(fromJSON('{}'))", "{}"), ("toJSON(fromJSON('[]'))", "[]"),
    ("fromJSON('1e2')", 100.0), ("fromJSON(' [1, \"a\", null] ')", [1.0, "a", None]),
    ("fromJSON('{\"Ab\": {\"c\": true}}').aB.C", True), ("fromJSON(true)", True),
    ("fromJSON('\"\\u0041\"')", "A"), ("fromJSON(toJSON(matrix)).version", 3.12),
    # case
    ("case(true, 'a', 'b')", "a"), ("case(false, 'a', true, 'b', 'c')", "b"),
    ("case(false, 1, false, 2, 3)", 3.0), ("case(true, 1, fromJSON('bad'))", 1.0),
    ("case(true, 'x', 'not a boolean', 1, 2)", "x"),
    # number to text
    ("format('{0}', 0.1)", "0.1"), ("format('{0}', 1e14)", "100000000000000"),
    ("format('{0}', -0)", "0"), ("format('{0}', 123456.789)", "123456.789"),
    ("format('{0}', 0.30000000000000004)", "0.3"), ("format('{0}', 0.0001)", "0.0001"),
    ("format('{0}', 999999999999999)", "999999999999999"),
    ("format('{0}', Infinity)", "Infinity"),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), VALUES, ids=[source for source, _ in VALUES])
def test_value(source: str, expected: object) -> None:
    value = evaluate(source, CONTEXTS)
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


@pytest.mark.parametrize(("source", "expected"), VALUES, ids=[source for source, _ in VALUES])
def test_wrapped_in_a_hole_it_answers_the_same(source: str, expected: object) -> None:
    assert plain(evaluate("  ${{" + source + "}}\n", CONTEXTS)) == expected


ERRORS: list[tuple[str, type[ExpressionError], int, str]] = [
    # lexing
    ("1 = 1", LexingError, 2, "Unexpected symbol: '='"),
    ("a@b", LexingError, 0, "Unexpected symbol: 'a@b'"),
    ("'open", LexingError, 0, "Unexpected symbol: ''open'"),
    ("'it''", LexingError, 0, "Unexpected symbol: ''it'''"),
    ('"double"', LexingError, 0, "Unexpected symbol"),
    ("1 + 1", LexingError, 2, "Unexpected symbol: '+'"),
    ("0xZZ", LexingError, 0, "Unexpected symbol: '0xZZ'"),
    ("'a'.b", LexingError, 3, "Unexpected symbol: '.b'"),
    ("\ngithub.\n@", LexingError, 9, "position 10"),
    ("'" + "x" * 21_000 + "'", LexingError, 0, "Exceeded max expression length 21000"),
    ("${{ 1 }} == ${{ 1 }}", LexingError, 0, "Unexpected symbol: '${{'"),
    # parsing
    ("unknown", ParsingError, 0, "Unrecognized named-value: 'unknown'. Located at position 1"),
    ("false && nope()", ParsingError, 9, "Unrecognized function: 'nope'"),
    ("success()", ParsingError, 0, "Unrecognized function: 'success'"),
    ("1 <", ParsingError, 2, "Unexpected end of expression: '<'"),
    ("(1", ParsingError, 1, "Unexpected end of expression: '1'"),
    ("format('a'", ParsingError, 7, "Unexpected end of expression"),
    ("1)", ParsingError, 1, "Unexpected symbol: ')'"),
    ("()", ParsingError, 1, "Unexpected symbol: ')'"),
    ("github.1", ParsingError, 7, "Unexpected symbol: '1'"),
    ("github.[0]", ParsingError, 7, "Unexpected symbol: '['"),
    ("true['x']", ParsingError, 4, "Unexpected symbol: '['"),
    ("github[]", ParsingError, 7, "Unexpected symbol: ']'"),
    ("contains('a')", ParsingError, 0, "Too few parameters supplied: 'contains'"),
    ("toJSON(1, 2)", ParsingError, 0, "Too many parameters supplied"),
    ("toJSON()", ParsingError, 0, "Too few parameters supplied"),
    ("case(true, 1, false, 2)", ParsingError, 0, "Even number of parameters supplied"),
    ("True", ParsingError, 0, "Unrecognized named-value: 'True'"),
    ("!" * 50 + "1", ParsingError, 50, "Exceeded max expression depth 50"),
    ("github" + ".a" * 50, ParsingError, 105, "Exceeded max expression depth 50"),
    # evaluation
    ("fromJSON('')", EvaluationError, 0, "empty"),
    ("1 && fromJSON('{')", EvaluationError, 5, "Error parsing fromJSON"),
    ("fromJSON('NaN')", EvaluationError, 0, "Error parsing fromJSON"),
    ("fromJSON('[1,]')", EvaluationError, 0, "Error parsing fromJSON"),
    ("format('{0')", EvaluationError, 0, "The following format string is invalid: {0"),
    ("format('{1}', 1)", EvaluationError, 0, "references more arguments than were supplied: {1}"),
    ("format('{999999999999}', 1)", EvaluationError, 0, "references more arguments"),
    ("case('true', 1, 2)", EvaluationError, 5, "case predicate must evaluate to a boolean value"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "error", "position", "message"), ERRORS, ids=[case[0][:40] for case in ERRORS]
)
def test_error(source: str, error: type[ExpressionError], position: int, message: str) -> None:
    with pytest.raises(error) as caught:
        evaluate(source, CONTEXTS)
    assert type(caught.value) is error
    assert message in caught.value.message
    assert caught.value.position == position


def test_kinds_are_kept_apart() -> None:
    sources = ["null", "true", "1", "'1'", "fromJSON('[]')", "fromJSON('{}')", "github.*"]
    kinds = [kind(evaluate(source, CONTEXTS)) for source in sources]
    assert kinds == ["Null", "Boolean", "Number", "String", "Array", "Object", "Array"]


def test_positions_in_a_hole_are_offsets_into_the_whole() -> None:
    with pytest.raises(ParsingError) as caught:
        evaluate("${{ github.1 }}", CONTEXTS)
    assert caught.value.position == 11


def test_functions_are_supplied_by_the_caller() -> None:
    functions = {"success": lambda: True, "hashFiles": lambda *patterns: "-".join(patterns)}
    assert evaluate("success() && hashFiles('a', 'b')", {}, functions) == "a-b"
    with pytest.raises(ParsingError, match="Too many parameters"):
        evaluate("success(1)", {}, functions)
    with pytest.raises(ParsingError, match="Too few parameters"):
        evaluate("hashFiles()", {}, functions)


def test_a_supplied_function_overrides_a_built_in_one() -> None:
    assert evaluate("toJSON(1)", {}, {"tojson": lambda value: f"<{value}>"}) == "<1.0>"


def test_an_evaluation_may_hold_one_mebibyte() -> None:
    nested = "format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', x)"
    for _ in range(4):
        nested = nested.replace("x", "format('{0}{0}{0}{0}{0}{0}{0}{0}{0}{0}', x)")
    with pytest.raises(EvaluationError, match="The maximum allowed memory size was exceeded"):
        evaluate(nested.replace("x", "'0123456789'"))
    # What a comparison has consumed is forgotten: this holds 300 KB at a time, not 1.2 MB.
    big = {"big": "y" * 140_000}
    assert evaluate("big == 'a' || big == 'b' || big == 'c' || big == 'd' || 1", big) == 1.0

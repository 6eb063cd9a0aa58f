"""Where GitHub's two implementations differ: each case by name, and what is done about it.

`service` is npm `@actions/expressions`, whose answer is asked for and compared, so that these
cases notice when it changes. `runner` is what actions/runner does, by reading its source.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from grind.workflows.expressions import DisputedValueError, ExpressionError, Object, evaluate
from tests.workflows.expressions.differential import same
from tests.workflows.expressions.oracle import Oracle


class Refused(NamedTuple):
    name: str
    source: str
    service: object  # a value as JSON carries it, or the class of an error
    runner: str


REFUSED = [
    Refused("binary literal", "0b11", 3, "lexing error"),
    Refused("upper-case prefix", "0X1F", 31, "lexing error"),
    Refused("hex beyond 32 bits, signed", "0xffffffff", 4294967295, "-1"),
    Refused("octal beyond 32 bits, signed", "0o37777777777", 4294967295, "-1"),
    Refused("binary text as a number", "'0b1' == 1", True, "false"),
    Refused("infinity in another case", "'infinity' == Infinity", False, "true: .NET ignores case"),
    Refused("NEL around a number", "'\u00851' == 1", False, "true: .NET trims U+0085"),
    Refused("BOM around a number", "'\ufeff1' == 1", True, "false: .NET keeps U+FEFF"),
    Refused("NUL after a number", "fromJSON('\"1\\u0000\"') == 1", False, "true"),
    Refused("large number as text", "format('{0}', 1e15)", "1000000000000000", "1E+15"),
    Refused("18 digits as text", "format('{0}', 123456789012345678)", "123456789012345680",
            "1.23456789012346E+17"),
    Refused("small number as text", "format('{0}', 0.00001)", "0.00001", "1E-05"),
    Refused("17 digits as text", "format('{0}', 33.333333333333336)", "33.333333333333336",
            "33.3333333333333"),
    Refused("17 digits in toJSON", "toJSON(0.30000000000000004)", "0.30000000000000004", "0.3"),
    Refused("NaN in toJSON", "toJSON(NaN)", "null", "NaN"),
    Refused("Infinity in toJSON", "toJSON(-Infinity)", "null", "-Infinity"),
    Refused("U+2028 in toJSON", "toJSON('\u2028')", '"\u2028"', '"\\u2028"'),
    Refused("sharp s", "'ß' == 'SS'", True, "false: one character to one"),
    Refused("ligature", "startsWith('ﬁx', 'F')", True, "false"),
    Refused("long s", "'ſ' == 's'", True, "false"),
    Refused("Kelvin sign in contains", "contains('\u212a', 'k')", True, "false"),
    Refused("final sigma in contains", "contains('ΑΣ', 'σ')", False, "true"),
    Refused("dotted capital I in contains", "contains('İ', 'i')", True, "false"),
    Refused("key beyond ASCII", "fromJSON('{\"\u212a\":1}').k", 1, "null"),
    Refused("keys that differ by case", "fromJSON('{\"a\":1,\"A\":2}').a", 1, "2"),
    Refused("a key twice", "fromJSON('{\"a\":1,\"a\":2}').a", 2, "2, or 1 where strict"),
    Refused("order of numeric keys in toJSON", "toJSON(fromJSON('{\"b\":1,\"1\":2}'))",
            '{\n  "1": 2,\n  "b": 1\n}', "b first"),
    Refused("order of numeric keys in a filter", "join(fromJSON('{\"2\":1,\"1\":2}').*)", "2,1",
            "1,2"),
    Refused("format specifier", "format('{0:N2}', 1)", "1", "evaluation error"),
    Refused("text after a format index", "format('{0x}', 1)", "1", "evaluation error"),
    Refused("trailing comma", "format('a',)", "a", "parsing error"),
    Refused("long chain of comparisons", " == ".join(["1"] * 52), True, "parsing error: too deep"),
    Refused("deep JSON", "fromJSON('" + "[" * 65 + "]" * 65 + "') && 1", 1, "evaluation error"),
]  # fmt: skip


class Decided(NamedTuple):
    name: str
    source: str
    service: object
    ours: Any
    because: str


DECIDED = [
    Decided("a quote doubled twice", "'a''b''c'", "a'b''c", "a'b'c", "documented; runner"),
    Decided("case is lazy", "case(true, 1, fromJSON('x'))", "evaluation", 1.0,
            "documented; runner"),
    Decided("key called constructor", "fromJSON('{\"constructor\":1}').constructor", None, 1.0,
            "an accident of JavaScript; runner"),
    Decided("key called __proto__", "fromJSON('{\"__proto__\":1}').__proto__", None, 1.0,
            "an accident of JavaScript; runner"),
]  # fmt: skip


def _service(oracle: Oracle, source: str) -> object:
    answer = oracle.ask([{"expr": source, "contexts": {}}])[0]
    return answer["error"]["class"] if "error" in answer else answer.get("value")


def _is(answer: object, expected: object) -> bool:
    if isinstance(expected, int | float) and not isinstance(expected, bool):
        return same(float(expected), answer)
    return answer == expected


@pytest.mark.xdist_group("differential")
@pytest.mark.parametrize("case", REFUSED, ids=[case.name for case in REFUSED])
def test_disputed_is_refused(case: Refused, oracle: Oracle) -> None:
    assert _is(_service(oracle, case.source), case.service)
    with pytest.raises(ExpressionError) as caught:
        evaluate(case.source)
    assert caught.value.disputed


@pytest.mark.xdist_group("differential")
@pytest.mark.parametrize("case", DECIDED, ids=[case.name for case in DECIDED])
def test_decided_for_the_runner(case: Decided, oracle: Oracle) -> None:
    assert _is(_service(oracle, case.source), case.service)
    assert evaluate(case.source) == case.ours


@pytest.mark.xdist_group("differential")
def test_a_function_called_constructor_is_unknown(oracle: Oracle) -> None:
    # The service finds a function of JavaScript's own and answers something of no kind.
    assert oracle.ask([{"expr": "constructor()", "contexts": {}}])[0] == {"kind": "unknown"}
    with pytest.raises(ExpressionError, match="Unrecognized function"):
        evaluate("constructor()")


# Found by the differential test: what is compared here was once different.
FOUND = [
    "(('s,)aN.null  ['''']",  # the last quote of an odd number does not close the string before
    "'''env.c",
    "'+''",
    "(1\u0085'",  # U+0085 is white space for Python and not for JavaScript
    "''1\u0085'",
    "${{1}'",
    "${{ 1",
    "1 ${{ 2 }}",
]


@pytest.mark.xdist_group("differential")
@pytest.mark.parametrize("source", FOUND)
def test_found_and_repaired(source: str, oracle: Oracle) -> None:
    theirs = oracle.ask([{"expr": source, "contexts": {}}])[0]["error"]
    with pytest.raises(ExpressionError) as caught:
        evaluate(source)
    assert caught.value.kind == theirs["class"]
    assert f"Located at position {caught.value.position + 1} " in theirs["message"]


def test_a_context_with_keys_that_differ_by_case_is_refused_only_where_it_matters() -> None:
    contexts = {"env": {"Path": "1", "PATH": "2", "x": "3"}}
    assert evaluate("env.x", contexts) == "3"
    for source in ("env.path", "env.*", "toJSON(env)", "env", "fromJSON('[]') && env"):
        with pytest.raises(DisputedValueError):
            evaluate(source, contexts)


def test_the_env_context_of_a_linux_runner_distinguishes_case() -> None:
    env = Object([("Path", "1"), ("PATH", "2")], case_sensitive=True)
    assert evaluate("env.PATH", {"env": env}) == "2"
    assert evaluate("env.path", {"env": env}) is None


def test_half_a_surrogate_pair_is_refused_wherever_it_comes_from() -> None:
    for source, contexts in (
        ("'\ud83d'", {}),
        ("x", {"x": "\ud83d"}),
        ("x", {"x": {"\ude00": 1}}),
        ("fromJSON('\"\\ud83d\"')", {}),
    ):
        with pytest.raises(ExpressionError) as caught:
            evaluate(source, contexts)
        assert caught.value.disputed

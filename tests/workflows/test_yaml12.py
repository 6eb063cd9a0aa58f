"""YAML as GitHub reads it: scalars, anchors, limits, faults with their place, hostility."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.workflows.literals import fold, is_dynamic, plain, string_of
from grind.workflows.syntax import Map, Scalar, Seq
from grind.workflows.yaml12 import MAX_CHARACTERS, MAX_DEPTH, MAX_NODES, parse_yaml


def value_of(text: str) -> Scalar:
    data, problems = parse_yaml("f", f"- {text}\n".encode())
    assert problems == ()
    assert isinstance(data, Seq)
    (item,) = data.items
    assert isinstance(item, Scalar)
    return item


def faults(source: str | bytes) -> list[str]:
    raw = source if isinstance(source, bytes) else source.encode()
    return [str(problem) for problem in parse_yaml("f", raw).problems]


PRINTABLE = (
    (0x9, 0xA), (0xD, 0xD), (0x20, 0x7E), (0x85, 0x85), (0xA0, 0xD7FF), (0xE000, 0xFEFE),
    (0xFF00, 0xFFFD), (0x10000, 0x10FFFF),
)  # fmt: skip


def test_every_character_that_yaml_does_not_print_is_refused_and_no_other() -> None:
    """By YAML 1.2's own list, less the byte order mark; half a surrogate pair is no UTF-8."""
    known = {code for first, last in PRINTABLE for code in range(first, last + 1)}
    edges = {code + by for pair in PRINTABLE for code in pair for by in (-1, 0, 1)}
    edges |= {*range(0x100), 0xFEFF, 0xFFFE, 0xFFFF}
    for code in sorted(edges - {*range(0xD800, 0xE000), 0x110000}):
        refused = f"control character U+{code:04X} is not allowed" in "".join(
            faults(f"a: b # {chr(code)}\n")
        )
        assert refused is (code not in known), hex(code)


@pytest.mark.parametrize(
    ("text", "value", "string"),
    [
        ("on", "on", "on"),
        ("yes", "yes", "yes"),
        ("No", "No", "No"),
        ("off", "off", "off"),
        ("y", "y", "y"),
        ("true", True, "true"),
        ("TRUE", True, "true"),
        ("tRUE", "tRUE", "tRUE"),
        ("False", False, "false"),
        ("null", None, ""),
        ("~", None, ""),
        ("nULL", "nULL", "nULL"),
        ("", None, ""),
        ("12", 12, "12"),
        ("+12", 12, "12"),
        ("007", 7, "7"),
        ("0o17", 15, "15"),
        ("0O17", "0O17", "0O17"),
        ("0o18", "0o18", "0o18"),
        ("0x1F", 31, "31"),
        ("0X1F", "0X1F", "0X1F"),
        ("0xffffffff", -1, "-1"),  # 32 bits, signed
        ("0b1", "0b1", "0b1"),
        ("1_000", "1_000", "1_000"),
        ("1:30", "1:30", "1:30"),
        ("1.10", 1.1, "1.1"),
        ("3.10", 3.1, "3.1"),
        ("1.", 1.0, "1"),
        (".5", 0.5, "0.5"),
        ("-.5e1", -5.0, "-5"),
        ("1e3", 1000.0, "1000"),
        ("1e16", 1e16, "1E+16"),
        ("0.00001", 1e-05, "1E-05"),
        ("1e", "1e", "1e"),
        (".", ".", "."),
        ("1.2.3", "1.2.3", "1.2.3"),
        ("123456789012345678", 123456789012345680.0, "1.23456789012346E+17"),
        ("-0", -0.0, "-0"),
        (".inf", math.inf, "Infinity"),
        ("-.Inf", -math.inf, "-Infinity"),
        ("1e999", math.inf, "Infinity"),
        (".inF", ".inF", ".inF"),
        ("2026-01-02", "2026-01-02", "2026-01-02"),
        ("'12'", "12", "12"),
        ('"true"', "true", "true"),
        ("!!str 12", "12", "12"),
        ("!!int 12", 12, "12"),
        ("!!float 12", 12, "12"),
        ("!!null ~", None, ""),
        ("!!bool true", True, "true"),
        ("${{ 'it''s' }}", "it's", "it's"),
    ],
)
def test_scalars_follow_the_core_schema(text: str, value: object, string: str) -> None:
    scalar = value_of(text)
    assert scalar.value == value
    assert type(scalar.value) is type(value)
    assert string_of(scalar) == string


def test_not_a_number_is_one() -> None:
    assert string_of(value_of(".nan")) == "NaN"


def test_only_a_hole_with_nothing_but_a_quoted_text_is_a_literal() -> None:
    assert not is_dynamic(value_of("${{ 'x' }}"))
    for text in ("${{ x }}", "a${{ 'x' }}", "${{ 'x' }}b", "${{ 'a' == 'b' }}", "${{ '${{' }}"):
        assert is_dynamic(value_of(text)), text


def test_marks_are_where_an_editor_puts_them() -> None:
    data, _ = parse_yaml("f", "\ufeffa:\n  - ü\n  - [x,  'y']\n".encode())
    assert isinstance(data, Map)
    seq = data.get("a")
    assert isinstance(seq, Seq)
    assert [(*item.mark,) for item in seq.items] == [(2, 5), (3, 5)]
    inner = seq.items[1]
    assert isinstance(inner, Seq)
    assert (*inner.items[1].mark,) == (3, 10)


def test_aliases_repeat_the_node_and_may_be_redefined() -> None:
    data, problems = parse_yaml("f", b"a: &x 1\nb: *x\nc: &x [2]\nd: *x\n")
    assert problems == ()
    assert data is not None
    assert plain(data) == {"a": 1, "b": 1, "c": [2], "d": [2]}


def test_keys_are_what_github_calls_them() -> None:
    data, problems = parse_yaml("f", b"1.0: a\ntrue: b\n~: c\n0x10: d\n")
    assert problems == ()
    assert data is not None
    assert plain(data) == {"1": "a", "true": "b", "": "c", "16": "d"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a: 1\nA: 2\n", "f:2:1: 'A' is already defined (expected each key once)"),
        ("1: a\n'1': b\n", "f:2:1: '1' is already defined (expected each key once)"),
        ("[a]: b\n", "f:1:1: a key must be a single value (expected a string)"),
        ("a: &x {}\nb:\n  <<: *x\n", "f:3:3: merge keys (<<) are not supported by GitHub Actions"),
        ("a: *x\n", "f:1:4: the alias '*x' names no anchor above it"),
        ("&x [*x]\n", "f:1:5: the alias '*x' stands inside its own anchor"),
        ("a: 1\n---\nb: 1\n", "f:2:1: a second YAML document in one file (expected one document)"),
        ("", "f:1:1: the file is empty (expected a mapping)"),
        ("# only this\n", "f:1:1: the file is empty (expected a mapping)"),
        (
            "a: !secret b\n",
            "f:1:4: the tag '!secret' is not known to GitHub (expected no tag, or !!str)",
        ),
        ("a: !!int '1'\n", "f:1:4: '1' is not valid for the tag '!!int'"),
        ("a: !!int x\n", "f:1:4: 'x' is not valid for the tag '!!int'"),
        ("a: !!int true\n", "f:1:4: 'true' is not valid for the tag '!!int'"),
        (
            "a: 0x123456789\n",
            "f:1:4: the number '0x123456789' is out of range (expected at most 32 bits)",
        ),
        ("a: b\n\x00", "f:2:1: control character U+0000 is not allowed in YAML"),
        ("a: \x1b[31m\n", "f:1:4: control character U+001B is not allowed in YAML"),
        (b"a: b\n  \xff\n", "f:2:3: the file is not UTF-8 text (expected UTF-8)"),
        ("a: b\n".encode("utf-16"), "f:1:1: the file is not UTF-8 text (expected UTF-8)"),
        ("a: @b\n", "f:1:4: not valid YAML: found character that cannot start any token"),
        ("a: b: c\n", "f:1:5: not valid YAML: mapping values are not allowed in this context"),
        ("a: 'b\n", "f:2:1: not valid YAML: found unexpected end of stream"),
        ("a:\n\t- b\n", "f:2:1: not valid YAML: found character that cannot start any token"),
        ("a: [b\nc: d\n", "f:2:2: not valid YAML: did not find expected ',' or ']'"),
    ],
)
def test_faults_have_a_place(source: str | bytes, message: str) -> None:
    found = faults(source)
    assert len(found) == 1
    assert found[0].startswith(message)


def test_keys_with_expressions_may_repeat() -> None:
    assert faults("${{ insert }}: a\n${{ insert }}: b\n") == []


@pytest.mark.parametrize(
    "bomb",
    [
        "[" * 100_000,
        "{a: " * 20_000,
        "- " * 50_000 + "x",
        "".join(" " * level + "a:\n" for level in range(300)),
    ],
)
def test_depth_is_bounded(bomb: str) -> None:
    assert "levels deep" in faults(bomb)[0]


def test_depth_is_counted_through_aliases() -> None:
    half = MAX_DEPTH // 2
    lines = [f"a: &a {'[' * half}{']' * half}", f"b: {'[' * half}*a{']' * half}"]
    assert "levels deep" in faults("\n".join(lines))[0]
    assert faults(f"a: {'[' * (MAX_DEPTH - 1)}{']' * (MAX_DEPTH - 1)}") == []


def test_alias_bombs_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    (fault,) = faults("\n".join(lines))
    assert f"more than {MAX_NODES} YAML nodes" in fault


def test_size_is_bounded() -> None:
    assert "GitHub reads at most" in faults("a: " + "b" * MAX_CHARACTERS)[0]
    assert f"more than {MAX_NODES}" in faults("[" + "a," * MAX_NODES + "]")[0]


def test_folding_takes_one_letter_for_one() -> None:
    assert fold("Straße") == "STRAßE"
    assert fold("ÄrGer") == fold("äRGER")


@given(st.text(max_size=200) | st.text(alphabet="ab:-[]{}&*!|>'\"#\n ,?%@~.", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    parsed = parse_yaml("f", text.encode("utf-8", "surrogatepass"))
    assert (parsed.data is not None) or parsed.problems
    assert all((problem.line or 0) > 0 for problem in parsed.problems)


@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(source: bytes) -> None:
    parsed = parse_yaml("f", source)
    assert (parsed.data is not None) or parsed.problems


KEYS = st.text(alphabet="abc xyz-_", min_size=1, max_size=6).map(str.strip).filter(bool)
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@given(PLAIN)
def test_json_is_read_as_what_it_says(value: object) -> None:
    import json

    text = json.dumps(value)
    if any(sign in text for sign in ("\\u", "${{", "\\b", "\\f")):
        return  # JSON's surrogate pairs are not YAML's
    data, problems = parse_yaml("f", text.encode())
    assert problems == ()
    assert data is not None
    assert plain(data) == value

"""Static questions about an expression."""

from __future__ import annotations

import pytest

from grind.workflows.expressions import (
    Binary,
    Call,
    Context,
    Index,
    Literal,
    functions_used,
    has_status_function,
    parse,
    references,
    unparse,
)


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("", ()),
        ("1", ()),
        ("GitHub.Ref", (("github", "Ref"),)),
        ("steps.x.outputs['y z']", (("steps", "x", "outputs", "y z"),)),
        ("env[matrix.key]", (("env", None), ("matrix", "key"))),
        ("needs.*.result", (("needs", None, "result"),)),
        ("a[0].b", (("a", "0", "b"),)),
        ("fromJSON(needs.a.outputs.m).x[b.c]", (("needs", "a", "outputs", "m"), ("b", "c"))),
        ("(a || b).c", (("a",), ("b",))),
        ("a && !a.b == a", (("a",), ("a", "b"))),
    ],
)
def test_references(source: str, paths: tuple[tuple[str | None, ...], ...]) -> None:
    assert references(source) == paths


def test_functions_used() -> None:
    source = "Success() && contains(toJSON(a), format('{0}', hashFiles('x'))) || success()"
    assert functions_used(source) == ("success", "contains", "tojson", "format", "hashfiles")
    assert has_status_function(source)
    assert not has_status_function("contains('always()', a)")


def test_nodes_have_places() -> None:
    node = parse(" a.b == format('x') ")
    assert node == Binary("==", Index(Context("a"), Literal("b")), Call("format", (Literal("x"),)))
    assert isinstance(node, Binary)
    assert (node.start, node.end) == (1, 19)
    assert (node.left.start, node.left.end) == (1, 4)
    assert (node.right.start, node.right.end) == (8, 19)
    assert [type(part).__name__ for part in node.walk()] == [
        "Binary", "Index", "Context", "Literal", "Call", "Literal",
    ]  # fmt: skip


def test_equal_nodes_are_of_one_kind() -> None:
    assert Literal(1.0) != Literal(True)
    assert Literal(float("nan")) == Literal(float("nan"))
    assert hash(parse("a.b[1]")) == hash(parse("a['b'] [1.0]"))


@pytest.mark.parametrize(
    "source",
    ["a[\"b\"]", "(1 == 2) == 3", "1 == (2 == 3)", "!(a && b) || (c || d) && e", "(1)[0].*.x"],
)  # fmt: skip
def test_printing(source: str) -> None:
    source = source.replace('"', "'")
    assert parse(unparse(parse(source))) == parse(source)

"""An answer that depends on what is not known is an error; one that does not is an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from grind.workflows.expressions import UNKNOWN, Object, UnknownValueError, evaluate

CONTEXTS = {
    "steps": {"x": {"outputs": UNKNOWN, "outcome": "success"}, "y": {"outputs": {"a": UNKNOWN}}},
    "needs": UNKNOWN,
    "open": Object([("known", "1")], complete=False),
    "list": ["a", UNKNOWN],
}

DEPENDS = [
    ("steps.x.outputs.y", ("steps", "x", "outputs")),
    ("steps.y.outputs.A == 'z'", ("steps", "y", "outputs", "A")),
    ("needs", ("needs",)),
    ("needs.a.result", ("needs",)),
    ("true && needs", ("needs",)),
    ("steps[steps.y.outputs.a]", ("steps", "y", "outputs", "a")),
    ("open.other", ("open", "other")),
    ("open['other'] || 'x'", ("open", "other")),
    ("open.*", ("open", None)),
    ("steps.*.outputs", ("steps", None, "outputs")),
    ("list.*", ("list", None)),
    ("list[1]", ("list", "1")),
    ("hashFiles('x')", ("hashFiles()",)),
]


@pytest.mark.parametrize(("source", "path"), DEPENDS, ids=[source for source, _ in DEPENDS])
def test_it_depends(source: str, path: tuple[str | None, ...]) -> None:
    with pytest.raises(UnknownValueError) as caught:
        evaluate(source, CONTEXTS, {"hashFiles": lambda _: UNKNOWN})
    assert caught.value.path == path
    assert caught.value.position is not None


@pytest.mark.parametrize(
    "source", ["toJSON(steps)", "toJSON(open)", "join(list)", "contains(list, 'b')"]
)
def test_it_depends_on_a_part(source: str) -> None:
    with pytest.raises(UnknownValueError):
        evaluate(source, CONTEXTS)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("false && needs", False),
        ("'x' || needs.a", "x"),
        ("case(true, 1, needs)", 1.0),
        ("case(false, needs, 2)", 2.0),
        ("steps.x.outcome", "success"),
        ("steps.none.outputs", None),
        ("open.known", "1"),
        ("list[0]", "a"),
        ("contains(list, 'a')", True),
        ("steps.*.outcome && 1", 1.0),
    ],
)
def test_it_does_not_depend(source: str, value: object) -> None:
    assert evaluate(source, CONTEXTS) == value


class Recording(Mapping[str, object]):
    """A mapping that computes its items and remembers which were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getitem__(self, key: str) -> object:
        self.asked.append(key)
        return {"name": key}

    def __iter__(self) -> Iterator[str]:
        return iter(("github", "secrets"))

    def __len__(self) -> int:
        return 2


class Fresh(Mapping[str, object]):
    """A mapping whose items are new objects each time and die at once."""

    def __getitem__(self, key: str) -> object:
        return {"name": [key]}

    def __iter__(self) -> Iterator[str]:
        return iter("abcdefgh")

    def __len__(self) -> int:
        return 8


def test_what_a_lazy_context_makes_up_is_never_mixed_up() -> None:
    assert evaluate("join(x.*.name.*, '')", {"x": Fresh()}) == "abcdefgh"


def test_contexts_are_asked_for_when_needed_and_once() -> None:
    contexts = Recording()
    assert evaluate("false && secrets.x || github.name == github.name", contexts) is True
    assert contexts.asked == ["github"]

"""The matrix: GitHub's documented tables, the builder's finer points, laws, hostility."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.workflows.expressions import from_json
from grind.workflows.matrix import MAX_JOBS, MatrixError, expand


def values(matrix: object) -> list[dict[str, object]]:
    return [combination.values for combination in expand(matrix)]


def test_the_product_varies_the_last_axis_fastest() -> None:
    found = expand({"version": [10, 12, 14], "os": ["ubuntu", "windows"]})
    assert [one.label for one in found] == [
        "10, ubuntu",
        "10, windows",
        "12, ubuntu",
        "12, windows",
        "14, ubuntu",
        "14, windows",
    ]
    assert found[3].values == {"version": 12, "os": "windows"}
    assert found[3].name("test") == "test (12, windows)"


def test_include_as_github_documents_it() -> None:
    matrix = {
        "fruit": ["apple", "pear"],
        "animal": ["cat", "dog"],
        "include": [
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ],
    }
    assert values(matrix) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    # What include adds is no part of the name; what is a combination of its own is.
    assert [one.label for one in expand(matrix)][:1] == ["apple, cat"]
    assert [one.label for one in expand(matrix)][-2:] == ["banana", "banana, cat"]


def test_exclude_as_github_documents_it() -> None:
    matrix = {
        "os": ["macos", "windows"],
        "version": [12, 14, 16],
        "environment": ["staging", "production"],
        "exclude": [
            {"os": "macos", "version": 12, "environment": "production"},
            {"os": "windows", "version": 16},
        ],
    }
    assert len(values(matrix)) == 9


TABLE = [
    # include only: no axes, one job per entry, the entry's own order
    ({"include": [{"a": 1}, {"b": 2, "a": 1}]}, [{"a": 1}, {"b": 2, "a": 1}]),
    # an axis value that differs makes a new combination, axis keys first
    ({"a": [1], "include": [{"x": 1, "a": 2}]}, [{"a": 1}, {"a": 2, "x": 1}]),
    # exclude comes before include: what it removes cannot be extended, so the entry stands alone
    (
        {"a": [1, 2], "exclude": [{"a": 1}], "include": [{"a": 1, "x": 9}]},
        [{"a": 2}, {"a": 1, "x": 9}],
    ),
    # excluding all leaves the include entries, also those without an axis key
    ({"a": [1], "exclude": [{"a": 1}], "include": [{"x": 9}]}, [{"x": 9}]),
    # values agree as in an expression
    ({"a": ["12"], "exclude": [{"a": 13}], "include": [{"a": 12, "x": 1}]}, [{"a": "12", "x": 1}]),
    ({"os": ["Linux"], "include": [{"os": "linux", "x": 1}]}, [{"os": "Linux", "x": 1}]),
    ({"os": ["a"], "include": [{"OS": "a", "x": 1}]}, [{"os": "a", "x": 1}]),
    # an entry extends by original values only, never by what another entry added
    (
        {"a": [1], "include": [{"x": 1}, {"x": 2, "y": 3}]},
        [{"a": 1, "x": 2, "y": 3}],
    ),
    # leaves of nested values are compared, not the whole
    (
        {"n": [{"v": 1, "w": 2}, {"v": 2}], "include": [{"n": {"v": 1}, "x": 1}]},
        [{"n": {"v": 1, "w": 2}, "x": 1}, {"n": {"v": 2}}],
    ),
    ({"n": [[1, 2], [3]], "exclude": [{"n": [3]}]}, [{"n": [1, 2]}]),
    ({"n": ["text"], "exclude": [{"n": {"v": 1}}]}, [{"n": "text"}]),
    ({"a": [None, True]}, [{"a": None}, {"a": True}]),
]


@pytest.mark.parametrize(("matrix", "wanted"), TABLE)
def test_the_builders_finer_points(matrix: object, wanted: object) -> None:
    assert values(matrix) == wanted


def test_names_walk_into_nested_values_and_are_cut() -> None:
    nested = expand({"os": [{"name": "ubuntu", "v": [22.04, None, True, ""]}], "n": [3.0]})
    assert nested[0].label == "ubuntu, 22.04, true, 3"
    assert expand({"a": [None]})[0].name("job") == "job"
    long = expand({"a": ["x" * 200]})[0].name("job")
    assert len(long) == 100
    assert long.endswith("x...")


@pytest.mark.parametrize(
    ("matrix", "word"),
    [
        ({}, "at least one"),
        ({"include": []}, "at least one"),
        ({"a": []}, "no values"),
        ({"a": "x"}, "not a list"),
        ([], "not a mapping"),
        ({"a": [1], "exclude": [{"b": 1}]}, "no axis"),
        ({"a": [1], "exclude": [{}]}, "empty"),
        ({"a": [1], "include": [{}]}, "empty"),
        ({"a": [1], "include": ["x"]}, "not a mapping"),
        ({"a": [1], "include": "x"}, "not a list"),
        ({"a": [1], "A": [2]}, "twice"),
        ({"a": [1], "exclude": [{"a": 1}]}, "excluded"),
        ({"a": list(range(257))}, "more than 256"),
        ({"include": [{"a": n} for n in range(257)]}, "more than 256"),
        ({letter: list(range(1000)) for letter in "abcdefgh"}, "far larger"),
    ],
)
def test_what_github_refuses_is_refused(matrix: object, word: str) -> None:
    with pytest.raises(MatrixError, match=word):
        expand(matrix)


def test_many_combinations_may_be_excluded_down_to_the_limit() -> None:
    matrix = {
        "a": list(range(20)),
        "b": list(range(20)),
        "exclude": [{"a": n} for n in range(10)],
    }
    assert len(expand(matrix)) == 200


def test_values_of_the_expression_language_are_taken_too() -> None:
    found = expand(from_json('{"os": ["a", "b"], "include": [{"OS": "a", "x": [1]}]}'))
    assert [one.label for one in found] == ["a", "b"]
    assert list(found[0].values) == ["os", "x"]


SCALARS = st.one_of(st.integers(0, 3), st.sampled_from(["x", "y", "1"]), st.booleans())
AXES = st.dictionaries(
    st.sampled_from(["a", "b", "c"]), st.lists(SCALARS, min_size=1, max_size=4), min_size=1
)
ENTRIES = st.lists(
    st.dictionaries(st.sampled_from(["a", "b", "c", "x", "y"]), SCALARS, min_size=1), max_size=5
)


@given(AXES)
def test_without_filters_there_is_exactly_the_product(axes: dict[str, list[object]]) -> None:
    found = values(axes)
    assert len(found) == prod(map(len, axes.values()))
    assert all(list(one) == list(axes) for one in found)


@given(AXES, ENTRIES)
def test_include_never_changes_an_axis_and_loses_nothing(
    axes: dict[str, list[object]], include: list[dict[str, object]]
) -> None:
    plain = values(axes)
    found = values({**axes, "include": include})
    assert [{key: one[key] for key in axes} for one in found[: len(plain)]] == plain
    assert len(plain) <= len(found) <= len(plain) + len(include)
    assert found == values({**axes, "include": include})  # the same again


@given(AXES, st.sampled_from(["a", "b", "c"]), SCALARS)
def test_exclude_only_removes(axes: dict[str, list[object]], key: str, value: object) -> None:
    if key not in axes:
        return
    try:
        found = values({**axes, "exclude": [{key: value}]})
    except MatrixError:
        found = []
    kept = iter(values(axes))
    assert all(any(one == other for other in kept) for one in found)
    assert all(type(one[key]) is not type(value) or one[key] != value for one in found)
    assert MAX_JOBS == 256

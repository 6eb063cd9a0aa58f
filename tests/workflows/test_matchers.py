"""Problem matchers, against the examples of GitHub's documentation and the runner's rules."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.workflows.lines import Lines
from grind.workflows.matchers import (
    Dropped,
    Found,
    MatcherSet,
    Matching,
    read_matchers,
    within,
)

COMPACT = {
    "owner": "eslint-compact",
    "pattern": [
        {
            "regexp": r"^(.+):\sline\s(\d+),\scol\s(\d+),\s(Error|Warning|Info)\s-\s(.+)\s\((.+)\)$",
            "file": 1, "line": 2, "column": 3, "severity": 4, "message": 5, "code": 6,
        }
    ],
}  # fmt: skip
STYLISH = {
    "owner": "eslint-stylish",
    "pattern": [
        {"regexp": r"^([^\s].*)$", "file": 1},
        {
            "regexp": r"^\s+(\d+):(\d+)\s+(error|warning|info)\s+(.*)\s\s+(.*)$",
            "line": 1, "column": 2, "severity": 3, "message": 4, "code": 5, "loop": True,
        },
    ],
}  # fmt: skip
WORKSPACE = "/w/repo/repo"


def data(*matchers: Any) -> bytes:
    return json.dumps({"problemMatcher": matchers}).encode()


def found(text: str, *matchers: Any) -> list[Found | Dropped]:
    known = MatcherSet()
    known.add(read_matchers(data(*matchers)))
    matching = Matching(known, WORKSPACE)
    return [one for line in text.split("\n") for one in matching.look(line)]


def test_a_single_line() -> None:
    text = (
        "badFile.js: line 50, col 11, Error - 'myVar' is defined but never used. (no-unused-vars)"
    )
    said = "'myVar' is defined but never used."
    assert found(text, COMPACT) == [Found("error", said, "badFile.js", 50, 11, "no-unused-vars")]
    assert found(f"\x1b[31m{text}\x1b[0m\r", COMPACT)[0] == found(text, COMPACT)[0]
    # A severity that is none of the runner's: the line says nothing.
    assert found(text.replace("Error", "Info"), COMPACT) == []


def test_lines_that_follow_each_other() -> None:
    text = (
        "test.js\n"
        '  1:0   error  Missing "use strict" statement                 strict\n'
        "  5:10  warning  'addOne' is defined but never used           no-unused-vars\n"
        "\n"
        "  9:9   error  stands under no file              strict\n"
        "foo.js\n"
        "  36:10  error  Expected parentheses around arrow function argument  arrow-parens\n"
        "✖ 4 problems (3 errors, 1 warning)\n"
    )
    places = [(f.level, f.file, f.line, f.column, f.code) for f in found(text, STYLISH)]  # type: ignore[union-attr]
    assert places == [
        ("error", "test.js", 1, 0, "strict"),
        ("warning", "test.js", 5, 10, "no-unused-vars"),
        ("error", "foo.js", 36, 10, "arrow-parens"),
    ]


def test_three_patterns_without_a_loop() -> None:
    three = {
        "owner": "three",
        "severity": "warning",
        "pattern": [
            {"regexp": "^in (.*)$", "file": 1},
            {"regexp": r"^at (\d+)$", "line": 1},
            {"regexp": "^because (.*)$", "message": 1},
        ],
    }
    assert found("in a\nat 3\nbecause x\nbecause y", three) == [
        Found("warning", "x", "a", 3, 0, "")
    ]
    assert found("in a\nat x\nbecause x", three) == []
    assert found("in a\nin b\nat 3\nbecause x", three) == [Found("warning", "x", "b", 3, 0, "")]


def test_where_files_are() -> None:
    paths = {
        "owner": "o",
        "pattern": [{"regexp": r"^(\S+) (\S+) (.*)$", "fromPath": 1, "file": 2, "message": 3}],
    }

    def file(line: str) -> str:
        (one,) = found(line, paths)
        assert isinstance(one, Found)
        return one.file

    assert file("src/p.csproj a.cs m") == "src/a.cs"
    assert file("p.csproj ./x/../a.cs m") == "a.cs"
    assert file(f"{WORKSPACE}/q/p.csproj a.cs m") == "q/a.cs"
    assert file(f"x {WORKSPACE}/b.cs m") == "b.cs"
    assert file("x /etc/passwd m") == file("x ../../../up m") == ""
    assert within(WORKSPACE, WORKSPACE) == within(WORKSPACE + "2/a", WORKSPACE) == ""


def test_the_newest_matcher_is_asked_first_and_one_line_says_one_thing() -> None:
    first = {"owner": "A", "pattern": [{"regexp": "(.*)", "message": 1}]}
    second = {"owner": "B", "severity": "notice", "pattern": [{"regexp": "(o.*)", "message": 1}]}
    assert [f.level for f in found("one\ntwo\nthree", first, second)] == [  # type: ignore[union-attr]
        "notice", "notice", "error",
    ]  # fmt: skip
    known = MatcherSet()
    known.add(read_matchers(data(first, second)))
    known.add(read_matchers(data({**first, "owner": "b"})))
    assert [config.owner for config in known.configs] == ["b", "A"]
    known.remove(["B"])
    assert [config.owner for config in known.configs] == ["A"]


def test_a_matcher_that_takes_for_ever_is_dropped() -> None:
    slow = {"owner": "slow", "pattern": [{"regexp": r"^(a|aa)+\1+c$", "message": 1}]}
    good = {"owner": "good", "pattern": [{"regexp": "(.*)", "message": 1}]}
    said = found("a" * 60 + "\nnext", good, slow)
    assert said[0] == Dropped("slow")
    assert [one.message for one in said[1:] if isinstance(one, Found)] == ["a" * 60, "next"]


def pattern(**fields: Any) -> dict[str, Any]:
    return {"owner": "o", "pattern": [{"regexp": "(a)(b)", "message": 1, **fields}]}


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"no json", "no file of problem matchers"),
        (b"\xff", "no file of problem matchers"),
        (data({"pattern": []}), "Owner must not be empty"),
        (data({"owner": "o"}), "does not contain any patterns"),
        (data({"owner": "o", "severity": "odd", "pattern": []}), "unexpected default severity"),
        (data(pattern(message=None)), "At least one pattern must set 'message'"),
        (data(pattern(message=3)), "out of range"),
        (data(pattern(line=-1)), "out of range"),
        (data(pattern(loop=True)), "Only the last pattern"),
        (data(pattern(regexp="(")), "Invalid pattern"),
        (data(pattern(), pattern()), "Duplicate owner"),
        (data({"owner": "o", "pattern": [{"regexp": "(a)", "message": 1}] * 2}), "is set twice"),
        (data({"owner": "o", "pattern": [{"regexp": "(a)", "message": 1}, {"loop": True}]}),
         "must set 'message'"),
    ],
)  # fmt: skip
def test_what_the_runner_refuses(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as error:
        read_matchers(content)
    assert why in str(error.value)


def test_what_the_runner_takes() -> None:
    assert read_matchers(b"\xef\xbb\xbf{}") == ()
    assert read_matchers(data({**pattern(), "more": [1]}))[0].owner == "o"
    # .NET's names for groups, and sets within sets.
    (config,) = read_matchers(data(pattern(regexp="(?<name>[[a]+) x", message=1)))
    assert config.pattern[0].message == 1


@given(text=st.text("ab\n", max_size=60), cuts=st.lists(st.integers(0, 60), max_size=6))
def test_lines_are_whole_however_they_come(text: str, cuts: list[int]) -> None:
    lines = Lines()
    places = [0, *sorted(cuts), len(text)]
    got = [line for begin, end in pairwise(places) for line in lines.feed(text[begin:end])]
    assert "\n".join([*got, *lines.rest()]) == text.removesuffix("\n")

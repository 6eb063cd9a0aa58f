"""What could stand where the cursor is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.completion import FILES, complete
from grind.ui.command_table import TABLE

NEAR = {
    "names": [("unit", "check"), ("lint", "job")],
    "workflows": [("ci.yml", "workflow"), ("release.yml", "workflow")],
    "releases": [("20260101-000000-abcdef", "")],
    FILES: [("\x1e", "")],
}


def words(line: str) -> list[str]:
    """Complete a line; what the cursor stands behind is its last word."""
    found = complete(TABLE, line.split(" ")[1:], lambda kind: NEAR.get(kind, []))
    return [word for word, _ in found]


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("grind pl", ["plan"]),
        ("grind st", ["status", "stats"]),
        ("grind help pl", ["plan"]),
        ("grind --ver", ["--version"]),
        ("grind nonsense ", []),
        ("grind check ", ["unit", "lint"]),
        ("grind check unit ", ["unit", "lint"]),
        ("grind check --fa", ["--fast", "--failed"]),
        ("grind check --workflow ", ["ci.yml", "release.yml"]),
        ("grind check --workflow ci.yml ", ["unit", "lint"]),
        ("grind check --workflow ci.yml --workflow r", ["release.yml"]),
        ("grind check --workflow=c", ["--workflow=ci.yml"]),
        ("grind check -- u", ["unit"]),
        ("grind log ", ["20260101-000000-abcdef"]),
        ("grind log 20260101-000000-abcdef ", []),
        ("grind report -o ", ["\x1e"]),
        ("grind completion ", ["bash", "fish", "zsh"]),
    ],
)
def test_lines(line: str, wanted: list[str]) -> None:
    assert words(line) == wanted


def test_every_command_and_option_tells_what_it_is() -> None:
    for word, told in complete(TABLE, [""], lambda kind: []):
        assert told, word
        for option, means in complete(TABLE, [word, "-"], lambda kind: []):
            assert means, f"grind {word} {option}"


@given(st.lists(st.text(max_size=6) | st.sampled_from(["check", "--workflow", "--", "help", "-x"])))
def test_whatever_is_typed_there_is_an_answer(line: list[str]) -> None:
    for word, _ in complete(TABLE, line, lambda kind: NEAR.get(kind, [])):
        assert word.startswith(line[-1] if line else "")

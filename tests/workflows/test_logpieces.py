"""Workflow commands in output, and that no masked value leaves it, however it comes in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grind.workflows import logcommands
from grind.workflows.commandsyntax import Command
from grind.workflows.logcommands import CommandReader, Text
from grind.workflows.masking import hide


def read(*pieces: bytes, masks: set[str] | None = None) -> tuple[str, list[Command]]:
    reader = CommandReader(masks if masks is not None else set())
    text, commands = "", []
    for number, piece in enumerate(pieces):
        for item in reader.feed(piece, final=number == len(pieces) - 1):
            if isinstance(item, Text):
                text += item.text
            else:
                commands.append(item)
    return text, commands


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("::error::x", Command("error", {}, "x")),
        ("  ::error::x", Command("error", {}, "x")),
        (
            "::error file=a.py,line=3,col=4,title=T%2C%3A::m%0An%25",
            Command("error", {"file": "a.py", "line": "3", "col": "4", "title": "T,:"}, "m\nn%"),
        ),
        ("::SET-OUTPUT name=a::b", Command("set-output", {"name": "a"}, "b")),
        ("::group::G\r", Command("group", {}, "G")),
        ("::nothing::x", None),
        ("::error", None),
        ("a ::error::x", None),
    ],
)
def test_commands(line: str, expected: Command | None) -> None:
    assert read(line.encode() + b"\n")[1] == ([expected] if expected else [])
    assert read(line.encode())[1] == ([expected] if expected else [])  # without a line's end


def test_commands_stop_and_go_on() -> None:
    text, commands = read(b"::stop-commands::t\n::error::a\n::other::\n::t::\n::error::b\n")
    assert [command.value for command in commands] == ["b"]
    assert text == "::error::a\n::other::\n::error::b\n"


def test_a_mask_hides_from_its_line_on_and_is_not_shown() -> None:
    masks: set[str] = set()
    text, _ = read(b"pass\n::add-mask::pass\npass word\n", masks=masks)
    assert text == "pass\n*** word\n"
    assert masks == {"pass"}


def test_a_mask_of_several_lines_hides_each() -> None:
    assert read(b"::add-mask::one%0Atwo\none\n", b"two\n")[0] == "***\n***\n"
    assert read(b"::add-mask::one%0Atwo\none\ntwo\n")[0] == "***\n"


@pytest.mark.parametrize("blank", [b"", b"   ", b"%0A"])
def test_a_blank_mask_is_none(blank: bytes) -> None:
    assert read(b"::add-mask::" + blank + b"\na b\n")[0] == "a b\n"


def test_masks_that_overlap_leave_no_end() -> None:
    assert hide("abcdef", {"abcd", "cdef"}) == "***"
    assert hide("abab abc", {"ab", "abc"}) == "****** ***"


def test_bytes_that_are_no_text_are_shown_as_such() -> None:
    assert read(b"a\xff\n", "é".encode()[:1], "é".encode()[1:])[0] == "a�\né"


def test_memory_stays_flat_on_a_line_without_end() -> None:
    reader = CommandReader({"aa", "secret"})
    for piece in (b"a" * 50_000, b"x" * 50_000):
        for _ in range(12):
            list(reader.feed(piece))
            assert len(reader._rest) < 400_000


LETTERS = st.text("ab\n:", max_size=40)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.text("ab", min_size=1, max_size=5), max_size=3),
    st.lists(LETTERS, min_size=1, max_size=6),
    st.integers(1, 12),
)
def test_no_mask_is_ever_seen_however_it_is_cut(
    masks: list[str], pieces: list[str], limit: int
) -> None:
    """Endless lines are handed on in pieces; here a piece is a few letters long."""
    before = logcommands._PIECE
    logcommands._PIECE = limit
    try:
        text, _ = read(*(piece.encode() for piece in pieces), masks=set(masks))
    finally:
        logcommands._PIECE = before
    whole = "".join(pieces)
    if not masks:
        assert text == whole
    for line in text.split("\n"):
        assert not any(mask in line for mask in masks)
    # What is not masked is not lost.
    assert text.count("\n") == whole.count("\n")
    if not any(mask in whole for mask in masks):
        assert text == whole

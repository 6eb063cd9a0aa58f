"""Foreign text can be read and nothing else."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grind.core.texts import LogText, clean, one_line, tidy

SGR = re.compile("\x1b\\[([0-9;]*)m")
HOSTILE = st.lists(
    st.sampled_from(
        [
            "\x1b", "[", "]", "m", "0", "31", ";", "8", "38;5;1", "H", "\x07", "\x1b\\", "\x9b",
            "\x9d", "\x9c", "\r", "\n", "\t", "x", "é", "\u202e", "\u2066", "\x1b[2J", "\x1b]0;t",
            "\x1b[31m", "\x1bP", "\x08", "\x7f", "\ud800", "\x00", "::group::g", "%0A", "\u2028",
            "\x1b[1;", "(", "\x1b(0", "🦀", "\U000e0041",
        ]
    )
    | st.text(max_size=3),
    max_size=40,
).map("".join)  # fmt: skip


def harmless(text: str) -> bool:
    """Only printable characters, tabs, newlines and colours."""
    rest = SGR.sub("", text)
    return all(
        c in "\n\t" or ((c.isprintable() or c.isspace() or ord(c) > 0x9F) and c not in "\r\x1b")
        for c in rest
    ) and not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", rest
    )


@given(HOSTILE, st.booleans())
@example("\x1b\x1b[m[2J", True)
@example("\x1b[\x1b[31m2J", True)
def test_law_what_comes_out_is_harmless_and_stays_as_it_is(text: str, colour: bool) -> None:
    once = clean(text, colour=colour)
    assert harmless(once)
    assert colour or "\x1b" not in once
    assert clean(once, colour=colour) == once


@given(HOSTILE)
def test_law_one_line_is_one_line(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert harmless(line)
    assert "\x1b" not in line


@given(st.lists(HOSTILE, max_size=6), st.booleans())
def test_law_pieces_say_what_the_whole_says(pieces: list[str], colour: bool) -> None:
    whole = LogText(colour=colour)
    expected = whole.feed("".join(pieces)) + whole.finish()
    parts = LogText(colour=colour)
    got = [line for piece in pieces for line in parts.feed(piece)] + parts.finish()
    assert got == expected
    assert all(harmless(line) and "\n" not in line for line in got)


@given(st.binary(max_size=60), st.integers(1, 7))
def test_law_bytes_in_pieces_say_what_the_whole_says(data: bytes, size: int) -> None:
    whole = LogText()
    expected = whole.feed_bytes(data) + whole.finish()
    parts = LogText()
    got = [
        line for i in range(0, len(data), size) for line in parts.feed_bytes(data[i : i + size])
    ] + parts.finish()
    assert got == expected


@pytest.mark.parametrize(
    ("text", "plain", "coloured"),
    [
        ("\x1b[31mred\x1b[0m", "red", "\x1b[31mred\x1b[0m"),
        ("\x1b[38;5;9;1mx", "x", "\x1b[38;5;9;1mx"),
        ("\x1b[38;2;1;2;3mx", "x", "\x1b[38;2;1;2;3mx"),
        ("\x1b[8mhidden", "hidden", "hidden"),
        ("\x1b[31;8;5mx", "x", "\x1b[31mx"),
        ("\x1b[mx", "x", "\x1b[mx"),
        ("\x1b[2J\x1b[1;1Hgreen", "green", "green"),
        ("\x1b]0;title\x07x", "x", "x"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link", "link"),
        ("\x1b]0;never ended\nnext", "\nnext", "\nnext"),
        ("\x1bPdcs\x1b\\x", "x", "x"),
        ("\x9b31mx", "x", "x"),
        ("a\x08\x7fb", "ab", "ab"),
        ("abc\u202edef", "abcdef", "abcdef"),
        ("caf\udce9", "caf\ufffd", "caf\ufffd"),
        ("a\tb\r\nc", "a\tb\nc", "a\tb\nc"),
        ("[bold]not markup[/bold] :smile:", *["[bold]not markup[/bold] :smile:"] * 2),
    ],
)
def test_cases(text: str, plain: str, coloured: str) -> None:
    assert clean(text) == plain
    assert clean(text, colour=True) == coloured


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("::group::Install", ["▸ Install"]),
        ("##[group]Install", ["▸ Install"]),
        ("::endgroup::", []),
        ("::add-mask::s3cret", []),
        ("  ::add-mask::s3cret", []),
        ("::set-output name=a::b", ["::set-output name=a::b"]),
        ("::error file=a,line=3,col=5::boom%0Amore 100%25", ["error: a:3:5: boom", "more 100%"]),
        ("::error file=C%3A\\x,line=1::a::b", ["error: C:\\x:1: a::b"]),
        ("::warning::careful", ["warning: careful"]),
        ("##[error]old", ["error: old"]),
        ("std::vector<int>::size()", ["std::vector<int>::size()"]),
        ("::unknown::x", ["::unknown::x"]),
        ("test a::b::c ... ok", ["test a::b::c ... ok"]),
    ],
)  # fmt: skip
def test_workflow_commands_are_shown_for_what_they_mean(line: str, shown: list[str]) -> None:
    assert tidy(line) == shown


def test_a_progress_bar_is_its_last_state() -> None:
    text = LogText()
    assert text.feed("10%\r50%\r") == []
    assert text.partial == "50%"
    assert text.feed("100%\r\ndone") == ["100%"]
    assert text.partial == "done"
    assert text.finish() == ["done"]


def test_a_line_without_end_does_not_grow() -> None:
    text = LogText(colour=True, limit=100)
    lines = [line for _ in range(2000) for line in text.feed("\x1b[38;2;100;100;100m" + "x" * 37)]
    assert len(text.partial) <= 100
    assert max(map(len, lines)) <= 104
    assert all(harmless(line) for line in lines)
    assert sum(line.count("x") for line in [*lines, *text.finish()]) == 2000 * 37


def test_an_endless_sequence_is_not_waited_for() -> None:
    text = LogText()
    text.feed("\x1b]0;")
    for _ in range(100):
        text.feed("y" * 1000)
    assert text.feed("\nback\n")[-1] == "back"


def test_a_colour_does_not_leak_into_the_next_line() -> None:
    assert LogText(colour=True).feed("\x1b[31mred\nplain\n") == ["\x1b[31mred\x1b[0m", "plain"]

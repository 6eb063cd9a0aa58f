"""Workflow commands in output, and masking, against GitHub's documentation and its runner."""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.workflows.commandsyntax import Command
from grind.workflows.logcommands import CommandReader, Fault, Text
from grind.workflows.masking import hide, masks_of


def read(text: str, *, debug: bool = False, size: int = 1 << 20) -> tuple[str, list[object]]:
    """The log that is left of an output, and what else was read in it."""
    reader = CommandReader(set(), debug=debug)
    data = text.encode()
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    items = [item for piece in pieces for item in reader.feed(piece)]
    items += reader.feed(b"", final=True)
    log = "".join(item.text for item in items if isinstance(item, Text))
    return log, [item for item in items if not isinstance(item, Text)]


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("::error::no", Command("error", {}, "no")),
        ("  ::warning::x", Command("warning", {}, "x")),
        ("::error file=a.py,line=3,col=7,title=T::m",
         Command("error", {"file": "a.py", "line": "3", "col": "7", "title": "T"}, "m")),
        ("::ERROR File=a::m", Command("error", {"file": "a"}, "m")),
        ("::error file=a%3Ab%2Cc%25::1%0A2%25", Command("error", {"file": "a:b,c%"}, "1\n2%")),
        ("::notice::a::b", Command("notice", {}, "a::b")),
        ("::set-output name=x::1=2", Command("set-output", {"name": "x"}, "1=2")),
        ("::save-state name=x::v", Command("save-state", {"name": "x"}, "v")),
        ("::add-matcher::m.json", Command("add-matcher", {}, "m.json")),
        ("::remove-matcher owner=o::", Command("remove-matcher", {"owner": "o"}, "")),
        ("##[error]no", Command("error", {}, "no")),
        ("text ##[error file=a;line=3]m%5D", Command("error", {"file": "a", "line": "3"}, "m]")),
        ("##[set-output name=x]v", Command("set-output", {"name": "x"}, "v")),
        ("::group::G\r", Command("group", {}, "G")),
    ],
)  # fmt: skip
def test_a_command_is_read(line: str, command: Command) -> None:
    assert read(line + "\n")[1] == [command]
    assert read(line)[1] == [command]


@pytest.mark.parametrize(
    "line",
    ["::", "::error", "text ::error::x", "::other::x", "::error:x", ": :error::x", "##[other]x",
     "##[error", "::set-output", "::add-mask"],
)  # fmt: skip
def test_what_is_no_command_is_text(line: str) -> None:
    assert read(line + "\n") == (line + "\n", [])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("::set-env name=A::b", "disabled"),
        ("::add-path::/x", "disabled"),
        ("::set-output::v", "'name' is missing"),
        ("::save-state name=::v", "'name' is missing"),
        ("::echo::maybe", "echo is 'on' or 'off'"),
        ("::stop-commands::", "no token"),
        ("::stop-commands::error", "no token"),
    ],
)
def test_what_cannot_be_carried_out_fails_the_step(line: str, why: str) -> None:
    (found,) = read(line + "\n")[1]
    assert isinstance(found, Fault)
    assert f"Unable to process command '{line}' successfully." in found.reason
    assert why in found.reason


def test_what_is_shown_of_commands() -> None:
    text = (
        "one\n::debug::d\n::set-output name=a::1\n::save-state name=s::1\n::group::g\n::endgroup::\n"
        "::warning::w\n::add-mask::hidden\ntwo hidden\n"
    )
    assert read(text)[0] == "one\n::group::g\n::endgroup::\n::warning::w\ntwo ***\n"
    assert "::debug::d\n" in read(text, debug=True)[0]
    assert [c.name for c in read(text)[1] if isinstance(c, Command)] == [
        "debug", "set-output", "save-state", "group", "endgroup", "warning",
    ]  # fmt: skip


def test_echo_shows_commands_but_never_a_mask() -> None:
    text = (
        "::set-output name=a::1\n::echo::on\n::set-output name=b::2\n::add-mask::hidden-value\n"
        "::echo::off\n::set-output name=c::3\n"
    )
    assert read(text)[0] == "::set-output name=b::2\n::echo::off\n"


def test_commands_stop_and_go_on_by_token() -> None:
    text = (
        "::stop-commands::Token\n::error::a\n::Other::\n##[warning]b\n::token::\n::error::c\n"
        "::stop-commands::t2\n::Token::\n::error::d\n##[t2]\n::error::e\n"
    )
    log, found = read(text)
    assert [c.value for c in found if isinstance(c, Command)] == ["c", "e"]
    assert "::error::a\n::Other::\n##[warning]b\n" in log


VALUE = "s3cr/t<&>\"'värd"


@pytest.mark.parametrize(
    "shown",
    [
        VALUE,
        json.dumps(VALUE),
        json.dumps(VALUE, ensure_ascii=False),
        quote(VALUE, safe=""),
        b64encode(VALUE.encode()).decode(),
        b64encode(b"x" + VALUE.encode()).decode(),
        b64encode(b"user:" + VALUE.encode()).decode(),
        b64encode(b"ab" + VALUE.encode() + b"more").decode(),
    ],
)
def test_a_masked_value_is_hidden_however_it_is_written(shown: str) -> None:
    hidden = hide(f"a {shown} b", masks_of(VALUE))
    assert "***" in hidden
    assert VALUE not in hidden
    assert shown not in hidden


def test_every_line_of_a_masked_value_is_hidden() -> None:
    log, _ = read("::add-mask::first%0Asecond%0A%0A\nfirst and second\n\n")
    assert log == "*** and ***\n\n"
    assert masks_of("") == masks_of(" \n") == set()
    assert masks_of("ab") == {"ab"}


@given(
    lines=st.lists(
        st.sampled_from(
            ["plain", "::add-mask::value-to-hide", "a value-to-hide b", "::error::value-to-hide",
             "::stop-commands::t", "::t::", "##[add-mask]value-to-hide", "", "é::"]
        ),
        max_size=12,
    ),
    size=st.integers(1, 40),
)  # fmt: skip
def test_the_pieces_that_output_comes_in_change_nothing(lines: list[str], size: int) -> None:
    text = "\n".join(lines)
    assert read(text, size=size) == read(text)
    first = next((n for n, line in enumerate(lines) if "add-mask" in line), len(lines))
    if "::stop-commands::t" not in lines:
        after = "\n".join(lines[first:])
        assert "value-to-hide" not in read(after)[0]

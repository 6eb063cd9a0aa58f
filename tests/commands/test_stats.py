"""`grind stats` from end to end: real repositories in, a screen and a document out."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest

from grind.commands import stats as command
from grind.commands.stats import parse_since
from grind.core.errors import GrindError
from grind.core.history import Chain, History, MendedFile, Minutes, Month, SinceGrind
from grind.core.history_paths import PATTERNS
from grind.ui.arguments import Parser, parser_for
from tests.core.history_commits import CI, START
from tests.repositories import Repository


def built_parser() -> Parser:
    parser = parser_for("stats", command.HELP, command.EXAMPLES)
    command.add_arguments(parser)
    return parser


def run(argv: list[str], *args: object, **more: object) -> int:
    return command.run(built_parser().parse_args(argv), *args, **more)  # type: ignore[arg-type]


GOLDEN = Path(__file__).parents[1] / "golden" / "stats"
PAGE = (Path(__file__).parents[2] / "docs" / "stats.md").read_text()
NOW = START + 60 * 86400
HOUR = 3600


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A short version of how it goes: work, wiring CI, a burst of fixes, peace, another burst."""
    made = Repository(tmp_path_factory.mktemp("lived") / "repository")
    made.commit({"src/a": "1"}, "Begin", at=START - 40 * 86400)
    made.commit({"src/a": "2", "Justfile": "1"}, "Add recipes", at=START - 35 * 86400)
    made.commit({CI: "0", "src/a": "3"}, "Wire CI", at=START)
    for number, minutes in enumerate((11, 25, 60, 72.5, 100), 1):
        made.commit({CI: f"{number}"}, f"Fix CI {number}", at=START + int(minutes * 60))
    made.commit({CI: "6"}, "Next day", at=START + 20 * HOUR)
    made.commit({CI: "7", "flake.nix": "1"}, "Try with Nix", at=START + 21 * HOUR)
    made.commit({"flake.nix": "2", "src/b": "1"}, "A feature", at=START + 22 * HOUR)
    made.commit({CI: "8"}, "Bump", at=START + 22 * HOUR, author="renovate[bot]")
    made.commit({"flake.nix": "3"}, "\x1b[2J\u202eevil 日本語 " + "x" * 80, at=START + 30 * 86400)
    made.commit({"flake.nix": "4"}, "Mend it", at=START + 30 * 86400 + 5 * 60)
    return made


def screen(folder: Path, *arguments: str, width: int = 80, **more: Any) -> str:
    out = io.StringIO()
    assert (
        run([*arguments, "-C", str(folder)], out=out, width=width, clock=lambda: NOW, **more) == 0
    )
    return out.getvalue()


def document(folder: Path, *arguments: str, **more: Any) -> dict[str, Any]:
    return json.loads(screen(folder, "--json", *arguments, **more))


def check(name: str, text: str) -> None:
    """Compare with a file; GRIND_UPDATE_GOLDEN=1 writes it anew: then look at the diff."""
    path = GOLDEN / name
    if os.environ.get("GRIND_UPDATE_GOLDEN"):
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_screen(lived: Repository, width: int) -> None:
    text = screen(lived.folder, width=width)
    check(f"lived-{width}.txt", re.sub(r"\b[0-9a-f]{9}\b", "0ddba11ed", text))


@pytest.mark.parametrize("width", [20, 40, 41, 77])
def test_no_line_is_wider_than_asked(lived: Repository, width: int) -> None:
    from rich.cells import cell_len

    assert max(cell_len(line) for line in screen(lived.folder, width=width).splitlines()) <= width


def test_the_document(lived: Repository) -> None:
    found = document(lived.folder)
    assert found["schema"] == "grind.stats/1"
    assert (found["commits"], found["touching"], found["bots"]) == (14, 13, 1)
    assert found["follow_ups"] == 7
    assert found["minutes"] == {"median": 14.0, "total": 165.0}
    assert found["chains"][0] | {"first": ""} == {
        "first": "",
        "subject": "Wire CI",
        "started": START,
        "ended": START + 6000,
        "commits": 6,
        "follow_ups": 5,
        "minutes": 100.0,
    }
    assert found["files"] == [
        {"path": CI, "follow_ups": 6},
        {"path": "flake.nix", "follow_ups": 1},
    ]
    assert [m["month"] for m in found["months"]] == ["2025-12", "2026-02", "2026-03"]
    assert found["since_grind"] is None


def test_control_characters_never_come_out(lived: Repository) -> None:
    for text in (screen(lived.folder, width=200), screen(lived.folder, "--json")):
        assert all(c.isprintable() or c == "\n" for c in text)
        assert "evil 日本語" in text
    assert "\\x1b[2J\\u202eevil" in screen(lived.folder, width=200)
    assert document(lived.folder)["chains"][-1]["subject"].startswith("\x1b[2J\u202eevil")


def test_a_document_escapes_what_lies_beyond_16_bits(tmp_path: Path) -> None:
    made = Repository(tmp_path / "r")
    subject = 'tag \U000e0041 c1 \x85 del \x7f bad \udcff \\ " end'
    made.commit({CI: "1"}, subject.encode("utf-8", "surrogateescape").decode("latin-1"), at=START)
    made.commit({CI: "2"}, "fix", at=START + 600)
    text = screen(made.folder, "--json")
    assert all(c.isprintable() or c == "\n" for c in text)
    assert json.loads(text)["chains"]


def test_names_of_people_are_not_shown(lived: Repository) -> None:
    for text in (screen(lived.folder), screen(lived.folder, "--json")):
        assert "Ada" not in text
        assert "renovate" not in text


def test_since_and_limit(lived: Repository) -> None:
    assert document(lived.folder, "--since", "99999 years")["commits"] == 14
    later = document(lived.folder, "--since", "2026-02-02")
    assert later["since"] == "2026-02-02T00:00:00+00:00"
    assert (later["commits"], later["follow_ups"]) == (2, 1)
    assert document(lived.folder, "--since", "40 days")["commits"] == 2
    newest = document(lived.folder, "--limit", "3")
    assert (newest["commits"], newest["limit"]) == (3, 3)
    text = screen(lived.folder, "--since", "2026-02-02", "--limit", "5")
    assert "note: commits since 2026-02-02 (UTC) only\n" in text
    assert "note: the newest 5 commits only\n" in text


def test_window(lived: Repository) -> None:
    assert document(lived.folder, "--window", "11")["follow_ups"] == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-01", START),
        (" 2026-02-01 ", START),
        ("1 day", NOW - 86400),
        ("2weeks ago", NOW - 14 * 86400),
        ("12 months", NOW - int(12 * 30.436875 * 86400)),
        ("1 year", NOW - int(365.2425 * 86400)),
        ("99999 years", 0),
        ("0001-01-01", 0),
    ],
)
def test_when(text: str, expected: int) -> None:
    assert parse_since(text, NOW) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-02-30",
        "2026-2-1",
        "-1 days",
        "3",
        "20260201",
        "2026-02-01T00",
        "x" * 99,
        "٢٠٢٦-٠٢-٠١",
        "٣ days",
        "123456 days",
    ],
)
def test_a_date_that_is_none_is_refused(lived: Repository, text: str) -> None:
    """git itself takes an unknown word for "now", and would show a history without mistakes."""
    with pytest.raises(GrindError, match="is no date"):
        run([f"--since={text}", "-C", str(lived.folder)], out=io.StringIO())


@pytest.mark.parametrize("option", ["--limit", "--window"])
@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "", "٣", "1" * 10])
def test_a_number_that_is_none_is_refused(option: str, value: str) -> None:
    with pytest.raises(GrindError, match="expected a whole number above 0"):
        built_parser().parse_args([f"{option}={value}"])


def test_nothing_of_ci(tmp_path: Path) -> None:
    made = Repository(tmp_path / "r")
    made.commit({"a": "1"}, "one")
    text = screen(made.folder)
    assert text.startswith("0 commits of 1 touch CI or deploy files\n")
    assert "fix" not in text.split("\n")[1]


def test_a_shallow_clone_says_so(lived: Repository, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    lived.git("clone", "-q", "--depth=2", f"file://{lived.folder}", str(clone))
    assert document(clone)["shallow"] is True
    assert "note: a shallow clone" in screen(clone)


def test_exactly_one_log(
    lived: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real git behind one that writes down how it was called."""
    real = shutil.which("git")
    calls = tmp_path / "calls"
    spy = tmp_path / "bin" / "git"
    spy.parent.mkdir()
    spy.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$*\" >> '{calls}'\nexec '{real}' \"$@\"\n")
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", str(spy.parent), prepend=os.pathsep)
    assert document(lived.folder)["commits"] == 14
    called = calls.read_text().splitlines()
    assert len([line for line in called if " log " in line]) == 1
    assert len(called) == 2  # and one question about the repository, whatever its size


SINCE = SinceGrind(
    releases=12,
    watched=12,
    first_push_green=11,
    gate_refusals=4,
    bypasses=0,
    first_green_minutes=9.5,
)


def test_since_grind_is_shown_when_it_is_known(lived: Repository) -> None:
    text = screen(lived.folder, since_grind=SINCE)
    assert "since grind: 12 releases\n" in text
    assert "   11  green at the first push: 92 %\n" in text
    assert "    4  refused by the gate before they were pushed\n" in text
    assert "    0  landed without a receipt, past the gate\n" in text
    assert "10 min to the first recorded green\n" in text
    assert document(lived.folder, since_grind=SINCE)["since_grind"]["first_push_green"] == 11
    assert "since grind" not in screen(lived.folder)
    part = SinceGrind(releases=12, watched=4, first_push_green=3, gate_refusals=0, bypasses=0)
    told = screen(lived.folder, since_grind=part)
    assert "    3  green at the first push: 75 % of 4 whose CI was watched\n" in told
    none = SinceGrind(releases=0, watched=0, first_push_green=0, gate_refusals=1, bypasses=0)
    assert "%" not in screen(lived.folder, since_grind=none).split("since grind")[1]


def test_a_terminal_without_the_signs(lived: Repository) -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii")
    run(["-C", str(lived.folder)], out=out, width=80, clock=lambda: NOW)
    out.flush()
    assert raw.getvalue().isascii()
    assert b"touching CI" in raw.getvalue()
    assert b"@" in raw.getvalue()


# ---- the page ----


def test_the_page_lists_the_patterns() -> None:
    for kind, patterns in PATTERNS.items():
        [row] = re.findall(rf"^\| {kind} \| (.*) \|$", PAGE, re.MULTILINE)
        assert tuple(re.findall(r"`([^`]+)`", row)) == patterns


def test_the_pages_commands_run(lived: Repository) -> None:
    import shlex

    commands = re.findall(r"^\$ grind stats ?(.*)$", PAGE, re.MULTILINE)
    assert len(commands) > 3
    examples = re.findall(r"^  grind stats ?(.*)$", command.EXAMPLES, re.MULTILINE)
    assert examples
    for arguments in (*commands, *examples):
        screen(lived.folder, *shlex.split(arguments))


def test_the_pages_document_is_one(lived: Repository) -> None:
    shown = json.loads(PAGE.split("```json")[1].split("```")[0])
    real = json.loads(screen(lived.folder, "--json", since_grind=SINCE))
    assert list(shown) == list(real)
    about = {"schema", "since", "limit", "shallow", "since_grind"}
    msgspec.convert({k: v for k, v in shown.items() if k not in about}, History, strict=True)
    for kind, member in ((Chain, "chains"), (MendedFile, "files"), (Month, "months")):
        assert list(shown[member][0]) == list(kind.__struct_fields__)
    assert list(shown["minutes"]) == list(Minutes.__struct_fields__)
    assert shown["since_grind"] == json.loads(msgspec.json.encode(SINCE))


def test_the_page_names_every_option() -> None:
    options = {
        string
        for action in built_parser()._actions
        for string in action.option_strings
        if string not in ("-h", "--help")
    }
    assert set(re.findall(r"^\| `(-[-\w]+)", PAGE, re.MULTILINE)) == options

"""`grind log` and `grind status` for people."""

from __future__ import annotations

from datetime import UTC

import pytest

from grind.core.events import EVENTS_SCHEMA, Entry, RunEnded
from grind.ui.layout import cells
from grind.ui.log_text import render_log
from grind.ui.status_text import Status, render_status
from tests.ui.golden import check
from tests.ui.sample import EVIL, LANDED, RED

RED_STATUS = Status(
    tree="1a2b3c4d5e6f" + "0" * 28,
    branch="feature/x",
    changed=3,
    new_files=("src/new.py", EVIL),
    proof="none",
    proof_reason="test › pytest is red",
    running="grind check, pid 12, since 13:05:02",
    last="red",
    last_told="test › pytest (exit 1)",
    last_ago=65.0,
    next="grind check --failed",
    why="run again what was red",
)
GREEN_STATUS = Status(
    tree="1" * 40,
    branch="main",
    proof="full",
    receipt="f" * 64,
    proven_ago=7300.0,
    last="green",
    last_told="14 steps executed",
    last_ago=7300.0,
    next="grind land -m …",
)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_status_is_five_lines(width: int) -> None:
    text = "".join(render_status(status, width, False) for status in (RED_STATUS, GREEN_STATUS))
    lines = text.splitlines()
    assert len(lines) == 10
    assert max(map(cells, lines)) <= width
    check(f"status-{width}", text)


def test_status_of_a_fresh_repository() -> None:
    told = render_status(Status(tree="a" * 40, next="grind check"), 80, False).splitlines()
    assert told[1].split() == ["proof", "not", "proven"]
    assert told[3].split() == ["last", "no", "run", "yet"]
    assert told[4].split() == ["next", "grind", "check"]


TREE = "40663b517b9b" + "0" * 28


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        (
            "there is no receipt for tree 40663b517b9b: nothing has proven it",
            "nothing has proven it",
        ),
        ("the receipt for tree 40663b517b9b is partial: ci.yml/test: no", "ci.yml/test: no"),
        ("the receipt for tree 40663b517b9b is 20 days old", "20 days old"),
        ("tree 40663b517b9b was checked, and failed: pytest", "failed: pytest"),
        ("the receipt for tree 000000000000 is 20 days old", None),
    ],
)
def test_what_a_line_has_said_is_not_said_again(reason: str, told: str | None) -> None:
    status = Status(tree=TREE, proof_reason=reason, next="grind check", why=reason)
    lines = render_status(status, 120, False).splitlines()
    assert lines[1] == f"proof    not proven · {told or reason}"
    assert lines[4] == "next     grind check"


def test_log_keeps_the_lines_for_grind_toml_apart() -> None:
    ended = RunEnded(
        run="r",
        state="partial",
        exit_code=3,
        executed=0,
        failed=0,
        refused=1,
        remedies=("install it, or in grind.toml:\n[[verdict]]\nuses = 'a/b@*'", "grind plan"),
    )
    lines = list(render_log([Entry(EVENTS_SCHEMA, 1, 0.0, ended)], False, zone=UTC))
    assert lines[-4:] == [
        "           → install it, or in grind.toml:",
        "             [[verdict]]",
        "             uses = 'a/b@*'",
        "           → grind plan",
    ]


def test_log_has_a_time_on_every_line() -> None:
    check("log", "\n".join(render_log([*RED, *LANDED], False, zone=UTC)) + "\n")


def test_log_of_two_runs_does_not_mix_their_failures() -> None:
    lines = list(render_log([*RED, *RED], False, zone=UTC))
    verdicts = [line for line in lines if " red · " in line]
    assert len(verdicts) == 2
    assert verdicts[0].split(" red ")[1] == verdicts[1].split(" red ")[1]

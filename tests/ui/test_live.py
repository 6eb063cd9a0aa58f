"""The live view: on a small terminal of the tests' own, and in a real pseudo-terminal."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from rich.text import Text

from grind.core.events import StepOutput
from grind.ui.board import Board
from grind.ui.choose import links_wanted
from grind.ui.face import Outlook
from grind.ui.failures import closing
from grind.ui.hanging import hang
from grind.ui.layout import cells
from grind.ui.live import LiveFace
from grind.ui.phrases import Phrases
from grind.ui.words import Paint, Signs
from tests.ui.golden import check
from tests.ui.sample import AT, EVIL, JOBS, LANDED, LOG, ODD, RED, STARTED, TEST, entries
from tests.ui.terminal import Terminal

ROOT = Path(__file__).parents[2]


class Screen(io.StringIO):
    """A stream that a terminal shows."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self.terminal = terminal

    def write(self, text: str, /) -> int:
        self.terminal.feed(text)
        return len(text)


class Stage:
    """A live face on a terminal, with a clock that stands where the last entry was."""

    def __init__(self, width: int, height: int = 24, outlook: Outlook = Outlook()) -> None:  # noqa: B008
        self.terminal = Terminal(width, height)
        self.now = AT
        self.face = LiveFace(
            Screen(self.terminal),
            read_log,
            lambda: self.now,
            size=lambda: (self.terminal.width, self.terminal.height),
            animate=False,
            outlook=outlook,
        )

    def play(self, all_of: list) -> None:  # type: ignore[type-arg]
        for entry in all_of:
            self.now = entry.at
            self.face.show(entry)
            self.face.refresh()


def read_log(name: str) -> Iterator[bytes]:
    assert name == "logs/1"
    yield LOG


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_golden(width: int) -> None:
    stage = Stage(width)
    stage.play(RED[:11])
    running = stage.terminal.text
    stage.play(RED[11:])
    stage.face.close()
    assert stage.terminal.cursor_shown
    check(f"live-{width}", f"{running}=== ended ===\n{stage.terminal.text}")


def _last(lines: list[str]) -> str:
    """Join the last line with what of it is hung below."""
    at = max(n for n, line in enumerate(lines) if line.strip() and not line.startswith("  "))
    return " ".join(line.strip() for line in lines[at:])


def test_the_region_is_gone_at_the_end_and_the_verdict_last() -> None:
    stage = Stage(80)
    stage.play(RED)
    stage.face.close()
    lines = stage.terminal.text.splitlines()
    assert _last(lines).startswith("red · ")
    assert not any("running" in line for line in lines)


def test_earlier_runs_tell_how_long_it_will_take() -> None:
    known = {job.key: 120.0 for job in JOBS}
    stage = Stage(80, outlook=Outlook(known, 2))
    stage.play(RED[:4])
    assert "min left" in stage.terminal.text
    del known[JOBS[-1].key]  # one that was never seen green
    stage = Stage(80, outlook=Outlook(known, 2))
    stage.play(RED[:4])
    assert "left" not in stage.terminal.text


def test_what_is_left_has_its_place_at_forty_columns() -> None:
    known = {job.key: 120.0 for job in JOBS}
    stage = Stage(40, outlook=Outlook(known, 2))
    stage.play(RED[:4])
    assert "min left" in stage.terminal.text


@pytest.mark.parametrize("width", [40, 60])
def test_lines_that_stay_are_broken_between_words(width: int) -> None:
    """Seen in a real terminal of 40 columns: `built in: t` and `he snapshot` below it."""
    console = Console(width=width, color_system=None)
    line = Text.from_ansi("  \x1b[32m✓\x1b[0m " + "snapshot " * 12 + "end")
    shown = hang(console, line, width)
    rows = shown.plain.split("\n")
    assert len(rows) > 1
    assert all(cells(row) <= width for row in rows)
    assert " ".join(shown.plain.split()) == " ".join(line.plain.split())
    assert all(row.startswith("    ") and row[4] != " " for row in rows[1:])
    assert shown.spans[0].style == line.spans[0].style
    short = Text("✓ lint 1.3s")
    assert hang(console, short, width) is short


def test_a_link_to_the_log_where_the_terminal_has_links() -> None:
    lines = []
    for folder in ("/a b/$x", ""):
        phrases = Phrases(Board(), Paint(False), Signs())
        for entry in RED:
            phrases.board.take(entry.event)
        end = phrases.board.ended
        assert end is not None
        lines.append("\n".join(closing(phrases, end, read_log, 80, folder)))
    assert "\x1b]8;;file:///a%20b/%24x/logs/1\x1b\\log\x1b]8;;\x1b\\" in lines[0]
    assert "\x1b]8" not in lines[1]


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"VTE_VERSION": "7003"}, True),
        ({"VTE_VERSION": "3000"}, False),
        ({"TERM_PROGRAM": "vscode"}, True),
        ({"TERM_PROGRAM": "vscode", "TMUX": "x"}, False),
        ({"FORCE_HYPERLINK": "1"}, True),
        ({"TERM_PROGRAM": "vscode", "FORCE_HYPERLINK": "0"}, False),
    ],
)
def test_which_terminals_have_links(environ: dict[str, str], wanted: bool) -> None:
    assert links_wanted(environ) is wanted


@pytest.mark.parametrize(("before", "after"), [(100, 40), (40, 100), (120, 41), (60, 59)])
def test_a_resized_terminal_keeps_no_leftovers(before: int, after: int) -> None:
    stage = Stage(before)
    stage.play(RED[:11])
    stage.terminal.resize(after)
    stage.face.refresh()
    fresh = Stage(after)
    fresh.play(RED[:11])
    assert region(stage) == region(fresh)
    stage.terminal.resize(before)
    stage.play(RED[11:])
    stage.face.close()
    whole = Stage(before)
    whole.play(RED)
    assert stage.terminal.text == whole.terminal.text


def region(stage: Stage) -> list[str]:
    """What stands below the first line, which is history and may be wrapped."""
    stage.face.refresh()
    lines = stage.terminal.text.splitlines()
    return lines[next(i for i, line in enumerate(lines) if line.startswith("▸")) :]


def test_many_jobs_fit_a_low_terminal() -> None:
    from msgspec.structs import replace

    from grind.core.events import JobHead, JobStarted, StepStarted

    heads = tuple(JobHead(f"w/{i}", f"job {i}", "w", "executed", "", (), ()) for i in range(50))
    stage = Stage(80, height=10)
    stage.play(entries(replace(STARTED, jobs=heads)))
    for i in range(50):
        stage.play(entries(JobStarted(f"w/{i}"), StepStarted(f"w/{i}", 0, "s")))
    assert len(stage.terminal.text.splitlines()) <= 10
    assert "50 running (43 hidden)" in stage.terminal.text
    stage.face.close()


def test_hostile_output_stays_in_its_lines() -> None:
    stage = Stage(60)
    stage.play(RED[:9])
    seen = ""
    for text in (EVIL, "[red]markup[/red] :smile:\n", "\x1b[5A\x1b[2K", "a" * 5000, "\tb\n\rc\r"):
        stage.play(entries(StepOutput(TEST, 1, text)))  # the terminal refuses unknown sequences
        seen += stage.terminal.text
    assert "[red]markup[/red] :smile:" in seen
    stage.face.close()


def test_closing_early_gives_the_terminal_back() -> None:
    stage = Stage(60)
    stage.play(RED[:11])
    assert not stage.terminal.cursor_shown
    stage.face.close()
    assert stage.terminal.cursor_shown
    assert "▸" not in stage.terminal.text
    stage.face.close()


def test_what_is_no_run_needs_no_region() -> None:
    stage = Stage(80)
    stage.play(LANDED)
    stage.face.close()
    assert "pushed 333333333333 to origin/main" in stage.terminal.text


def test_memory_does_not_grow_with_output() -> None:
    import tracemalloc

    stage = Stage(80)
    stage.play(RED[:9])
    stage.face.refresh()
    tracemalloc.start()
    for _ in range(400):
        stage.face.show(entries(StepOutput(ODD, 0, "y" * 25_000 + "\nx" * 1000))[0])
    stage.face.refresh()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    stage.face.close()
    assert peak < 3_000_000


PROGRAM = """
import os, sys
from tests.ui.sample import RED, LOG
from grind.ui.choose import face_for
ready, go = map(int, sys.argv[1:])
clock = [0.0]
face = face_for(sys.stdout, os.environ, json=False, read_log=lambda _: [LOG], now=lambda: clock[0])
print(type(face).__name__, flush=True)
for number, entry in enumerate(RED):
    clock[0] = entry.at
    face.show(entry)
    if number == 10:
        os.write(ready, b".")
        os.read(go, 1)
face.close()
"""


def in_a_pty(environ: dict[str, str], size: tuple[int, int], resize: tuple[int, int]) -> str:
    """Run the program in a pseudo-terminal; resize it in the middle of the run."""
    master, slave = pty.openpty()
    ready_in, ready_out = os.pipe()
    go_in, go_out = os.pipe()
    resized(master, *size)
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(ready_out), str(go_in)],
        env=environ,
        cwd=ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        pass_fds=(ready_out, go_in),
        start_new_session=True,
    ) as process:
        for fd in (slave, ready_out, go_in):
            os.close(fd)
        try:
            out = read_until(master, ready_in)
            resized(master, *resize)
            os.write(go_out, b".")
            out += read_until(master, None)
        finally:
            process.kill()
            for fd in (master, ready_in, go_out):
                os.close(fd)
    return out.decode()


def resized(master: int, columns: int, lines: int) -> None:
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))


def read_until(master: int, sign: int | None) -> bytes:
    """Read what the terminal shows until `sign` can be read, or until the program is gone."""
    out = b""
    while True:
        ready, _, _ = select.select([master] if sign is None else [master, sign], [], [], 120)
        assert ready, f"nothing came after {out!r}"
        if master in ready:
            try:
                piece = os.read(master, 65536)
            except OSError:  # EIO: the last process that had the terminal is gone
                piece = b""
            if not piece:
                return out
            out += piece
        elif sign is not None:
            return out


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    return {"PATH": os.environ["PATH"], "PYTHONPATH": path, "TERM": "xterm-256color"} | more


def test_in_a_real_pseudo_terminal() -> None:
    out = in_a_pty(environment(), (100, 30), (50, 30))
    assert "LiveFace" in out
    assert "\x1b[?25l" in out
    assert out.count("\x1b[?25h") >= 1
    last = _last(out.replace("\r\n", "\n").rstrip("\n").split("\n"))
    assert last.startswith("\x1b[1;31mred\x1b[0m · ")
    assert "\x1b[2J" not in out
    assert "\x1b]0" not in out


def test_no_colour_in_a_real_pseudo_terminal() -> None:
    import re

    out = in_a_pty(environment(NO_COLOR="1"), (80, 30), (80, 30))
    assert "LiveFace" in out
    assert not re.search("\x1b\\[[0-9;]*m", out)


def test_a_dumb_terminal_gets_plain_lines() -> None:
    out = in_a_pty(environment(TERM="dumb"), (80, 30), (80, 30))
    assert "PlainFace" in out
    assert "\x1b" not in out


def test_labels_fall_back_to_keys_when_names_clash() -> None:
    from msgspec.structs import replace

    from grind.ui.board import Board

    twins = tuple(replace(head, name="same") for head in JOBS)
    board = Board()
    board.take(replace(STARTED, jobs=twins))
    assert len({board.label(head.key) for head in twins}) == len(twins)

"""What a watch looks like, on a terminal and in a pipe."""

from __future__ import annotations

import io
from collections.abc import Iterator

from grind.core import events as e
from grind.core.events import EVENTS_SCHEMA, Entry
from grind.ui.live import LiveFace
from grind.ui.plain import PlainFace
from grind.ui.watch_face import WatchFace
from grind.ui.words import Paint, Signs
from tests.ui.golden import check
from tests.ui.sample import AT, EVIL, LOG
from tests.ui.terminal import Terminal

CI, LINT = ".github/workflows/ci.yml", ".github/workflows/lint.yml"
SHA = "5ca1ab1e" * 5
RUN = "https://github.com/octo/app/actions/runs/1"


def job(name: str, status: str, conclusion: str | None = None, **more: object) -> e.CiJobSeen:
    return e.CiJobSeen(
        workflow=CI, run=1, job=name, status=status, conclusion=conclusion, **more  # type: ignore[arg-type]
    )  # fmt: skip


STORY = (
    e.WatchStarted(
        forge="github.com/octo/app",
        commit=SHA,
        event="push",
        branch="main",
        expected=(CI, LINT),
        left_out=(".github/workflows/docs.yml: no changed path matches its path filters",),
        since=AT,
    ),
    e.CiRunSeen(workflow=CI, run=1, attempt=1, status="queued", url=RUN),
    e.CiRunSeen(workflow=CI, run=1, attempt=1, status="in_progress", url=RUN),
    job("test (3.11)", "in_progress", step="Set up job", number=1),
    job(EVIL, "in_progress", step=EVIL, number=2),
    e.Note("warning", "GitHub answered 502: Bad Gateway; trying again"),
    job("test (3.11)", "in_progress", step="Unit tests", number=3),
    job("test (3.11)", "completed", "failure", duration=75.0),
    job(EVIL, "completed", "success", duration=3.0),
    job("deploy", "completed", "skipped"),
    e.CiRunSeen(workflow=CI, run=1, attempt=1, status="completed", conclusion="failure", url=RUN),
    e.CiStepFailed(
        workflow=CI,
        run=1,
        job="test (3.11)",
        step="Unit tests",
        conclusion="failure",
        url=f"{RUN}/job/1",
        log="logs/1",
        local="satisfied-by-host",
        told="not run here, the host was believed to have it: it has make",
        suggestion='[[verdict]]\nworkflow = "ci.yml"\njob = "test"\nverdict = "executed"',
    ),
    e.WatchEnded(
        commit=SHA,
        verdict="failed",
        exit_code=1,
        workflows=(
            e.WatchRow(
                workflow=CI,
                verdict="failed",
                reason="test (3.11) failed",
                run=1,
                attempt=1,
                url=RUN,
            ),
            e.WatchRow(workflow=LINT, verdict="unknown", reason="not created yet", settled=False),
        ),
        reason="the time to wait is over",
        requests=40,
        uncached=12,
        duration=125.0,
    ),
)


def read_log(name: str) -> Iterator[bytes]:
    assert name == "logs/1"
    yield LOG


def shown(face: WatchFace, until: int | None = None) -> None:
    for number, event in enumerate(STORY[:until]):
        face.show(Entry(EVENTS_SCHEMA, number, AT + 10 * number, event))


def test_in_a_pipe() -> None:
    stream = io.StringIO()
    inner = PlainFace(stream, read_log)
    face = WatchFace(inner, stream, read_log, Paint(False), Signs(), 80)
    shown(face)
    face.close()
    text = stream.getvalue()
    assert "\x1b" not in text
    assert "s3cret" not in text
    check("watch-plain", text)


def test_on_a_terminal_the_running_jobs_are_shown_and_then_gone() -> None:
    stream = io.StringIO()
    inner = LiveFace(
        stream, read_log, lambda: AT + 62, size=lambda: (60, 24), colour=False, animate=False
    )
    face = WatchFace(inner, stream, read_log, Paint(False), Signs(), 60)
    shown(face, 7)
    inner.refresh()
    terminal = Terminal(60)
    terminal.feed(stream.getvalue())
    during = terminal.text
    assert "▸ ci.yml/test (3.11) › 3 Unit tests" in during
    assert "0/2 jobs · 2 running" in during
    stream.seek(0)
    stream.truncate()
    for number, event in enumerate(STORY[7:], 7):
        face.show(Entry(EVENTS_SCHEMA, number, AT + 10 * number, event))
    face.close()
    terminal.feed(stream.getvalue())
    assert terminal.cursor_shown
    after = terminal.text
    assert "2 running" not in after
    assert "✗ ci.yml/test (3.11) 1m 15s" in after
    assert after.rstrip().endswith("`grind watch` goes on")

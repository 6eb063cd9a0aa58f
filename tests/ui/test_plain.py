"""Plain lines and the NDJSON stream."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from grind.core.events import Entry, JobEnded, StepEnded, StepOutput, decode
from grind.ui.ndjson import NdjsonFace
from grind.ui.plain import PlainFace
from grind.ui.words import ASCII
from tests.ui.golden import check, visible
from tests.ui.sample import EVIL, LANDED, LOG, ODD, RED, STARTED, TEST, ended, entries, run_ended


def read_log(name: str) -> Iterator[bytes]:
    assert name == "logs/1"
    for i in range(0, len(LOG), 7):
        yield LOG[i : i + 7]


def shown(all_of: list[Entry], **options: bool) -> str:
    stream = io.StringIO()
    face = PlainFace(stream, read_log, **options)  # type: ignore[arg-type]
    for entry in all_of:
        face.show(entry)
    face.close()
    return stream.getvalue()


def test_a_red_run() -> None:
    text = shown(RED)
    assert "\x1b" not in text
    assert "s3cret" not in text
    check("plain-red", text)


def test_a_red_run_in_colour_with_all_output() -> None:
    check("plain-red-follow", visible(shown(RED, colour=True, follow=True)))


def test_what_failed_is_the_last_thing_said() -> None:
    last = shown(RED).rstrip().splitlines()[-1]
    assert last.startswith("red · ")
    assert "pytest (exit 1)" in last


def test_a_step_cannot_forge_the_verdict() -> None:
    lines = shown(RED, follow=True).splitlines()
    assert [line for line in lines if line.startswith(("green", "red"))] == lines[-1:]


def test_a_job_that_may_fail_is_told_once() -> None:
    forgiven = ended(
        TEST, 1, "pytest", outcome="failure", conclusion="failure", exit_code=1, gating=False
    )
    failed = JobEnded(job=TEST, conclusion="failure", duration=2.0)
    lines = shown(entries(STARTED, forgiven, failed, run_ended("green"))).splitlines()
    assert len([line for line in lines if "✗" in line]) == 1
    assert lines[-1].startswith("green · ")


def test_landing() -> None:
    check("plain-landed", shown(LANDED))


@pytest.mark.parametrize(
    ("state", "more", "told"),
    [
        ("green", {"receipt": "f" * 64}, "green · 3 steps executed · receipt kept · 4.0s"),
        ("green", {"cached": True}, "green · this tree is proven already"),
        ("partial", {"refused": 2}, "partial · 3 steps executed · 2 not proven · 4.0s"),
        ("hollow", {"executed": 0}, "hollow · nothing was executed, so nothing is proven · 4.0s"),
        ("red", {"failed": 1}, "red · failed · 4.0s"),
        ("new" + EVIL, {}, "newevil [bold] name · 3 steps executed · 4.0s"),
    ],
)
def test_one_line_verdicts(state: str, more: dict[str, object], told: str) -> None:
    assert shown(entries(STARTED, run_ended(state, **more))).splitlines()[-1] == told


def test_a_log_that_is_gone_is_said() -> None:
    def gone(name: str) -> Iterator[bytes]:
        raise FileNotFoundError(2, "No such file or directory", name)

    stream = io.StringIO()
    face = PlainFace(stream, gone)
    for entry in RED:
        face.show(entry)
    assert "the log cannot be read" in stream.getvalue()
    assert stream.getvalue().rstrip().splitlines()[-1].startswith("red")


def test_results_of_steps_in_words() -> None:
    def told(**more: object) -> str:
        return shown(entries(ended(TEST, 0, "s", **more))).split(": ", 1)[1].rstrip()

    fails = {"outcome": "failure", "exit_code": 3}
    assert told() == "✓ s  1.5s"
    assert told(**fails, conclusion="failure") == "✗ s  exit 3 · 1.5s"
    assert told(**fails) == "✓ s  exit 3 · CI goes on after it · 1.5s"
    assert (
        told(**fails, conclusion="failure", gating=False) == "✗ s  exit 3 · cannot fail CI · 1.5s"
    )
    assert told(verdict="refused", outcome="skipped", reason="no") == "! s  refused: no"
    assert told(verdict="overridden", tests=1) == "✓ s  overridden · 1 test · 1.5s"
    assert told(outcome="cancelled", conclusion="cancelled") == "– s  cancelled · 1.5s"
    assert (
        told(outcome="failure", conclusion="failure", exit_code=None, reason="timeout")
        == "✗ s  timeout · 1.5s"
    )


def test_ascii_where_the_stream_has_nothing_else() -> None:
    stream = io.StringIO()
    face = PlainFace(stream, read_log, signs=ASCII)
    for entry in RED:
        if not isinstance(entry.event, StepOutput):
            face.show(entry)
    assert "…" not in stream.getvalue()
    assert "red - " in stream.getvalue()


def test_output_in_pieces_is_whole_lines() -> None:
    text = shown(
        entries(
            STARTED,
            StepOutput(ODD, 0, "first\nsec"),
            StepOutput(ODD, 0, "ond\x1b[3"),
            StepOutput(ODD, 0, "1mred\nlast"),
            ended(ODD, 0, "x"),
        ),
        follow=True,
    )
    gutters = [line.split("│ ")[1] for line in text.splitlines() if "│" in line]
    assert gutters == ["first", "secondred", "last"]


def test_ndjson_is_the_entries_and_each_is_out_at_once() -> None:
    stream = io.BytesIO()
    raw = io.BufferedWriter(stream, 1 << 20)  # type: ignore[arg-type]
    face = NdjsonFace(raw)
    for number, entry in enumerate(RED, 1):
        face.show(entry)
        assert stream.getvalue().count(b"\n") == number
    face.close()
    assert [decode(line) for line in stream.getvalue().splitlines()] == RED


def test_memory_does_not_grow_with_output() -> None:
    import tracemalloc

    class Sink:
        def write(self, text: str) -> int:
            return len(text)

        def flush(self) -> None: ...

    def pieces(name: str) -> Iterator[bytes]:
        for _ in range(400):
            yield b"x" * 50_000 + b"\n" * (name == "")

    face = PlainFace(Sink(), pieces, follow=True)
    face.show(entries(STARTED)[0])
    tracemalloc.start()
    for piece in range(400):
        face.show(entries(StepOutput(TEST, 0, "y" * 49_999 + "\n" * (piece % 2)))[0])
    failed: StepEnded = ended(TEST, 0, "big", conclusion="failure", outcome="failure", log="x")
    for entry in entries(failed, run_ended("red")):
        face.show(entry)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3_000_000

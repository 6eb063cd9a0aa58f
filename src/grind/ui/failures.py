"""The end of a run: what would settle it, the whole log of what failed, the verdict last."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from grind.core.events import RunEnded, StepEnded, StepSummary
from grind.core.texts import LogText, one_line
from grind.ui.face import LogReader
from grind.ui.phrases import Phrases
from grind.ui.words import count

SUMMARY_LINES = 40
"""Lines of each step's summary at the end of a run; `grind log` shows all."""


def closing(
    phrases: Phrases, event: RunEnded, read_log: LogReader, width: int, folder: str = ""
) -> Iterator[str]:
    """Yield the last lines of a run, without newlines. Logs are streamed, never held.

    With `folder`, where the logs are, what failed has a link to its log.

    Each line of a log stands behind a gutter, so that nothing a step prints can pass for
    something that grind says.
    """
    paint, signs = phrases.paint, phrases.signs
    for what in event.unproven:
        yield paint.faint(f"{signs.skipped} left out by design: {one_line(what)}")
    for what in event.open:
        yield f"{paint.odd(signs.refused)} not proven: {one_line(what)}"
    for remedy in event.remedies:
        first, *rest = map(one_line, remedy.splitlines() or [""])
        yield f"{paint.odd(signs.remedy)} {first}"
        yield from (f"  {line}" for line in rest)
    for summary in phrases.board.summaries:
        yield ""
        yield from summary_lines(phrases, summary, read_log, SUMMARY_LINES)
    for failure in phrases.board.failures:
        yield ""
        yield from _failure(phrases, failure, read_log, width, folder)
    for job in phrases.board.failed_jobs():
        yield ""
        yield f"{paint.bad(signs.failed)} {phrases.board.label(job.job)}: {one_line(job.reason)}"
    yield ""
    yield phrases.verdict(event)


def summary_lines(
    phrases: Phrases, summary: StepSummary, read_log: LogReader, most: int | None = None
) -> Iterator[str]:
    """Yield what a step wrote to its summary, behind a gutter; at most so many lines."""
    steps = phrases.board.results.get(summary.job, {})
    result = steps.get(summary.step)
    place = phrases.place(result) if result else phrases.board.label(summary.job)
    yield phrases.paint.strong(f"summary of {place}")
    lines = _log(phrases, summary.path, read_log)
    yield from islice(lines, most)
    left = sum(1 for _ in lines)
    if left:
        path = one_line(summary.path)
        yield phrases.paint.faint(f"… and {count(left, 'line')} more, kept in {path}")


def _failure(
    phrases: Phrases, failure: StepEnded, read_log: LogReader, width: int, folder: str
) -> Iterator[str]:
    paint, signs = phrases.paint, phrases.signs
    yield f"{paint.bad(signs.failed)} {paint.strong(phrases.place(failure))}"
    yield paint.faint(signs.rule * min(width, 80))
    if failure.log:
        yield from _log(phrases, failure.log, read_log)
    for annotation in phrases.board.annotations:
        if (annotation.job, annotation.step) == (failure.job, failure.step):
            yield phrases.annotation(annotation)
    job = phrases.board.jobs.get(failure.job)
    steps = job.steps if job else ()
    line = next((step.line for step in steps if step.index == failure.step), 0)
    place = f"{one_line(job.workflow)}:{line}" if job and line else ""
    link = _link(folder, failure.log) if folder and failure.log else ""
    yield paint.faint(f" {signs.dot} ".join(filter(None, (phrases.cause(failure), place, link))))


def _link(folder: str, log: str) -> str:
    """Return a link to a file on this machine, as terminals have them (OSC 8)."""
    from urllib.parse import quote

    address = f"file://{quote(f'{folder}/{log}')}"
    return f"\x1b]8;;{address}\x1b\\log\x1b]8;;\x1b\\"


def _log(phrases: Phrases, log: str, read_log: LogReader) -> Iterator[str]:
    paint = phrases.paint
    gutter = paint.faint(phrases.signs.gutter)
    text = LogText(colour=paint.colour)
    try:
        for piece in read_log(log):
            for line in text.feed_bytes(piece):
                yield f"{gutter} {line}"
    except OSError as error:
        yield f"{gutter} {paint.odd(f'the log cannot be read: {one_line(str(error))}')}"
    for line in text.finish():
        yield f"{gutter} {line}"

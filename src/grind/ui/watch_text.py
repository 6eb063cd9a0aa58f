"""The end of a watch in words: why what is red is red, every workflow, the verdict last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from grind.core.ci import CiVerdict
from grind.core.events import CiStepFailed, WatchEnded, WatchRow
from grind.core.texts import LogText, one_line
from grind.ui.face import LogReader
from grind.ui.words import Paint, Signs, count, duration, short


def file_of(path: str) -> str:
    """Return a workflow's file name, clean."""
    return one_line(path).rpartition("/")[2]


def closing(
    failures: Iterable[CiStepFailed],
    ended: WatchEnded,
    read_log: LogReader,
    paint: Paint,
    signs: Signs,
    width: int,
) -> Iterator[str]:
    """Yield the last lines of a watch, without newlines. Logs are streamed, never held."""
    for failure in failures:
        yield ""
        yield from _failure(failure, read_log, paint, signs, width)
    yield ""
    for row in ended.workflows:
        yield _row(row, paint, signs)
    yield _verdict(ended, paint, signs)
    if ended.reason:
        yield f"{paint.odd(signs.remedy)} {one_line(ended.reason)}: `grind watch` goes on"


def _failure(
    failure: CiStepFailed, read_log: LogReader, paint: Paint, signs: Signs, width: int
) -> Iterator[str]:
    parts = (file_of(failure.workflow), one_line(failure.job), one_line(failure.step))
    place = f" {signs.within} ".join(filter(None, parts))
    yield f"{paint.bad(signs.failed)} {paint.strong(place)}"
    yield paint.faint(signs.rule * min(width, 80))
    gutter = paint.faint(signs.gutter)
    if failure.log:
        for line in _log(failure.log, read_log, paint):
            yield f"{gutter} {line}"
    else:
        yield f"{gutter} {paint.odd('there is no log to be had')}"
    if failure.told:
        yield f"{paint.strong('here:')} {one_line(failure.told)}"
    if failure.suggestion:
        yield f"{paint.odd(signs.remedy)} in grind.toml:"
        for line in failure.suggestion.split("\n"):
            yield f"    {one_line(line)}"
    if failure.url:
        yield paint.faint(one_line(failure.url))


def _log(log: str, read_log: LogReader, paint: Paint) -> Iterator[str]:
    text = LogText(colour=paint.colour)
    try:
        for piece in read_log(log):
            yield from text.feed_bytes(piece)
    except OSError as error:
        yield paint.odd(f"the log cannot be read: {one_line(str(error))}")
    yield from text.finish()


def _row(row: WatchRow, paint: Paint, signs: Signs) -> str:
    good = row.verdict == CiVerdict.CLEAN
    sign = paint.good(signs.ok) if good else paint.bad(signs.failed)
    if not row.settled:
        sign = paint.odd(signs.waiting)
    told = [row.verdict, one_line(row.reason)]
    if not row.expected:
        told.append("was not expected to run")
    if not good:
        told.append(one_line(row.url))
    return f"{sign} {file_of(row.workflow)}  {f' {signs.dot} '.join(filter(None, told))}"


def _verdict(ended: WatchEnded, paint: Paint, signs: Signs) -> str:
    result = "success" if ended.exit_code == 0 else "failure"
    if ended.verdict in (CiVerdict.UNKNOWN, CiVerdict.ACTION_REQUIRED):
        result = "partial"
    parts = (
        paint.by(result, ended.verdict),
        f"CI of {short(one_line(ended.commit))}",
        count(len(ended.workflows), "workflow"),
        duration(ended.duration),
        f"{count(ended.requests, 'request')}, {ended.uncached} counted",
    )
    return f" {signs.dot} ".join(parts)

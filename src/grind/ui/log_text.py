"""`grind log`: the journal's entries as lines, each with its time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from grind.core.events import Entry, LandIntent, RunEnded, RunStarted, StepSummary
from grind.core.texts import clean, one_line
from grind.ui.board import Board
from grind.ui.face import LogReader
from grind.ui.failures import summary_lines
from grind.ui.loop_text import loop_lines
from grind.ui.phrases import Phrases
from grind.ui.undo_text import undo_lines
from grind.ui.words import Paint, Signs


def render_log(
    entries: Iterable[Entry],
    colour: bool,
    signs: Signs | None = None,
    zone: tzinfo | None = None,
    read_log: LogReader | None = None,
) -> Iterator[str]:
    """Yield lines without newlines, in journal order; a date stands wherever the day changes.

    `read_log` shows what the steps wrote to their summaries. `zone` None is the machine's own time
    zone. Nothing is held but the state of the current run.
    """
    paint = Paint(colour)
    signs = signs or Signs()
    phrases = Phrases(Board(), paint, signs)
    day = ""
    for entry in entries:
        at = datetime.fromtimestamp(entry.at, tz=zone)
        if day != (day := f"{at:%Y-%m-%d}"):
            yield paint.strong(day)
        event = entry.event
        if isinstance(event, RunStarted) and not event.resumed:
            phrases = Phrases(Board(), paint, signs)
        phrases.board.take(event)
        stamp = paint.faint(f"{at:%H:%M:%S}")
        line = phrases.of(event)
        if line is None:
            for told in (*loop_lines(event, paint, signs), *undo_lines(event, paint, signs)):
                yield f"{stamp} {told}"
            continue
        begins = isinstance(event, RunStarted | LandIntent)
        yield f"{stamp} {line}" if begins else f"{stamp}   {line}"
        if isinstance(event, StepSummary) and read_log is not None:
            for told in summary_lines(phrases, event, read_log):
                yield f"{' ' * 11}{told}"
        if isinstance(event, RunEnded):
            for remedy in event.remedies:
                yield from _remedy(remedy, paint, signs)


def _remedy(remedy: str, paint: Paint, signs: Signs) -> Iterator[str]:
    """Lines for grind.toml stay lines, to be copied."""
    first, *rest = clean(remedy).rstrip("\n").split("\n")
    yield f"{' ' * 11}{paint.odd(signs.remedy)} {one_line(first)}"
    yield from (f"{' ' * 13}{one_line(line)}" for line in rest)

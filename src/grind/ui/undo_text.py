"""A rollback in words: the plan, what is done, the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TextIO

from grind.core import events as e
from grind.core.health import ProbeReport
from grind.core.texts import one_line
from grind.core.undoevents import (
    RollbackEnded,
    RollbackIntent,
    RollbackPlanned,
    UnitRestarted,
)
from grind.ui.face import Face, Stream
from grind.ui.probe_text import look_line, verdict
from grind.ui.words import Paint, Signs, duration, short, signs_for

_STATES = {
    "undone": "undone",
    "nothing": "nothing to undo",
    "unhealthy": "done, and not healthy",
    "failed": "not undone",
    "planned": "only planned",
}


def undo_face_for(stream: TextIO, environ: Mapping[str, str], *, json: bool) -> Face:
    """Return the face for a rollback of code or of what runs."""
    if json:
        from grind.ui.ndjson import NdjsonFace

        return NdjsonFace(stream.buffer)
    from grind.ui.choose import colour_wanted

    return UndoFace(stream, Paint(colour_wanted(stream, environ)), signs_for(stream.encoding))


class UndoFace:
    """Writes one line or a few for each event."""

    def __init__(self, stream: Stream, paint: Paint, signs: Signs) -> None:
        self._stream = stream
        self._paint = paint
        self._signs = signs

    def show(self, entry: e.Entry) -> None:
        """Take one event."""
        for line in undo_lines(entry.event, self._paint, self._signs):
            self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is left to do."""
        self._stream.flush()


def undo_lines(event: e.Event, paint: Paint, signs: Signs) -> Iterator[str]:
    """Yield what an event of a rollback says."""
    match event:
        case RollbackPlanned():
            where = f"on {one_line(event.where)}"
            yield f"{paint.strong(f'roll back {event.kind}')} {where}: {one_line(event.what)}"
            for number, step in enumerate(event.steps, 1):
                yield f"  {number}. {one_line(step)}"
        case RollbackIntent():
            why = f": {one_line(event.reason)}" if event.reason else ""
            yield f"{signs.running} rolling back {event.kind} on {one_line(event.where)}{why}"
        case UnitRestarted():
            sign = paint.good(signs.ok) if event.ok else paint.bad(signs.failed)
            told = f": {one_line(event.problem)}" if event.problem else ""
            yield f"  {sign} {one_line(event.unit)} restarted in {duration(event.seconds)}{told}"
        case e.ProbeLooked():
            yield f"  {look_line(event, paint, signs)}"
        case e.ProbesEnded():
            report = ProbeReport(host=event.host, rows=event.rows, seconds=event.seconds)
            yield f"  {verdict(report, paint, signs)}"
        case e.LandPushed():
            where = f"{one_line(event.remote)}/{one_line(event.branch)}"
            yield f"  {paint.good(signs.ok)} pushed {short(event.oid)} to {where}"
        case e.Note():
            yield f"{paint.odd(signs.remedy)} {one_line(event.text)}"
        case RollbackEnded():
            sign = paint.good(signs.ok) if event.exit_code == 0 else paint.bad(signs.failed)
            reason = f": {one_line(event.reason)}" if event.reason else ""
            yield f"{sign} {event.kind}: {_STATES.get(event.state, event.state)}{reason}"
        case _:
            pass

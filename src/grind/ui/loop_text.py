"""The loop in words: a line where a phase begins, one where it ends, one for the whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TextIO

from grind.core import events as e
from grind.core.loop import LoopEnded, LoopStarted, PhaseEnded, PhaseStarted
from grind.core.texts import one_line
from grind.ui.choose import colour_wanted
from grind.ui.face import Face, Stream
from grind.ui.words import Paint, Signs, duration, short, signs_for


def loop_face_for(stream: TextIO, environ: Mapping[str, str], *, json: bool) -> Face:
    """Return the face for what the loop itself tells; the phases have their own."""
    if json:
        from grind.ui.ndjson import NdjsonFace

        return NdjsonFace(stream.buffer)
    return LoopFace(stream, Paint(colour_wanted(stream, environ)), signs_for(stream.encoding))


class LoopFace:
    """Writes a line for each event of the loop, and for each of a landing."""

    def __init__(self, stream: Stream, paint: Paint, signs: Signs) -> None:
        self._stream = stream
        self._paint = paint
        self._signs = signs

    def show(self, entry: e.Entry) -> None:
        """Take one event."""
        for line in loop_lines(entry.event, self._paint, self._signs):
            self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is left to do."""
        self._stream.flush()


def loop_lines(event: e.Event, paint: Paint, signs: Signs) -> Iterator[str]:
    """Yield what an event of the loop says."""
    match event:
        case LoopStarted():
            again = ", taken up again" if event.resumed else ""
            path = f" {signs.remedy} ".join(map(one_line, event.phases))
            yield paint.strong(f"grind run {signs.dot} tree {short(event.tree)}{again}: {path}")
        case PhaseStarted():
            yield paint.strong(f"{signs.running} {one_line(event.phase)}")
        case PhaseEnded():
            yield _phase(event, paint, signs)
        case e.LandPushed():
            where = f"{one_line(event.remote)}/{one_line(event.branch)}"
            yield f"  pushed {short(event.oid)} to {where}"
        case LoopEnded():
            yield _end(event, paint, signs)
        case _:
            pass


def _phase(event: PhaseEnded, paint: Paint, signs: Signs) -> str:
    sign = {"done": paint.good(signs.ok), "skipped": paint.faint(signs.skipped)}.get(
        event.state, paint.bad(signs.failed)
    )
    reason = f": {one_line(event.reason)}" if event.reason else ""
    took = paint.faint(f" ({duration(event.duration)})") if event.state != "skipped" else ""
    return f"{sign} {one_line(event.phase)} {event.state}{reason}{took}"


def _end(event: LoopEnded, paint: Paint, signs: Signs) -> str:
    took = duration(event.duration)
    commit = f" {signs.dot} {short(event.commit)}" if event.commit else ""
    if event.exit_code:
        stopped = f"stopped by {one_line(event.stopped)}, exit code {event.exit_code}"
        return f"{paint.bad(stopped)}{commit} {signs.dot} {took}"
    word = "verified live" if event.verified else "done, not verified live"
    return f"{paint.good(word)}{commit} {signs.dot} {took}"

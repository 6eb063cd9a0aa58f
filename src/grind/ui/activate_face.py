"""An activation, as lines: what would change, what the host does, what the probes see, the result."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TextIO

from grind.core import events as e
from grind.core.hostevents import (
    ActivateBuilding,
    ActivateEnded,
    ActivateIntent,
    ActivatePhase,
    ActivatePlanned,
    ActivateProbed,
    ActivateStarted,
    ActivateWord,
)
from grind.core.texts import one_line
from grind.ui.choose import colour_wanted
from grind.ui.face import Face, Stream
from grind.ui.words import Paint, Signs, count, duration, short, signs_for


def activate_face_for(stream: TextIO, environ: Mapping[str, str], *, json: bool) -> Face:
    """Return the face for an activation or a rollback of a host."""
    if json:
        from grind.ui.ndjson import NdjsonFace

        return NdjsonFace(stream.buffer)
    return ActivateFace(stream, Paint(colour_wanted(stream, environ)), signs_for(stream.encoding))


class ActivateFace:
    """Writes one line or a few for each event."""

    def __init__(self, stream: Stream, paint: Paint, signs: Signs) -> None:
        self._stream = stream
        self._paint = paint
        self._signs = signs

    def show(self, entry: e.Entry) -> None:
        """Take one event."""
        for line in self._lines(entry.event):
            self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Nothing is left to do."""
        self._stream.flush()

    def _lines(self, event: e.Event) -> Iterator[str]:
        paint, signs = self._paint, self._signs
        match event:
            case ActivateStarted():
                what = "activating" if event.purpose == "activate" else "rolling back"
                tree = f", tree {short(event.tree)}" if event.tree else ""
                yield f"{what} {paint.strong(one_line(event.host))}{tree}"
            case ActivateBuilding():
                yield f"{signs.running} building {one_line(event.what)} ({one_line(event.limits)})"
            case ActivatePlanned():
                yield from self._planned(event)
            case ActivateIntent():
                yield (
                    f"{signs.running} switching; the host goes back by itself when it is not "
                    f"acknowledged within {event.deadline} s"
                )
            case ActivatePhase() if event.phase in _SHOWN:
                text = f": {one_line(event.text)}" if event.text else ""
                yield f"  {paint.faint('host')} {_SHOWN[event.phase]}{text}"
            case e.ProbeLooked():
                sign = paint.good(signs.ok) if event.green else paint.odd(signs.waiting)
                got = one_line(event.problem or event.got)
                yield f"  {sign} {one_line(event.probe)} ({event.greens}/{event.wanted}): {got}"
            case ActivateProbed():
                yield self._probed(event)
            case ActivateWord():
                acknowledged = "acknowledging, over a fresh connection"
                yield f"{signs.running} {acknowledged if event.word == 'ack' else 'telling it to go back'}"
            case ActivateEnded():
                yield from self._ended(event)
            case e.Note():
                yield f"{paint.odd(signs.refused)} {one_line(event.text)}"
            case _:
                pass

    def _probed(self, event: ActivateProbed) -> str:
        if event.healthy:
            return f"{self._paint.good(self._signs.ok)} healthy in {duration(event.seconds)}"
        red = "; ".join(map(one_line, event.red)) or "no probe was made"
        return f"{self._paint.bad(self._signs.failed)} not healthy: {red}"

    def _planned(self, event: ActivatePlanned) -> Iterator[str]:
        paint = self._paint
        if not event.changed:
            yield f"  unchanged: the host runs {one_line(event.new)} already"
        else:
            yield f"  from {one_line(event.old)}" + (
                f" (generation {event.generation})" if event.generation else ""
            )
            yield f"  to   {one_line(event.new)}"
        if event.only_revision:
            yield "  only the revision changed: every other file is the same"
        for line in event.versions:
            yield f"    {one_line(line)}"
        if event.added or event.removed:
            sign = "+" if event.bytes >= 0 else "-"
            yield (
                f"  closure: {count(len(event.added), 'path')} more, {len(event.removed)} fewer, "
                f"{sign}{abs(event.bytes) / 2**20:.1f} MiB"
            )
        for word, units in (
            ("would stop", event.stop),
            ("would start", event.start),
            ("would restart", event.restart),
            ("would reload", event.reload),
            ("would NOT stop, though changed", event.not_stopped),
            ("failed already", event.failed),
        ):
            if units:
                yield f"  {word}: {one_line(', '.join(units))}"
        for line in event.other:
            yield f"  dry-activate: {one_line(line)}"
        for line in event.drift:
            yield f"  {paint.odd(self._signs.refused)} {one_line(line)}"
        for line in event.notes:
            yield f"  {paint.faint(one_line(line))}"

    def _ended(self, event: ActivateEnded) -> Iterator[str]:
        paint, signs = self._paint, self._signs
        good = event.exit_code == 0
        sign = paint.good(signs.ok) if good else paint.bad(signs.failed)
        text = _STATES.get(event.state, event.state)
        reason = f": {one_line(event.reason)}" if event.reason else ""
        generation = f" (generation {event.generation})" if event.generation else ""
        yield (
            f"{sign} {one_line(event.host)} {text}{generation}{reason} "
            f"{paint.faint(f'in {duration(event.duration)}')}"
        )
        for line in event.log:
            yield f"  {paint.faint(signs.gutter)} {one_line(line)}"
        if event.by_hand:
            yield f"{paint.bad(signs.remedy)} by hand, on the host:"
            yield from (f"    {one_line(line)}" for line in event.by_hand)


_SHOWN = {
    "waiting": "waits for the acknowledgement",
    "acknowledged": "has taken the acknowledgement",
    "going-back": "goes back",
    "rolled-back": "is back",
    "rollback-failed": "could not go back",
    "refused": "refused",
    "kept": "stays as it is",
}
_STATES = {
    "activated": "is activated: acknowledged and healthy",
    "unchanged": "is unchanged",
    "planned": "was not touched: a dry run",
    "rolled-back": "is back on what was recorded",
    "rollback-failed": "needs you now",
    "kept": "stays on what it was rolled back to, and is not healthy",
    "refused": "was not switched",
}

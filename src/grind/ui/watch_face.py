"""A watch drawn by the faces that draw runs: CI's jobs are shown as jobs, then the closing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TextIO

from grind.core.events import (
    CiJobSeen,
    CiRunSeen,
    CiStepFailed,
    Entry,
    Event,
    JobEnded,
    JobStarted,
    Note,
    RunStarted,
    StepStarted,
    WatchEnded,
    WatchStarted,
)
from grind.core.texts import one_line
from grind.ui.choose import colour_wanted, face_for, size_of
from grind.ui.face import Face, LogReader, Stream
from grind.ui.watch_text import closing, file_of
from grind.ui.words import Paint, Signs, signs_for


def watch_face_for(
    stream: TextIO,
    environ: Mapping[str, str],
    *,
    json: bool,
    read_log: LogReader,
    now: Callable[[], float],
) -> Face:
    """Return the face for a watch; as `face_for` for a run."""
    inner = face_for(stream, environ, json=json, read_log=read_log, now=now)
    if json:
        return inner
    paint, signs = Paint(colour_wanted(stream, environ)), signs_for(stream.encoding)
    return WatchFace(inner, stream, read_log, paint, signs, size_of(stream)[0])


class WatchFace:
    """Translates the events of a watch for `inner`, and writes the closing itself."""

    def __init__(
        self,
        inner: Face,
        stream: Stream,
        read_log: LogReader,
        paint: Paint,
        signs: Signs,
        width: int,
    ) -> None:
        self._inner = inner
        self._stream = stream
        self._read_log = read_log
        self._paint = paint
        self._signs = signs
        self._width = width
        self._failures: list[CiStepFailed] = []
        self._started: set[str] = set()

    def show(self, entry: Entry) -> None:
        """Take one event."""
        event = entry.event
        if isinstance(event, CiStepFailed):
            self._failures.append(event)
        elif isinstance(event, WatchEnded):
            self._inner.close()
            lines = closing(
                self._failures, event, self._read_log, self._paint, self._signs, self._width
            )
            for line in lines:
                self._stream.write(line + "\n")
            self._stream.flush()
        else:
            for translated in self._translated(event):
                self._inner.show(Entry(entry.schema, entry.seq, entry.at, translated))

    def close(self) -> None:
        """Leave the screen in order."""
        self._inner.close()

    def _translated(self, event: Event) -> list[Event]:
        match event:
            case WatchStarted():
                return self._begun(event)
            case CiRunSeen():
                return self._run(event)
            case CiJobSeen():
                return self._job(event)
            case _:
                return [event]

    def _begun(self, event: WatchStarted) -> list[Event]:
        self._failures.clear()
        self._started.clear()
        head = RunStarted(
            run=event.commit,
            command="watch",
            tree="",
            commit=event.commit,
            digest="",
            host=event.forge,
            jobs=(),
            resumed=event.resumed,
        )
        waiting = ", ".join(file_of(path) for path in event.expected) or "no workflow"
        notes = [f"expecting {waiting}", *(f"not counted: {one_line(o)}" for o in event.left_out)]
        return [head, *(Note("info", note) for note in notes)]

    def _run(self, event: CiRunSeen) -> list[Event]:
        """Say that a run is there, and how each of its attempts ended."""
        attempt = f" attempt {event.attempt}" if event.attempt > 1 else ""
        name = f"{file_of(event.workflow)}{attempt}"
        if event.status == "completed":
            level = "info" if event.conclusion == "success" else "warning"
            return [Note(level, f"{name}: {one_line(event.conclusion or 'no conclusion')}")]
        mark = f"{event.run}/{event.attempt}"
        if mark in self._started:
            return []
        self._started.add(mark)
        return [Note("info", f"{name}: {one_line(event.url) or one_line(event.status)}")]

    def _job(self, event: CiJobSeen) -> list[Event]:
        key = f"{file_of(event.workflow)}/{event.job}"
        told: list[Event] = []
        if event.status not in ("in_progress", "completed"):
            return told
        if key not in self._started and event.conclusion != "skipped":
            self._started.add(key)
            told.append(JobStarted(key))
        if event.status == "completed":
            self._started.discard(key)
            conclusion = event.conclusion or ""
            bad = conclusion == "timed_out"
            told.append(
                JobEnded(
                    job=key,
                    conclusion="failure" if bad else conclusion,
                    reason="ran into its time limit" if bad else "",
                    duration=event.duration,
                )
            )
        elif event.step:
            told.append(StepStarted(key, event.number - 1, event.step))
        return told

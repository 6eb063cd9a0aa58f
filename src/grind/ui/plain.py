"""Plain lines, for pipes, files and CI: one per thing that happened, no cursor movement."""

from __future__ import annotations

from grind.core.events import Entry, RunEnded, StepOutput
from grind.core.texts import LogText
from grind.ui.board import Board
from grind.ui.face import LogReader, Stream
from grind.ui.failures import closing
from grind.ui.phrases import Phrases
from grind.ui.words import Paint, Signs


class PlainFace:
    """Writes a line per event. `follow` also writes the output of every step as it comes."""

    def __init__(
        self,
        stream: Stream,
        read_log: LogReader,
        *,
        colour: bool = False,
        follow: bool = False,
        width: int = 80,
        signs: Signs | None = None,
    ) -> None:
        self._stream = stream
        self._read_log = read_log
        self._width = width
        self._board = Board()
        self._phrases = Phrases(self._board, Paint(colour), signs or Signs())
        self._follow = follow
        self._outputs: dict[str, LogText] = {}

    def show(self, entry: Entry) -> None:
        """Write the event's line, or the whole closing when it ends the run."""
        event = entry.event
        self._board.take(event)
        if isinstance(event, StepOutput):
            if self._follow:
                self._output(event)
            return
        if isinstance(event, RunEnded):
            for line in closing(self._phrases, event, self._read_log, self._width):
                self._line(line)
        else:
            if job := getattr(event, "job", ""):
                self._rest_of(job)
            line_of = self._phrases.of(event)
            if line_of is not None:
                self._line(line_of)
        self._stream.flush()

    def close(self) -> None:
        """Write what is left of unfinished output."""
        for job in list(self._outputs):
            self._rest_of(job)
        self._stream.flush()

    def _output(self, event: StepOutput) -> None:
        text = self._outputs.get(event.job)
        if text is None:
            text = self._outputs[event.job] = LogText(colour=self._phrases.paint.colour)
        for line in text.feed(event.text):
            self._logged(event.job, line)
        self._stream.flush()

    def _rest_of(self, job: str) -> None:
        text = self._outputs.pop(job, None)
        for line in text.finish() if text else ():
            self._logged(job, line)

    def _logged(self, job: str, line: str) -> None:
        gutter = f"{self._board.label(job)} {self._phrases.signs.gutter}"
        self._line(f"{self._phrases.paint.faint(gutter)} {line}")

    def _line(self, line: str) -> None:
        self._stream.write(line + "\n")

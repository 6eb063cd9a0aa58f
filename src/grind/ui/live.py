"""The live view of a terminal: quiet, narrow enough for 40 columns, and gone when the run is over.

Finished jobs scroll into the terminal's history; below them a region is redrawn with the running
jobs, their times and the last lines of what they print. At the end the region gives way to the
closing (`ui.failures`): what failed is the last thing on the screen.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from grind.core.estimate import remaining, told
from grind.core.events import (
    Annotation,
    Entry,
    Event,
    JobEnded,
    JobStarted,
    RunEnded,
    StepEnded,
    StepOutput,
    StepStarted,
    StepSummary,
)
from grind.core.texts import LogText, one_line
from grind.ui.board import Board
from grind.ui.face import LogReader, Outlook
from grind.ui.failures import closing
from grind.ui.hanging import hang
from grind.ui.layout import cells
from grind.ui.phrases import Phrases
from grind.ui.region import Region, Resizing
from grind.ui.words import Paint, Signs, duration

_TAIL = 6
"""Lines of output kept per running step; nothing else of a step's output is in memory."""
_FEW_JOBS = 12
"""Up to so many jobs, a finished job is shown with all of its steps."""


class _Running:
    """What the region shows of one running job."""

    def __init__(self, at: float) -> None:
        self.since = at
        self.step_since = at
        self.lines: deque[str] = deque(maxlen=_TAIL)
        self.text = LogText(limit=1024)

    def next_step(self, at: float) -> None:
        self.step_since = at
        self.lines.clear()
        self.text = LogText(limit=1024)

    def tail(self, number: int) -> list[str]:
        partial = self.text.partial
        lines = [line for line in [*self.lines, partial] if line.strip()]
        return lines[-number:] if number else []


class LiveFace:
    """Draws with rich's Live. Times are `now() - Entry.at`, so both must be the same clock.

    `size` returns (columns, lines) and is asked before every drawing, so a resized terminal is
    followed. With `animate=False` nothing is drawn but by `show` and `refresh` (for tests).
    """

    def __init__(
        self,
        stream: TextIO,
        read_log: LogReader,
        now: Callable[[], float],
        *,
        size: Callable[[], tuple[int, int]],
        colour: bool = True,
        signs: Signs | None = None,
        animate: bool = True,
        outlook: Outlook = Outlook(),  # noqa: B008 - a constant
        folder: str = "",
    ) -> None:
        self._stream = stream
        self._folder = folder
        self._outlook = outlook
        self._read_log = read_log
        self._now = now
        self._size = size
        self._lock = threading.Lock()
        self._board = Board()
        self._running: dict[str, _Running] = {}
        self._started_at: float | None = None
        self._phrases = Phrases(self._board, Paint(colour), signs or Signs())
        self._console = Console(
            file=stream,
            force_terminal=True,
            color_system="standard" if colour else None,
            markup=False,
            emoji=False,
            highlight=False,
            legacy_windows=False,
            width=size()[0],
            height=size()[1],
            _environ={},
        )
        self._region = Region(self._lines)
        self._resizing = Resizing(self._console, self._region, size)
        self._live = Live(
            self._region,
            console=self._console,
            auto_refresh=animate,
            refresh_per_second=8,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )

    # --- events ----------------------------------------------------------------------------------

    def show(self, entry: Entry) -> None:
        """Take one event: results go to the history, the rest into the region."""
        event = entry.event
        with self._lock:
            if self._started_at is None:
                self._started_at = entry.at
            self._board.take(event)
            self._follow(event, entry.at)
            history = self._history(event)
        if isinstance(event, RunEnded):
            self._end()
            width, verdict = self._size()[0], ""
            for line in closing(self._phrases, event, self._read_log, width, self._folder):
                if verdict:
                    self._stream.write(verdict)
                verdict = line + "\n"
            self._print([verdict.removesuffix("\n")])
            self._stream.flush()
            return
        if history:
            self._print(history)
        if self._board.run is not None and self._board.ended is None:
            self._start()

    def refresh(self) -> None:
        """Draw the region now."""
        if self._live.is_started:
            self._live.refresh()

    def close(self) -> None:
        """Take the region away and give the cursor back, whatever happened."""
        self._end()
        self._stream.flush()

    def _start(self) -> None:
        if not self._live.is_started:
            self._live.start()
            self._console.push_render_hook(self._resizing)

    def _end(self) -> None:
        if self._live.is_started:
            self._live.refresh()
            self._console.pop_render_hook()
            self._live.stop()

    def _print(self, lines: list[str]) -> None:
        width = self._size()[0]
        hung = [hang(self._console, Text.from_ansi(line), width) for line in lines]
        self._console.print(Text("\n").join(hung), soft_wrap=True)

    def _follow(self, event: Event, at: float) -> None:
        match event:
            case JobStarted():
                self._running.setdefault(event.job, _Running(at))
            case StepStarted():
                self._running.setdefault(event.job, _Running(at)).next_step(at)
            case StepOutput():
                running = self._running.get(event.job)
                if running is not None:
                    running.lines.extend(running.text.feed(event.text))
            case JobEnded():
                self._running.pop(event.job, None)
            case _:
                pass

    def _history(self, event: Event) -> list[str]:
        """Return the lines that an event leaves above the region for good."""
        match event:
            case (
                StepStarted()
                | StepEnded()
                | Annotation()
                | StepOutput()
                | StepSummary()
                | RunEnded()
            ):
                return []
            case JobEnded():
                return self._finished(event)
            case _:
                line = self._phrases.of(event)
                return [] if line is None else [line]

    def _finished(self, event: JobEnded) -> list[str]:
        phrases, paint = self._phrases, self._phrases.paint
        sign = {
            "success": phrases.signs.ok,
            "failure": phrases.signs.failed,
            "refused": phrases.signs.refused,
        }.get(event.conclusion, phrases.signs.skipped)
        told = [paint.by(event.conclusion, sign), paint.strong(self._board.label(event.job))]
        if event.reason:
            told.append(one_line(event.reason))
        if event.conclusion in ("success", "failure", "cancelled"):
            told.append(paint.faint(duration(event.duration)))
        lines = [" ".join(told)]
        all_steps = len(self._board.jobs) <= _FEW_JOBS
        for _, step in sorted(self._board.results.get(event.job, {}).items()):
            if all_steps or step.outcome != "success":
                lines.append(f"  {phrases.step(step)}")
        return lines

    # --- the region ------------------------------------------------------------------------------

    def _lines(self, width: int, height: int) -> list[Text]:
        """Return the region's lines for a terminal of this size."""
        with self._lock:
            now = self._now()
            budget = max(1, min(height - 2, 20) - 1)
            shown = list(self._running.items())[:budget]
            spare = budget - len(shown)
            tail = min(_TAIL, spare // len(shown)) if shown else 0
            lines: list[Text] = []
            for key, running in shown:
                lines.append(self._job_line(key, running, now, width))
                for line in running.tail(tail if len(shown) < 4 else min(tail, 1)):
                    text = f"  {self._phrases.signs.gutter} {line.expandtabs(4)}"
                    lines.append(Text(text, style="dim"))
            lines.append(self._footer(len(self._running) - len(shown), now, width))
            return lines

    def _job_line(self, key: str, running: _Running, now: float, width: int) -> Text:
        """`▸ job › step 3/8 name  12s`: the time always stays on the screen."""
        signs = self._phrases.signs
        step = self._board.running.get(key)
        time = duration(now - (running.step_since if step else running.since))
        line = Text(f"{signs.running} ", style="bold")
        line.append(self._board.label(key))
        if step is not None:
            job = self._board.jobs.get(key)
            of = f"/{len(job.steps)}" if job else ""
            line.append(f" {signs.within} {step.step + 1}{of} {one_line(step.name)}", "not bold")
        line.truncate(max(4, width - len(time) - 2), overflow="ellipsis")
        line.append(f"  {time}", style="not bold dim")
        return line

    def _footer(self, hidden: int, now: float, width: int) -> Text:
        board, signs = self._board, self._phrases.signs
        parts = [f"{len(board.done)}/{len(board.jobs) or len(board.started)} jobs"]
        if board.failures or board.failed_jobs():
            failed = {failure.job for failure in board.failures}
            parts.append(f"{len(failed) + len(board.failed_jobs())} failed")
        if self._running:
            parts.append(
                f"{len(self._running)} running" + (f" ({hidden} hidden)" if hidden else "")
            )
        parts.append(duration(now - (now if self._started_at is None else self._started_at)))
        if board.jobs and (left := self._left(now)):
            if cells(f" {signs.dot} ".join([*parts, left])) > width:
                parts.pop()  # what is left says more than what is over
            parts.append(left)
        return Text(f" {signs.dot} ".join(parts), style="dim")

    def _left(self, now: float) -> str:
        running = {key: now - one.since for key, one in self._running.items()}
        jobs = tuple(self._board.jobs.values())
        known, parallel = self._outlook
        return told(remaining(jobs, self._board.done, running, known, parallel)) if known else ""

"""One event, one line of text: what the plain face and `grind log` say."""

from __future__ import annotations

from grind.core.events import (
    Annotation,
    Event,
    JobEnded,
    JobExpanded,
    LandCommitted,
    LandFailed,
    LandIntent,
    LandPushed,
    Note,
    RunEnded,
    RunStarted,
    StepEnded,
    StepStarted,
    StepSummary,
)
from grind.core.texts import one_line
from grind.ui.board import Board
from grind.ui.words import Paint, Signs, count, duration, short

_NAMED = 6
"""Jobs of a matrix that are named in one line."""


class Phrases:
    """Puts events into words, in the colours and signs of one stream."""

    def __init__(self, board: Board, paint: Paint, signs: Signs) -> None:
        self.board = board
        self.paint = paint
        self.signs = signs

    def of(self, event: Event) -> str | None:
        """Return the event's line, or None for what has no line of its own."""
        match event:
            case RunStarted():
                return self._run_started(event)
            case StepStarted():
                return self._in_job(event.job, f"{self.signs.running} {one_line(event.name)}")
            case StepEnded():
                return self._in_job(event.job, self.step(event))
            case Annotation():
                return self._in_job(event.job, self.annotation(event))
            case StepSummary():
                told = f"summary: {count(event.lines, 'line')}, kept in {one_line(event.path)}"
                return self._in_job(event.job, self.paint.faint(told))
            case JobExpanded():
                return self._in_job(event.job, self._expanded(event))
            case JobEnded():
                return self._in_job(event.job, self._job(event))
            case RunEnded():
                return self.verdict(event)
            case Note():
                return (
                    f"{self.paint.by(event.level, one_line(event.level))}: {one_line(event.text)}"
                )
            case _:
                return self._land(event)

    def _in_job(self, job: str, text: str) -> str:
        return f"{self.paint.faint(self.board.label(job) + ':')} {text}"

    def _run_started(self, event: RunStarted) -> str:
        words = [
            f"grind {one_line(event.command)}",
            f"tree {short(one_line(event.tree))}"
            if event.tree
            else f"commit {short(one_line(event.commit))}",
            f"on {one_line(event.host)}",
        ]
        if event.jobs:
            words.append(count(len(event.jobs), "job"))
        if event.resumed:
            words.append("taken up again")
        return self.paint.strong(f" {self.signs.dot} ".join(words))

    def _expanded(self, event: JobExpanded) -> str:
        names = ", ".join(one_line(job.name) for job in event.jobs[:_NAMED])
        more = f" and {len(event.jobs) - _NAMED} more" if len(event.jobs) > _NAMED else ""
        return f"{self.signs.running} {count(len(event.jobs), 'job')}: {names}{more}"

    def _job(self, event: JobEnded) -> str:
        parts = [self.paint.by(event.conclusion, one_line(event.conclusion))]
        if event.reason:
            parts.append(one_line(event.reason))
        if event.conclusion not in ("skipped", "refused"):
            parts.append(self.paint.faint(duration(event.duration)))
        return f" {self.signs.dot} ".join(parts)

    def step(self, event: StepEnded) -> str:
        """Return a step's result: sign, name, what to know about it, time."""
        name = one_line(event.name)
        parts: list[str] = []
        if event.verdict in ("refused", "skipped"):
            sign = self.signs.refused if event.verdict == "refused" else self.signs.skipped
            told = f"{event.verdict}: {one_line(event.reason)}".rstrip(": ")
            return f"{self.paint.by(event.verdict, sign)} {name}  {self.paint.faint(told)}"
        if event.conclusion == "success":
            sign = self.paint.good(self.signs.ok)
        elif event.conclusion == "failure":
            sign = self.paint.bad(self.signs.failed)
        else:
            sign = self.paint.faint(self.signs.skipped)
            parts.append(one_line(event.conclusion))
        if event.outcome == "failure":
            parts.append(self.cause(event))
            if event.conclusion == "success":
                parts.append("CI goes on after it")
            elif not event.gating:
                parts.append("cannot fail CI")
        elif event.reason and event.reason != event.conclusion:
            parts.append(one_line(event.reason))
        if event.verdict != "executed":
            parts.append(one_line(event.verdict))
        if event.tests is not None:
            parts.append(count(event.tests, "test"))
        parts.append(duration(event.duration))
        return f"{sign} {name}  {self.paint.faint(f' {self.signs.dot} '.join(parts))}"

    def cause(self, event: StepEnded) -> str:
        """Return why a step failed: its exit code, and the reason where there is more to say."""
        code = f"exit {event.exit_code}" if event.exit_code is not None else ""
        return f" {self.signs.dot} ".join(filter(None, (code, one_line(event.reason)))) or "failed"

    def annotation(self, event: Annotation) -> str:
        """Return `error src/a.py:3: message`."""
        place = one_line(event.file)
        if place and event.line:
            place += f":{event.line}"
        told = ": ".join(filter(None, (one_line(event.title), one_line(event.message))))
        level = self.paint.by(event.level, one_line(event.level))
        return f"{level} {place}: {told}" if place else f"{level}: {told}"

    def place(self, failure: StepEnded) -> str:
        """Return where a failed step stands: job › step."""
        return f"{self.board.label(failure.job)} {self.signs.within} {one_line(failure.name)}"

    def verdict(self, event: RunEnded) -> str:
        """Return the run in one line; when it is red, the line names what failed."""
        state = self.paint.by(event.state, one_line(event.state))
        parts = [state, *self._told(event)]
        if event.receipt:
            parts.append("partial receipt" if event.state == "partial" else "receipt kept")
        if not event.cached:
            parts.append(duration(event.duration))
        return f" {self.signs.dot} ".join(parts)

    def _told(self, event: RunEnded) -> list[str]:
        if event.cached:
            return ["this tree is proven already"]
        if event.state == "red":
            return [self._failed()]
        told = [f"{count(event.executed, 'step')} executed"]
        if event.refused:
            told.append(f"{event.refused} not proven")
        if event.unproven:
            told.append(f"{len(event.unproven)} unproven by design")
        if event.state == "hollow":
            return ["nothing was executed, so nothing is proven"]
        return told

    def _failed(self) -> str:
        places = [
            f"{self.place(failure)} ({self.cause(failure)})" for failure in self.board.failures
        ] + [
            f"{self.board.label(job.job)} ({one_line(job.reason) or 'failed'})"
            for job in self.board.failed_jobs()
        ]
        shown = ", ".join(places[:3])
        return shown + (f" and {len(places) - 3} more" if len(places) > 3 else "") or "failed"

    def _land(self, event: Event) -> str | None:
        match event:
            case LandIntent():
                target = f"{one_line(event.remote)}/{one_line(event.branch)}"
                return f"{self.signs.running} landing tree {short(event.tree)} on {target}"
            case LandCommitted():
                return f"{self.paint.good(self.signs.ok)} committed {short(event.oid)}"
            case LandPushed():
                target = f"{one_line(event.remote)}/{one_line(event.branch)}"
                return f"{self.paint.good(self.signs.ok)} pushed {short(event.oid)} to {target}"
            case LandFailed():
                return f"{self.paint.bad(self.signs.failed)} not pushed: {one_line(event.reason)}"
            case _:
                return None

"""One release, as the template takes it: every text cleaned, every number ready to be set."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from grind.core import events as e
from grind.core.texts import clean, one_line
from grind.core.timeline import JobTime, StepTime, Timeline
from grind.ui.report.logs import end_of, last_lines, packed
from grind.ui.report.shapes import GOOD, place, seconds, tone

TAIL = 40
"""Lines of a failing step's log that stand in the page itself."""
_TICKS = 5
_FAILURES_MOST = 50

ReadLog = Callable[[str], Iterable[bytes]]


class PackedLog(NamedTuple):
    """One log that the page carries."""

    name: str
    left_out: int
    read: Callable[[], Iterable[bytes]]

    def pieces(self) -> Iterator[str]:
        """Yield it as base64."""
        return packed(self.read())


class Shelf:
    """The logs that a page carries, by number. A log that cannot be read is not carried."""

    def __init__(self, read_log: ReadLog, limit: int | None) -> None:
        """`limit` is the most that is kept of one log, in bytes; None carries no logs at all."""
        self._read_log = read_log
        self._limit = limit
        self.logs: list[PackedLog] = []

    def put(self, name: str, path: str, size: int) -> int | None:
        """Return the number under which the page carries a log."""
        if self._limit is None or not path or size == 0:
            return None
        limit = self._limit

        def read() -> Iterator[bytes]:
            try:
                yield from end_of(self._read_log(path), size, limit)
            except OSError as error:  # removed, or never written: the page is made all the same
                yield f"this log cannot be read: {error.strerror}\n".encode()

        self.logs.append(PackedLog(name, max(0, size - limit), read))
        return len(self.logs) - 1

    def tail(self, path: str) -> str:
        """Return the end of a log, for the page itself."""
        if not path:
            return ""
        try:
            return clean(last_lines(self._read_log(path), TAIL))
        except OSError:
            return ""


def release_view(
    picture: Timeline, shelf: Shelf, facts: list[tuple[str, str, bool]], watch: Iterable[e.Entry]
) -> dict[str, Any]:
    """Return what the template says of one release."""
    ci = _ci_results(watch)
    jobs = [_job(n, job, picture.duration, shelf, ci) for n, job in enumerate(picture.jobs)]
    ended = picture.ended
    return {
        "state": ended.state if ended is not None else "cut off",
        "told": _told(picture),
        "facts": [(name, one_line(text), mono) for name, text, mono in facts],
        "duration": picture.duration,
        "open": [one_line(line) for line in ended.open] if ended else [],
        "remedies": [clean(text) for text in ended.remedies] if ended else [],
        "jobs": jobs,
        "ci": bool(ci),
        "ticks": [seconds(picture.duration * i / (_TICKS - 1)) for i in range(_TICKS)],
        "critical": _critical(picture),
        "failures": _failures(picture, jobs, shelf),
    }


def host_view(entries: Sequence[e.Entry], row: dict[str, str]) -> dict[str, Any]:
    """Return what the template says of a release that ran no checks: only a host was changed."""
    return {
        "state": row["word"],
        "told": f"{row['name']}: {row['told']}",
        "facts": [],
        "duration": entries[-1].at - entries[0].at,
        "open": [],
        "remedies": [],
        "jobs": [],
        "ci": False,
        "ticks": [],
        "critical": [],
        "failures": [],
    }


def _critical(picture: Timeline) -> list[str]:
    path = sorted((job for job in picture.jobs if job.critical), key=lambda job: job.start or 0.0)
    return [one_line(job.key) for job in path]


def _told(picture: Timeline) -> str:
    ended = picture.ended
    if ended is None:
        return "the run was cut off; what was recorded until then is below"
    words = [f"{ended.executed} gating step{'s' * (ended.executed != 1)} executed"]
    if ended.failed:
        words.append(f"{ended.failed} failed")
    if ended.refused:
        words.append(f"{ended.refused} open")
    if ended.unproven:
        words.append(f"{len(ended.unproven)} left out by design")
    return f"{', '.join(words)}, in {seconds(picture.duration)}"


def _job(
    number: int, job: JobTime, whole: float, shelf: Shelf, ci: dict[tuple[str, str], str]
) -> dict[str, Any]:
    x, w = place(job.start or 0.0, job.duration, whole)
    steps = [_step(job, step, shelf, ci) for step in job.steps]
    return {
        "id": f"job-{number}-" + re.sub(r"[^A-Za-z0-9]+", "-", job.key)[:40],
        "key": one_line(job.key),
        "word": job.conclusion or "not run",
        "reason": one_line(job.reason),
        "start": job.start,
        "end": job.end if job.end is not None else whole,
        "duration": job.duration,
        "critical": job.critical,
        "x": x,
        "w": w,
        "steps": steps,
        "bars": [_bar(step, whole) for step in job.steps if step.start is not None],
    }


def _bar(step: StepTime, whole: float) -> dict[str, Any]:
    x, w = place(step.start or 0.0, step.duration, whole)
    return {
        "name": one_line(step.name),
        "word": step.conclusion,
        "duration": step.duration,
        "x": x,
        "w": w,
    }


def _step(
    job: JobTime, step: StepTime, shelf: Shelf, ci: dict[tuple[str, str], str]
) -> dict[str, Any]:
    name = one_line(step.name)
    notes = [{"level": one_line(note.level), "told": _note(note)} for note in step.notes[:20]]
    if len(step.notes) > 20:
        notes.append({"level": "notice", "told": f"and {len(step.notes) - 20} more"})
    word = step.conclusion or "not run"
    return {
        "line": step.line,
        "name": name,
        "verdict": step.verdict,
        "gating": step.gating,
        "word": word,
        "odd": tone(word) != GOOD,
        "reason": one_line(step.reason),
        "exit_code": step.exit_code,
        "duration": step.duration,
        "tests": step.tests,
        "notes": notes,
        "log": shelf.put(f"{one_line(job.key)} › {name}", step.log, step.log_bytes),
        "log_bytes": step.log_bytes,
        "ci": ci.get((job.name, step.name), "") or ci.get((job.name, ""), ""),
    }


def _note(note: e.Annotation) -> str:
    place = note.file
    if note.line:
        place += f":{note.line}" + (f":{note.column}" if note.column else "")
    return one_line(": ".join(filter(None, (place, note.title, note.message))))


def _failures(picture: Timeline, jobs: list[dict[str, Any]], shelf: Shelf) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for job, view in zip(picture.jobs, jobs, strict=True):
        for step, row in zip(job.steps, view["steps"], strict=True):
            if step.conclusion != "failure" or len(found) >= _FAILURES_MOST:
                continue
            code = f"exit code {step.exit_code}" if step.exit_code is not None else "failed"
            found.append(
                {
                    "job": view["key"],
                    "step": row,
                    "told": code + ("" if step.gating else "; it does not gate"),
                    "place": f"{one_line(job.workflow)}:{step.line}" if step.line else "",
                    "tail": shelf.tail(step.log),
                    "log": row["log"],
                }
            )
    return found


def _ci_results(watch: Iterable[e.Entry]) -> dict[tuple[str, str], str]:
    """Return what CI said: (job, step or "" for all of its other steps) → conclusion."""
    found: dict[tuple[str, str], str] = {}
    for entry in watch:
        match entry.event:
            case e.CiJobSeen() as seen if seen.conclusion == "success":
                found[seen.job, ""] = "success"
            case e.CiJobSeen() as seen if seen.conclusion is not None:
                found.pop((seen.job, ""), None)
            case e.CiStepFailed() as failed:
                found[failed.job, failed.step] = failed.conclusion
            case _:
                pass
    return found

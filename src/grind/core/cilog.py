"""One step's part of a job's log, as GitHub keeps it: a timestamp before every line, the steps one
after the other without a mark between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from grind.core.ci import CiStep

_STAMP = re.compile(rb"^(?:\xef\xbb\xbf)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z ?")
_OPENING = b"##[group]Run "
_ENDING = b"##[error]"
_TAIL = 200
"""Lines given when the step cannot be found in the log."""


def step_part(log: bytes, step: CiStep | None) -> bytes:
    """Return the lines of a failed step without their timestamps, or the log's last lines.

    The forge tells the times of steps in whole seconds, so neighbours may share one: of what lies
    within, the part from the step's own opening to its error is taken. The last 200 lines are given
    when there is no step, or no line within its time.
    """
    lines = list(_stamped(log))
    within = lines
    if step is not None and step.started is not None and step.completed is not None:
        first, last = step.started, step.completed
        within = [line for line in lines if first <= line[0] <= last] or lines[-_TAIL:]
    else:
        within = lines[-_TAIL:]
    return b"".join(text + b"\n" for _, text in _own(within))


def _own(lines: list[tuple[float, bytes]]) -> list[tuple[float, bytes]]:
    """Return the lines from the opening before the first error up to the next opening after it."""
    errors = [number for number, (_, text) in enumerate(lines) if text.startswith(_ENDING)]
    if not errors:
        return lines
    start = _last(lines[: errors[0]], default=0)
    after = [n for n, (_, text) in enumerate(lines) if n > errors[0] and _opens(text)]
    return lines[start : after[0]] if after else lines[start:]


def _last(lines: list[tuple[float, bytes]], default: int) -> int:
    return max((n for n, (_, text) in enumerate(lines) if _opens(text)), default=default)


def _opens(text: bytes) -> bool:
    return text.startswith(_OPENING)


def _stamped(log: bytes) -> Iterator[tuple[float, bytes]]:
    """Yield (seconds since the epoch, text); a line without a time has that of the one before."""
    at = 0.0
    for line in _lines(log):
        match = _STAMP.match(line)
        if match is None:
            yield at, line
            continue
        at = _seconds(match[1].decode("ascii"), at)
        yield at, line[match.end() :]


def _lines(log: bytes) -> Iterable[bytes]:
    return log.removesuffix(b"\n").split(b"\n")


def _seconds(text: str, before: float) -> float:
    try:
        return datetime.fromisoformat(text + "+00:00").timestamp()
    except ValueError:  # the 31st of February: a line of the log that only looks like a time
        return before

"""One step's part of a job's log, as GitHub keeps it: a timestamp before every line, the steps one
after the other without a mark between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from grind.core.ci import CiStep

_STAMP = re.compile(rb"^(?:\xef\xbb\xbf)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z ?")
_OPENINGS = (b"##[group]Run ", b"Post job cleanup.")
_ERROR = b"##[error]"
_EXIT = b"##[error]Process completed with exit code "
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
    """Return the lines from the last opening before the one exit that failed up to that exit.

    Without such an exit (an action failed), from the opening before the first error to the next
    opening; with several, all lines: which of them is meant cannot be told.
    """
    exits = [number for number, (_, text) in enumerate(lines) if text.startswith(_EXIT)]
    errors = [number for number, (_, text) in enumerate(lines) if text.startswith(_ERROR)]
    openings = [number for number, (_, text) in enumerate(lines) if text.startswith(_OPENINGS)]
    if len(exits) > 1 or not errors:
        return lines
    error = exits[0] if exits else errors[0]
    start = max((number for number in openings if number < error), default=0)
    after = min((number for number in openings if number > error), default=len(lines))
    return lines[start : error + 1 if exits else after]


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

"""Whether what a probe saw is health: pure judgement over observations, and the report of it.

What cannot be read is red; what is red says what was wanted and what was there instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from grind.core.http1 import HttpAnswer
from grind.core.jsonvalues import first_line, json_values, shown
from grind.core.probe import Probe
from grind.core.probe import ProbeContext as ProbeContext


class HttpSeen(NamedTuple):
    """A whole answer, after the redirects that were allowed."""

    answer: HttpAnswer
    at: float
    """When, by the clock of the place that it was asked from."""
    url: str = ""
    """What answered, when that is not what was asked."""


class TcpSeen(NamedTuple):
    """A connection was taken."""


class CommandSeen(NamedTuple):
    """A command ended."""

    exit_code: int
    out: bytes
    err: bytes
    at: float


class UnitSeen(NamedTuple):
    """What systemd says of a unit."""

    load: str
    active: str
    sub: str
    restarts: int
    invocation: str
    result: str = ""


class NotSeen(NamedTuple):
    """There was no answer worth the name. `final`: asking again cannot change it."""

    reason: str
    final: bool = False


Seen: TypeAlias = HttpSeen | TcpSeen | CommandSeen | UnitSeen | NotSeen


class Look(NamedTuple):
    """One look, judged."""

    green: bool
    got: str
    """What was there, on a line."""
    problems: tuple[str, ...] = ()
    final: bool = False


class ProbeRow(Struct, frozen=True, kw_only=True):
    """What became of one probe."""

    name: str
    place: str
    """Where it was asked from: `client`, a host's name, or `CONTAINER on HOST`."""
    asked: str
    green: bool
    got: str
    """What the last look saw."""
    problems: tuple[str, ...] = ()
    """What was wrong with it."""
    looks: int
    greens: int
    """Green looks in a row at the end …"""
    wanted: int
    """… of so many."""
    seconds: float
    """How long it took, from the first look to the verdict."""
    latency: float
    """How long the last look took."""
    where: str = ""
    """Where the probe stands in grind.toml."""
    reached: bool = True
    """False when the host that was to ask did not answer: that says nothing of the service."""


class ProbeReport(Struct, frozen=True, kw_only=True):
    """What became of all of them."""

    host: str
    rows: tuple[ProbeRow, ...]
    seconds: float

    @property
    def healthy(self) -> bool:
        """Whether all are green. Without a single probe nothing is known, so it is not."""
        return bool(self.rows) and all(row.green for row in self.rows)

    @property
    def unreachable(self) -> bool:
        """Whether a host that was to ask did not answer."""
        return any(not row.green and not row.reached for row in self.rows)

    @property
    def red(self) -> tuple[ProbeRow, ...]:
        """Those that are not green."""
        return tuple(row for row in self.rows if not row.green)


def judge(probe: Probe, seen: Seen, context: ProbeContext, first: Seen | None = None) -> Look:
    """Judge one look. `first` is the first thing that the probe saw of a unit."""
    match seen:
        case NotSeen(reason, final):
            return Look(False, reason, (reason,), final and not context.waiting)
        case TcpSeen():
            return Look(True, "connected")
        case UnitSeen():
            return _unit(seen, first if isinstance(first, UnitSeen) else None, context)
        case CommandSeen():
            return _command(probe, seen, context)
        case HttpSeen():
            return _http(probe, seen, context)


def _unit(seen: UnitSeen, first: UnitSeen | None, context: ProbeContext) -> Look:
    got = f"{seen.active} ({seen.sub})"
    if seen.load == "not-found":
        return Look(False, "not found", ("systemd knows no such unit",), not context.waiting)
    if seen.load != "loaded":
        return Look(False, seen.load, (f"the unit is {seen.load}",), not context.waiting)
    got += f", {seen.restarts} restarts" if seen.restarts != 1 else ", 1 restart"
    if seen.active != "active":
        reason = f": {seen.result}" if seen.result not in ("", "success") else ""
        return Look(False, got, (f"the unit is {seen.active} ({seen.sub}){reason}",))
    if first is not None and seen.restarts > first.restarts:
        grown = f"restarted while it was looked at: {first.restarts} restarts, then {seen.restarts}"
        return Look(False, got, (grown,), not context.waiting)
    if first is not None and seen.invocation != first.invocation:
        return Look(False, got, ("restarted while it was looked at",))
    return Look(True, got)


def _command(probe: Probe, seen: CommandSeen, context: ProbeContext) -> Look:
    got = f"exit {seen.exit_code}"
    problems: list[str] = []
    final = False
    if seen.exit_code != 0:
        said = first_line(seen.err) or first_line(seen.out)
        problems.append(f"exit code {seen.exit_code}, not 0" + (f": {said}" if said else ""))
        final = seen.exit_code == 127 and not context.waiting
    else:
        problems += _body(probe, seen.out)
        values, found = json_values(probe, seen.out, seen.at, context)
        problems += found
        got += values
    return Look(not problems, got, tuple(problems), final)


def _http(probe: Probe, seen: HttpSeen, context: ProbeContext) -> Look:
    answer = seen.answer
    got = str(answer.status) + (f" from {seen.url}" if seen.url else "")
    if answer.status != probe.status:
        return Look(False, got, (_wrong_status(probe, seen),))
    problems = list(_headers(probe, answer))
    encoding = answer.header("content-encoding")
    if encoding not in (None, "identity") and (probe.body or probe.reads_json):
        problems.append(f"the answer is packed ({encoding[:40]}), which was not asked for")
        return Look(False, got, tuple(problems))
    problems += _body(probe, answer.body)
    values, found = json_values(probe, answer.body, seen.at, context)
    return Look(not (problems or found), got + values, (*problems, *found))


def _wrong_status(probe: Probe, seen: HttpSeen) -> str:
    status = seen.answer.status
    location = seen.answer.header("location")
    if 300 <= status < 400 and location is not None:
        where = f"to {shown(location)}"
        if probe.redirects:
            return f"redirected {where} once more than {probe.redirects} times"
        return f"status {status}, a redirect {where}, which is not health; not {probe.status}"
    return f"status {status}, not {probe.status}"


def _headers(probe: Probe, answer: HttpAnswer) -> Iterator[str]:
    for name, wanted in probe.header.items():
        value = answer.header(name)
        if value is None:
            yield f"there is no header {name}"
        elif value != wanted.strip():
            yield f"{name} is {shown(value)}, not {shown(wanted)}"


def _body(probe: Probe, body: bytes) -> Iterator[str]:
    if probe.body is None:
        return
    import regex

    try:
        found = regex.search(probe.body, body.decode("utf-8", "replace"), timeout=2.0)
    except TimeoutError:
        yield f"{shown(probe.body)} takes too long on this answer"
        return
    if found is None:
        yield f"{shown(probe.body)} is not in the answer: {first_line(body) or '(empty)'}"

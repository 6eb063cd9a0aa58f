"""Whether what a probe saw is health: pure judgement over observations, and the report of it.

What cannot be read is red; what is red says what was wanted and what was there instead.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from msgspec import Struct

from grind.core.http1 import HttpAnswer
from grind.core.jsonpath import nearest, parse_path, select
from grind.core.probe import Probe, Scalar

UNKNOWN = "unknown"
"""What a service says that does not know its role (grind_health and its specification)."""
SKEW = 60.0
"""Seconds that two machines' clocks may differ."""
ABBREVIATION = 12
"""Digits of an object id that are enough to know it by."""
_SHOWN = 80


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


class ProbeContext(NamedTuple):
    """What the probes are about."""

    commit: str | None = None
    """The commit that must answer where a probe asks for one."""
    tree: str | None = None
    """Its tree."""
    same: tuple[str, ...] = ()
    """Other commits of exactly that tree: the snapshot's, from before it was committed."""
    since: float | None = None
    """When the activation began, by the host's clock; None outside of one."""
    waiting: bool = False
    """Whether somebody else is deploying: what is missing may still come, so nothing is final."""
    places: Mapping[str, str] = {}
    """Probe → where it stands, `grind.toml:12:1`, for what is told of it."""
    deadline: float | None = None
    """Seconds that take the place of a probe's own deadline when they are more."""


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
        said = _line(seen.err) or _line(seen.out)
        problems.append(f"exit code {seen.exit_code}, not 0" + (f": {said}" if said else ""))
        final = seen.exit_code == 127 and not context.waiting
    else:
        problems += _body(probe, seen.out)
        values, found = _json(probe, seen.out, seen.at, context)
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
    values, found = _json(probe, answer.body, seen.at, context)
    return Look(not (problems or found), got + values, (*problems, *found))


def _wrong_status(probe: Probe, seen: HttpSeen) -> str:
    status = seen.answer.status
    location = seen.answer.header("location")
    if 300 <= status < 400 and location is not None:
        where = f"to {_shown(location)}"
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
            yield f"{name} is {_shown(value)}, not {_shown(wanted)}"


def _body(probe: Probe, body: bytes) -> Iterator[str]:
    if probe.body is None:
        return
    import regex

    try:
        found = regex.search(probe.body, body.decode("utf-8", "replace"), timeout=2.0)
    except TimeoutError:
        yield f"{_shown(probe.body)} takes too long on this answer"
        return
    if found is None:
        yield f"{_shown(probe.body)} is not in the answer: {_line(body) or '(empty)'}"


# --- values in JSON ------------------------------------------------------------------------------


def _json(
    probe: Probe, body: bytes, at: float, context: ProbeContext
) -> tuple[str, tuple[str, ...]]:
    """Return the values that were asked for, as text, and what is wrong with them."""
    if not probe.reads_json:
        return "", ()
    try:
        document = read_json(body)
    except ValueError as error:
        return "", (f"the answer is no JSON: {error}",)
    told: list[str] = []
    problems: list[str] = []
    for path, wanted in probe.json.items():
        allowed = wanted if isinstance(wanted, tuple) else (wanted,)
        values = _find(document, path, problems)
        told += [f"{path}={_shown(value)}" for value in values[:1]]
        problems += [
            f"{path} is {_shown(value)}, not {' or '.join(map(_shown, allowed))}"
            for value in values
            if not any(_same(value, one) for one in allowed)
        ]
    for name, path, check in (
        ("role", probe.role_path, _role),
        ("revision", probe.revision_path, _revision),
        ("started", probe.started_path, _started),
    ):
        if not _wants(probe, name):
            continue
        for value in _find(document, path, problems)[:1]:
            told.append(f"{path}={_shown(value)}")
            problems += check(probe, value, at, context)
    return (f" {', '.join(told)}" if told else ""), tuple(problems)


def _wants(probe: Probe, name: str) -> bool:
    if name == "role":
        return probe.role is not None
    if name == "revision":
        return probe.revision is not None
    return probe.max_age is not None or probe.fresh


def read_json(body: bytes) -> Any:
    """Read a JSON document, strictly: UTF-8, no name twice, no NaN. Raises ValueError."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 at byte {error.start}") from None
    if not text.strip():
        raise ValueError("it is empty")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"it says {_shown(twice)} twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _find(document: Any, path: str, problems: list[str]) -> list[Any]:
    steps = parse_path(path)
    values = select(document, steps)
    if not values:
        problems.append(f"{path} leads nowhere: {_clean(nearest(document, steps))}")
    return values


def _same(value: Any, wanted: Scalar) -> bool:
    """Whether two values are the same in JSON: true is not 1, but 1 is 1.0."""
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, int | float) and isinstance(wanted, int | float):
        return value == wanted
    return isinstance(value, str) and value == wanted


def _role(probe: Probe, value: Any, _at: float, _context: ProbeContext) -> Iterator[str]:
    if isinstance(value, str) and value.strip().lower() in (UNKNOWN, ""):
        yield (
            f"{probe.role_path} is {_shown(value)}: nothing told the service its role "
            f"(such as PREFIX_INSTANCE_ROLE={probe.role})"
        )
    elif value != probe.role:
        yield f"{probe.role_path} is {_shown(value)}, not {_shown(probe.role)}"


def _revision(probe: Probe, value: Any, _at: float, context: ProbeContext) -> Iterator[str]:
    ids: list[tuple[str, str]] = []
    if probe.revision in ("commit", "either") and context.commit:
        ids += [("commit", one) for one in (context.commit, *context.same)]
    if probe.revision in ("tree", "either") and context.tree:
        ids.append(("tree", context.tree))
    if not ids:
        yield f"which {probe.revision} should answer is not known, so nothing can be compared"
        return
    text = value.strip().lower() if isinstance(value, str) else ""
    if any(whole == text for _, whole in ids):
        return
    if any(text and whole.startswith(text) for _, whole in ids):
        if len(text) >= ABBREVIATION:
            return
        yield f"{probe.revision_path} is {text}, too short to be known by ({ABBREVIATION} digits)"
        return
    wanted = " or ".join(f"the {name} {whole[:12]}" for name, whole in ids)
    yield f"{probe.revision_path} is {_shown(value)}, not {wanted}"


def _started(probe: Probe, value: Any, at: float, context: ProbeContext) -> Iterator[str]:
    started = _moment(value)
    if started is None:
        yield f"{probe.started_path} is {_shown(value)}, not a time with its zone (RFC 3339)"
        return
    age = at - started
    if age < -SKEW:
        yield f"{probe.started_path} is {-age:.0f} s in the future by the clock that asked"
    if probe.max_age is not None and age > probe.max_age:
        yield f"started {age:.0f} s ago, more than {probe.max_age:g} s"
    if probe.fresh and context.since is not None and started < context.since:
        yield f"started {context.since - started:.1f} s before the activation: it is the old one"


def _moment(value: Any) -> float | None:
    if not isinstance(value, str) or "T" not in value.upper():
        return None
    try:
        moment = datetime.fromisoformat(value.strip().upper())
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None


# --- text ----------------------------------------------------------------------------------------


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else repr(value)
    return _clean(text)


def _clean(text: str) -> str:
    from grind.core.texts import one_line

    line = one_line(text)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def _line(data: bytes) -> str:
    text = data[:2000].decode("utf-8", "replace").strip()
    return _clean(text.splitlines()[0]) if text else ""

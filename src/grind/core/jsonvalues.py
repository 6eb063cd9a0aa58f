"""The values of a JSON answer: found by path, compared, and told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from grind.core.jsonpath import nearest, parse_path, select
from grind.core.probe import Probe, ProbeContext, Scalar

UNKNOWN = "unknown"
"""What a service says that does not know its role (grind_health and its specification)."""
SKEW = 60.0
"""Seconds that two machines' clocks may differ."""
ABBREVIATION = 12
"""Digits of an object id that are enough to know it by."""
_SHOWN = 80


def json_values(
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
        told += [f"{path}={shown(value)}" for value in values[:1]]
        problems += [
            f"{path} is {shown(value)}, not {' or '.join(map(shown, allowed))}"
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
            told.append(f"{path}={shown(value)}")
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
        raise ValueError(f"it says {shown(twice)} twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _find(document: Any, path: str, problems: list[str]) -> list[Any]:
    steps = parse_path(path)
    values = select(document, steps)
    if not values:
        problems.append(f"{path} leads nowhere: {washed(nearest(document, steps))}")
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
            f"{probe.role_path} is {shown(value)}: nothing told the service its role "
            f"(such as PREFIX_INSTANCE_ROLE={probe.role})"
        )
    elif value != probe.role:
        yield f"{probe.role_path} is {shown(value)}, not {shown(probe.role)}"


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
    yield f"{probe.revision_path} is {shown(value)}, not {wanted}"


def _started(probe: Probe, value: Any, at: float, context: ProbeContext) -> Iterator[str]:
    started = _moment(value)
    if started is None:
        yield f"{probe.started_path} is {shown(value)}, not a time with its zone (RFC 3339)"
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


def shown(value: Any) -> str:
    """Return a value as it is told: JSON, clean, and not too long."""
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else repr(value)
    return washed(text)


def washed(text: str) -> str:
    """Return foreign text on one clean line, and not too long."""
    from grind.core.texts import one_line

    line = one_line(text)
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def first_line(data: bytes) -> str:
    """Return the first line of foreign bytes, clean; empty when there is none."""
    text = data[:2000].decode("utf-8", "replace").strip()
    return washed(text.splitlines()[0]) if text else ""

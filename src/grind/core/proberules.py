"""What the types of a `[[probe]]` cannot say: what excludes what, and what can be read at all.

As in `configrules`, the rules look at the plain document, and leave alone what has the wrong type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from grind.core.jsonpath import parse_path
from grind.core.suggest import suggestion
from grind.core.tomlplace import Path
from grind.core.typed import Finding, seconds
from grind.core.weburl import CONTAINER, parse_tcp, parse_url

_KINDS = ("http", "tcp", "command", "unit")
_JSON = ("json", "role", "revision", "max_age", "fresh")
_ONLY_WITH: dict[str, tuple[str, ...]] = {
    "status": ("http",),
    "redirects": ("http",),
    "send": ("http",),
    "header": ("http",),
    "body": ("http", "command"),
    **dict.fromkeys(_JSON, ("http", "command")),
}
_BELONGS = {"role_path": "role", "revision_path": "revision"}
_OURS = frozenset({"connection", "content-length", "transfer-encoding", "accept-encoding"})
_SECRET = frozenset({"authorization", "cookie", "proxy-authorization"})


def probe_findings(
    probes: list[tuple[Path, dict[str, Any]]], hosts: tuple[str, ...]
) -> Iterator[Finding]:
    """Return the problems of the probes of a document; `hosts` are the names it may use."""
    seen: set[str] = set()
    for path, probe in probes:
        name = probe.get("name")
        if isinstance(name, str):
            if name in seen:
                yield Finding((*path, "name"), f"there is a probe {name!r} already", "unique names")
            seen.add(name)
        yield from _kind(path, probe)
        yield from _address(path, probe)
        yield from _place(path, probe, hosts)
        yield from _paths(path, probe)
        yield from _values(path, probe)
        yield from _times(path, probe)


def _kind(path: Path, probe: dict[str, Any]) -> Iterator[Finding]:
    given = [kind for kind in _KINDS if kind in probe]
    wanted = f"exactly one of {', '.join(_KINDS)}"
    if len(given) != 1:
        said = f"asks for {' and '.join(given)}" if given else "asks for nothing"
        yield Finding((*path, given[1]) if given else path, said, wanted, False)
        return
    if probe.get("command") == []:
        yield Finding((*path, "command"), "is empty", "a program and its arguments")
    for key, kinds in _ONLY_WITH.items():
        if key in probe and given[0] not in kinds:
            told = f"`{key}` means nothing with `{given[0]}`"
            yield Finding((*path, key), told, f"`{'` or `'.join(kinds)}`", False)


def _address(path: Path, probe: dict[str, Any]) -> Iterator[Finding]:
    for key in ("http", "tcp"):
        text = probe.get(key)
        if not isinstance(text, str) or not text.strip():
            continue
        try:
            if key == "tcp":
                host = parse_tcp(text).host
            else:
                url = parse_url(text)
                host = url.address.host
                if url.scheme == "https" and probe.get("place", "host") != "client":
                    yield Finding(
                        (*path, key),
                        "a bare host has nothing that speaks TLS",
                        'place = "client", or http:// from the host',
                    )
        except ValueError as error:
            wanted = "http://HOST[:PORT]/PATH" if key == "http" else "HOST:PORT"
            shown = "it" if "@" in text else repr(text)  # a password is not repeated
            yield Finding((*path, key), f"{shown} {error}", wanted)
            continue
        if host == CONTAINER and "container" not in probe:
            yield Finding((*path, key), "{container} needs `container`", 'container = "NAME"')
        if host == CONTAINER and probe.get("place", "host") != "host":
            told = "{container} is an address that only the host knows"
            yield Finding((*path, key), told, 'place = "host"')


def _place(path: Path, probe: dict[str, Any], hosts: tuple[str, ...]) -> Iterator[Finding]:
    place = probe.get("place", "host")
    if place == "container" and "container" not in probe:
        yield Finding((*path, "place"), "`container` is missing", 'container = "NAME"')
    uses = any(CONTAINER in str(probe.get(key, "")) for key in ("http", "tcp"))
    if "container" in probe and place != "container" and not uses:
        told = "`container` is not used"
        wanted = 'place = "container", or {container} as the host of the address'
        yield Finding((*path, "container"), told, wanted, False)
    if place == "client" and probe.get("unit") is not None:
        yield Finding((*path, "place"), "a unit is asked on a host", 'place = "host"')
    host = probe.get("host")
    if isinstance(host, str):
        if place == "client":
            told = "`host` means nothing with place 'client'"
            yield Finding((*path, "host"), told, 'place = "host"', False)
        elif host not in hosts:
            meant = suggestion(host, list(hosts))
            hint = f"; did you mean {meant!r}?" if meant else ""
            wanted = f"one of {', '.join(hosts)}"
            yield Finding((*path, "host"), f"there is no host {host!r}{hint}", wanted)


def _paths(path: Path, probe: dict[str, Any]) -> Iterator[Finding]:
    table = probe.get("json")
    places: list[tuple[Path, object, bool]] = [
        ((*path, "json", key), key, False) for key in (table if isinstance(table, dict) else {})
    ]
    places += [
        ((*path, key), probe[key], True)
        for key in ("role_path", "revision_path", "started_path")
        if key in probe
    ]
    for place, text, at_value in places:
        if not isinstance(text, str) or not text.strip():
            continue
        try:
            parse_path(text)
        except ValueError as error:
            wanted = 'a path such as status, checks.database[0].status, attributes["host.name"]'
            yield Finding(place, f"the path {error}", wanted, at_value)
    for key, other in _BELONGS.items():
        if key in probe and other not in probe:
            yield Finding((*path, key), f"`{key}` means nothing without `{other}`", "", False)
    if "started_path" in probe and not ({"max_age", "fresh"} & set(probe)):
        told = "`started_path` means nothing without `max_age` or `fresh`"
        yield Finding((*path, "started_path"), told, "", False)


def _values(path: Path, probe: dict[str, Any]) -> Iterator[Finding]:
    role = probe.get("role")
    if isinstance(role, str) and role.strip().lower() == "unknown":
        told = "'unknown' is what a service says that does not know its role"
        yield Finding((*path, "role"), told, "the role that must answer")
    table = probe.get("json")
    for key, value in (table if isinstance(table, dict) else {}).items():
        if value == []:
            yield Finding((*path, "json", key), "nothing could be right", "at least one value")
    status = probe.get("status")
    if isinstance(status, int) and status > 599:
        yield Finding((*path, "status"), f"{status} is no status", "200 to 599")
    body = probe.get("body")
    if isinstance(body, str) and body:
        import regex

        try:
            regex.compile(body)
        except (regex.error, ValueError, RecursionError) as error:
            yield Finding(
                (*path, "body"), f"is no regular expression: {error}", "one that Python reads"
            )
    yield from _lines(path, probe)


def _lines(path: Path, probe: dict[str, Any]) -> Iterator[Finding]:
    import re

    for key in ("send", "header"):
        table = probe.get(key)
        for name, value in (table if isinstance(table, dict) else {}).items():
            place = (*path, key, name)
            if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                yield Finding(place, f"{name!r} is no name of a header", "", False)
            elif key == "send" and name.lower() in _OURS:
                yield Finding(place, "is what grind itself says", "another header", False)
            elif key == "send" and name.lower() in _SECRET:
                told = "is for secrets, which do not belong into a file that everybody reads"
                yield Finding(place, told, "a probe that needs no secret", False)
            if isinstance(value, str) and not re.fullmatch(r"[\t\x20-\x7e]*", value):
                yield Finding(place, "cannot stand in a header", "printable ASCII")


def _times(path: Path, probe: dict[str, Any]) -> Iterator[Finding]:
    deadline, interval = _time(probe.get("deadline")), _time(probe.get("interval", 2.0))
    greens = probe.get("greens", 3)
    if deadline is None or interval is None or not isinstance(greens, int) or greens < 1:
        return
    needed = (greens - 1) * interval
    if needed >= deadline:
        told = f"{greens} greens, {interval:g} s apart, take {needed:g} s: it can never be green"
        wanted = f"more than {needed:g} s, or fewer greens, or a shorter interval"
        yield Finding((*path, "deadline"), told, wanted)


def _time(value: object) -> float | None:
    if isinstance(value, str):
        try:
            return seconds(value)
        except ValueError:
            return None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

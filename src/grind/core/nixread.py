"""What the text of Nix files shows, without evaluating it: systems, units, ports, devShells.

Reading is by pattern, and knows it: what `grind init` makes of it is a proposal that a person reads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_COMMENT = re.compile(r"#[^\n]*|/\*.*?\*/", re.S)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_NAME = r'(?:"([\w.@-]+)"|([\w-]+))'
_DOTTED = re.compile(rf"\bnixosConfigurations\.{_NAME}\s*=")
_OPEN = re.compile(r"\bnixosConfigurations\s*=\s*(?:rec\s*)?\{")
_KEY = re.compile(rf"\s*{_NAME}\s*=")
_UNIT = re.compile(rf"\bsystemd\.services\.{_NAME}\s*(?:=|\.)|\bcontainers\.{_NAME}\s*(?:=|\.)")
_PORTS = re.compile(r"\ballowedTCPPorts\s*=\s*\[([^\]]*)\]")
_PORT = re.compile(r"\b(?:\w*[pP]ort)\s*=\s*(\d{2,5})\s*;")
_SHELL = re.compile(r"\bdevShells?\b")

Line = tuple[str, int]
"""What was found, and the line it stands in, from 1."""


def _without_comments(text: str) -> str:
    """Blank comments out, so that places stay; what looks like one inside a string is none."""
    strings = [match.span() for match in _STRING.finditer(text)]

    def blank(match: re.Match[str]) -> str:
        if any(start <= match.start() < end for start, end in strings):
            return match.group()
        return re.sub(r"[^\n]", " ", match.group())

    return _COMMENT.sub(blank, text)


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def _first(match: re.Match[str]) -> str:
    return next(group for group in match.groups() if group is not None)


def systems(text: str) -> list[Line]:
    """Return the names under `nixosConfigurations`."""
    text = _without_comments(text)
    found = [(_first(m), _line(text, m.start())) for m in _DOTTED.finditer(text)]
    for match in _OPEN.finditer(text):
        found += list(_keys(text, match.end()))
    return list(dict.fromkeys(found))


def _keys(text: str, at: int) -> Iterator[Line]:
    """Yield the names that are bound directly in the set that begins at `at`."""
    depth = 0
    expecting = True
    while at < len(text):
        if depth == 0 and expecting and (match := _KEY.match(text, at)):
            yield _first(match), _line(text, match.end())
            at, expecting = match.end(), False
            continue
        if string := _STRING.match(text, at):
            at = string.end()
            continue
        character = text[at]
        if character in "{([":
            depth += 1
        elif character in "})]":
            depth -= 1
            if depth < 0:
                return
        elif character == ";" and depth == 0:
            expecting = True
        at += 1


def units(text: str) -> list[Line]:
    """Return systemd units that a module defines: services, and NixOS containers as `container@NAME.service`."""
    text = _without_comments(text)
    found = []
    for match in _UNIT.finditer(text):
        name = _first(match)
        container = match.group().startswith("containers")
        unit = f"container@{name}.service" if container else f"{name}.service"
        found.append((unit, _line(text, match.start())))
    return list(dict.fromkeys(found))


def ports(text: str) -> list[Line]:
    """Return the ports that a module opens or names."""
    text = _without_comments(text)
    found = []
    for match in _PORTS.finditer(text):
        found += [(port, _line(text, match.start())) for port in re.findall(r"\d+", match[1])]
    found += [(match[1], _line(text, match.start())) for match in _PORT.finditer(text)]
    return [one for one in dict.fromkeys(found) if 0 < int(one[0]) < 65536]


def has_shell(text: str) -> bool:
    """Whether a flake speaks of a devShell."""
    return _SHELL.search(_without_comments(text)) is not None

"""heredoc-local-expansion: `$x` expands here, in text that runs there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.findings import ERROR, HIGH, MEDIUM, WARNING, Hit, Rule
from grind.rules.fragments import Hole
from grind.rules.shell.programs import Handed
from grind.rules.units import Unit, View

_NAME = re.compile(r"\$\{?[#!]?([A-Za-z_]\w*)")
_STATE = re.compile(r"\$\{?[?!](\}|$)")
_THEIRS = frozenset(("HOME", "PWD", "HOSTNAME", "PATH", "SHELL"))
_ASKS_MACHINE = re.compile(
    r"^(?:\$\(|`)\s*(?:sudo\s+)?(hostname|whoami|pwd|id|uname|nproc|free|df|pgrep|pidof|ps|systemctl|docker"
    r"|podman|readlink|nix-env|lsblk|journalctl)\b"
)
_ASKS_FILES = re.compile(r"^(?:\$\(|`)\s*(cat|ls|find|stat|du|date)\b")


def check(view: View) -> Iterator[Hit]:
    """Expansions that the sending shell makes although only the receiving side has the value."""
    for unit in view.units:
        for how, child in unit.children:
            elsewhere = child.context.machine in ("remote", "container")
            if not how.unquoted or (how.call.name == "eval"):
                continue
            for hole in child.fragment.holes:
                if hole.kind == "local":
                    found = wrong_side(unit, how, child, hole, elsewhere)
                    if found is not None:
                        yield _hit(unit, child, hole, *found)


def wrong_side(
    unit: Unit, how: Handed, child: Unit, hole: Hole, elsewhere: bool
) -> tuple[str, str, str] | None:
    """What is wrong with expanding this hole here: message, severity, confidence."""
    name = _NAME.match(hole.raw)
    if name:
        return _variable(unit, child, hole, name.group(1), elsewhere)
    if not elsewhere:
        return None
    if _STATE.match(hole.raw):
        if child.text[: hole.start].strip():
            return (
                "is the status of a command here, not of the one before it in this text",
                ERROR,
                HIGH,
            )
        return None
    asks = _ASKS_MACHINE.match(hole.raw)
    if not asks and how.how == "heredoc":
        asks = _ASKS_FILES.match(hole.raw)
    if asks:
        return f"runs `{asks.group(1)}` on this machine, not where the text runs", WARNING, MEDIUM
    return None


def _variable(
    unit: Unit, child: Unit, hole: Hole, name: str, elsewhere: bool
) -> tuple[str, str, str] | None:
    known_here = name in unit.assigned or name in unit.context.env
    places = child.assigned.get(name, [])
    set_there = any(start <= hole.start for start, _ in places) and not _hands_on(child, name)
    if set_there and not known_here and not _exported_above(unit, name):
        return f"is expanded here, but `{name}` gets its value in this text", ERROR, HIGH
    if elsewhere and name in _THEIRS and not known_here:
        return "is this machine's value, not the one where the text runs", WARNING, MEDIUM
    return None


def _hands_on(child: Unit, name: str) -> bool:
    """`X=$X` in the text: the sender's value is what is wanted."""
    own = re.compile(r"\$\{?" + name + r"\b")
    return any(
        value is not None
        and any(own.match(hole.raw) for hole in child.fragment.hole_at(value.start, value.end))
        for _, value in child.assigned.get(name, ())
    )


def _exported_above(unit: Unit, name: str) -> bool:
    """Whether an enclosing text sets it."""
    while unit.sender is not None:
        unit = unit.sender[0]
        if name in unit.assigned:
            return True
    return False


def _hit(unit: Unit, child: Unit, hole: Hole, says: str, severity: str, confidence: str) -> Hit:
    here = child.fragment.source_offset(hole.start)
    shown = hole.raw if len(hole.raw) < 40 else hole.raw[:37] + "…"
    message = f"`{shown}` {says}; quote the delimiter (`<<'EOF'`) or write `\\{shown[:1]}`"
    span = (here, here + len(hole.raw))
    return unit.hit("heredoc-local-expansion", span, message, severity, confidence)


RULE = Rule(
    id="heredoc-local-expansion",
    severity=ERROR,
    what="An unquoted here-document (or double-quoted text) expands on this side what belongs to the other.",
    why="The value is empty, or this machine's, and `rm -rf $DIR/*` does not care.",
    seen="A remote script in an unquoted heredoc: `WORKDIR: unbound variable` (F3).",
    bad="ssh web1 bash -s <<EOF\nWORKDIR=/srv/app\ncd $WORKDIR\nEOF",
    good="ssh web1 bash -s <<'EOF'\nWORKDIR=/srv/app\ncd \"$WORKDIR\"\nEOF",
    check=check,
)

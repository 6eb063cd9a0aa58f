"""sleep-as-wait: a fixed pause where a condition belongs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.findings import MEDIUM, WARNING, Hit, Rule
from grind.rules.shell.model import Chain, Node, Simple
from grind.rules.shell.programs import Call
from grind.rules.units import Unit, View

_ASKS: dict[str, tuple[str, ...]] = {
    "curl": (), "wget": (), "nc": (), "ncat": (), "http": (), "pg_isready": (), "redis-cli": (), "psql": (), "mysql": (),
    "systemctl": ("is-active", "status", "show", "is-failed"), "kubectl": ("get", "exec", "logs", "port-forward", "describe"),
    "docker": ("exec", "logs", "ps", "inspect"), "docker-compose": ("exec", "logs", "ps"), "nmap": (), "grpcurl": (),
    "podman": ("exec", "logs", "ps", "inspect"), "mongosh": (), "mysqladmin": (), "rabbitmqctl": (), "ssh": (),
    "pgrep": (), "journalctl": (), "etcdctl": (), "nix": ("copy",), "grep": (), "ping": (),
}  # fmt: skip
_STARTS: dict[str, tuple[str, ...]] = {
    "systemctl": ("start", "restart", "reload"), "service": (), "docker": ("compose", "run", "start", "restart"),
    "docker-compose": ("up", "start", "restart"), "podman": ("run", "start"), "kubectl": ("apply", "create"),
    "nixos-rebuild": ("switch",), "pm2": ("start", "restart"), "helm": ("install", "upgrade"), "reboot": (),
}  # fmt: skip


def check(view: View) -> Iterator[Hit]:
    """`sleep N` outside a loop, between starting something and using it."""
    for unit in view.running():
        for call in unit.calls:
            if call.name != "sleep" or call.site.inside("while", "until", "for"):
                continue
            seconds = _seconds(call)
            if seconds is None or seconds < 1 or _in_called_loop(unit, call):
                continue
            before, after = _around(unit, call)
            if before and after:
                message = (
                    f"{call.arguments[0].text} s between `{before}` and `{after}` is a guess: wait for the "
                    "condition, with a deadline"
                )
                span = (call.head.start, call.arguments[0].end)
                yield unit.hit("sleep-as-wait", span, message, WARNING, MEDIUM)


def _seconds(call: Call) -> float | None:
    if len(call.arguments) != 1:
        return None
    match = re.fullmatch(r"(\d*\.?\d+)([smh]?)", call.arguments[0].literal or "")
    if not match:
        return None
    return float(match.group(1)) * {"": 1, "s": 1, "m": 60, "h": 3600}[match.group(2)]


def _in_called_loop(unit: Unit, call: Call) -> bool:
    """A helper whose caller loops."""
    return call.site.inside("function") and any(
        c.name in unit.functions and c.site.inside("while", "until", "for") for c in unit.calls
    )


def _around(unit: Unit, call: Call) -> tuple[str, str]:
    """What was started before the pause, and what is asked after it."""
    for owner, nodes, index in reversed(call.site.trail):
        if owner is not None and isinstance(owner, Simple):
            continue
        before = _name_before(unit, nodes[:index])
        after = _name_after(unit, nodes[index + 1 :])
        if before and after:
            return before, after
        if not isinstance(owner, Chain) and (before or after) and owner is not None:
            return before, after
    return "", ""


def _name_before(unit: Unit, nodes: list[Node]) -> str:
    for node in reversed(nodes[-3:]):
        if node.background:
            first = _calls(unit, node)
            return f"{first[0].name} &" if first else "&"
        for call in _calls(unit, node):
            wanted = _STARTS.get(call.name)
            texts = [w.text for w in call.arguments]
            if wanted is not None and (not wanted or any(t in wanted for t in texts[:3])):
                return f"{call.name} {texts[0]}".replace("\x01", "…") if texts else call.name
    return ""


def _name_after(unit: Unit, nodes: list[Node]) -> str:
    for node in nodes[:2]:
        for call in _calls(unit, node):
            if call.name == "sleep":
                return ""
            if call.site.inside("while", "until"):
                return ""  # waits properly after all
            wanted = _ASKS.get(call.name)
            texts = [w.text for w in call.arguments]
            if wanted is not None and (not wanted or any(t in wanted for t in texts[:4])):
                return call.name
    return ""


def _calls(unit: Unit, node: Node) -> list[Call]:
    return [c for c in unit.calls if node.start <= c.head.start < node.end]


RULE = Rule(
    id="sleep-as-wait",
    severity=WARNING,
    what="A fixed `sleep` stands between starting something and asking it.",
    why="It is too short on a slow day and wasted on every other.",
    seen="`sleep 3` and one `curl`; services needed up to 90 s (F7).",
    bad="docker compose up -d\nsleep 10\ncurl -f http://localhost/health",
    good="docker compose up -d --wait",
    check=check,
)

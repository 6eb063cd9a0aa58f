"""What is said of a tree that is proven already. Light: it is on the hook's path."""

from __future__ import annotations

import json as json_text

TYPE_CHECKING = False  # on the path of a receipt hit, nothing heavy is imported
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from grind.core.receipt import Receipt


def told_proven(receipt: Receipt, *, now: float, json: bool, path: str) -> str:
    """Return a line for people, or the one event of the NDJSON stream."""
    fields = ("tree", "run", "created", "duration", "executed", "host_name", "unproven")
    hit = {name: getattr(receipt, name) for name in fields}
    return told_hit(hit, now=now, json=json, path=path)


def told_hit(hit: Mapping[str, Any], *, now: float, json: bool, path: str) -> str:
    """The same of a receipt's fields as plain data."""
    if json:
        event = {
            "type": "run.ended",
            "run": hit["run"],
            "state": "green",
            "exit_code": 0,
            "executed": hit["executed"],
            "failed": 0,
            "refused": 0,
            "open": [],
            "unproven": list(hit["unproven"]),
            "remedies": [],
            "receipt": path,
            "duration": 0.0,
            "cached": True,
        }
        entry = {"schema": "grind.events/1", "seq": 0, "at": now, "event": event}
        return json_text.dumps(entry) + "\n"
    steps = "step" if hit["executed"] == 1 else "steps"
    line = (
        f"green: tree {hit['tree'][:12]} was proven {_ago(now - hit['created'])} ago"
        f" on {hit['host_name']} ({hit['executed']} {steps} in {hit['duration']:.1f} s)\n"
    )
    if hit["unproven"]:
        line += f"  not proven, by design: {len(hit['unproven'])} (grind plan shows them)\n"
    return line


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"

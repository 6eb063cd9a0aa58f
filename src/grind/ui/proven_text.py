"""What is said of a tree that is proven already. Light: it is on the hook's path."""

from __future__ import annotations

import json as json_text

from grind.core.receipt import Receipt


def told_proven(receipt: Receipt, *, now: float, json: bool, path: str) -> str:
    """Return a line for people, or the one event of the NDJSON stream."""
    if json:
        event = {
            "type": "run.ended",
            "run": receipt.run,
            "state": "green",
            "exit_code": 0,
            "executed": receipt.executed,
            "failed": 0,
            "refused": 0,
            "open": [],
            "unproven": list(receipt.unproven),
            "remedies": [],
            "receipt": path,
            "duration": 0.0,
            "cached": True,
        }
        entry = {"schema": "grind.events/1", "seq": 0, "at": now, "event": event}
        return json_text.dumps(entry) + "\n"
    line = (
        f"green: tree {receipt.tree[:12]} was proven {_ago(now - receipt.created)} ago"
        f" on {receipt.host_name} ({receipt.executed} steps in {receipt.duration:.1f} s)\n"
    )
    if receipt.unproven:
        line += f"  not proven, by design: {len(receipt.unproven)} (grind plan shows them)\n"
    return line


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"

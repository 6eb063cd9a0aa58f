"""`grind status` in five lines: where am I, what is next."""

from __future__ import annotations

from msgspec import Struct

from grind.core.texts import one_line
from grind.ui.layout import fit
from grind.ui.words import Paint, Signs, count, duration, short

STATUS_SCHEMA = "grind.status/1"


class Status(Struct, frozen=True, kw_only=True):
    """Everything that the five lines say; what is not known is empty."""

    tree: str
    branch: str = ""
    changed: int = 0
    """Tracked files that differ from HEAD."""
    new_files: tuple[str, ...] = ()
    """Files that git does not know yet and that are part of the snapshot."""
    proof: str = "none"
    """`full`, `partial`, `none` or `expired`: the receipt for exactly this tree and plan."""
    proof_reason: str = ""
    """What is missing, when the proof is not full."""
    receipt: str = ""
    proven_ago: float | None = None
    """Seconds since the receipt was made."""
    host: str = "local"
    running: str = ""
    """Who holds the lock, when somebody does: `grind check, pid 12, since 13:05:02`."""
    last: str = ""
    """The last run's state: `green`, `red`, …"""
    last_told: str = ""
    """What it came to, in a few words."""
    last_ago: float | None = None
    next: str
    """The command to type."""
    why: str = ""


def render_status(status: Status, width: int, colour: bool, signs: Signs | None = None) -> str:
    """Return the five lines, newline at the end."""
    signs = signs or Signs()
    paint = Paint(colour)
    between = f" {signs.dot} "
    rows = (
        ("tree", between.join(_tree(status)), ""),
        ("proof", between.join(filter(None, _proof(status))), _colour_of(status.proof)),
        ("running", one_line(status.running) or "nothing", ""),
        ("last", between.join(filter(None, _last(status))), status.last),
        ("next", between.join(filter(None, (one_line(status.next), one_line(status.why)))), "next"),
    )
    lines = []
    for name, told, result in rows:
        text = fit(told, max(width, 20) - 9, signs.more)
        shown = paint.strong(text) if result == "next" else paint.by(result, text)
        lines.append(paint.faint(f"{name:<9}") + (shown if result else text))
    return "\n".join(lines) + "\n"


def _tree(status: Status) -> list[str]:
    told = [short(one_line(status.tree))]
    if status.branch:
        told.append(f"on {one_line(status.branch)}")
    if status.changed:
        told.append(f"{status.changed} changed")
    if status.new_files:
        names = ", ".join(one_line(name) for name in status.new_files)
        told.append(f"{count(len(status.new_files), 'new file')}: {names}")
    return told


def _proof(status: Status) -> list[str]:
    told = {"full": "proven", "none": "not proven"}.get(status.proof, one_line(status.proof))
    where = f"on {one_line(status.host)}" if status.receipt else ""
    return [told, one_line(status.proof_reason), where, _ago(status.proven_ago)]


def _last(status: Status) -> list[str]:
    return [
        one_line(status.last) or "no run yet",
        one_line(status.last_told),
        _ago(status.last_ago),
    ]


def _ago(seconds: float | None) -> str:
    return "" if seconds is None else f"{duration(seconds)} ago"


def _colour_of(proof: str) -> str:
    return {"full": "green", "partial": "partial", "expired": "partial"}.get(proof, "refused")

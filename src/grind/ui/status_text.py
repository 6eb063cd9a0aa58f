"""`grind status` in five lines: where am I, what is next."""

from __future__ import annotations

import json

from grind.core.standing import STATUS_SCHEMA, Status
from grind.ui.layout import fit
from grind.ui.words import Paint, Signs, count, duration, short


def status_document(status: Status) -> str:
    """Return the JSON document, on one line."""
    document = {"schema": STATUS_SCHEMA} | status._asdict()
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n"


def render_status(status: Status, width: int, colour: bool, signs: Signs | None = None) -> str:
    """Return the five lines, newline at the end."""
    signs = signs or Signs()
    paint = Paint(colour)
    between = f" {signs.dot} "
    rows = (
        ("tree", between.join(_tree(status)), ""),
        ("proof", between.join(filter(None, _proof(status))), _colour_of(status.proof)),
        ("running", _line(status.running) or "nothing", ""),
        ("last", between.join(filter(None, _last(status))), status.last),
        ("next", between.join(filter(None, (_line(status.next), _why(status)))), "next"),
    )
    lines = []
    for name, told, result in rows:
        text = fit(told, max(width, 20) - 9, signs.more)
        shown = paint.strong(text) if result == "next" else paint.by(result, text)
        lines.append(paint.faint(f"{name:<9}") + (shown if result else text))
    return "\n".join(lines) + "\n"


def _tree(status: Status) -> list[str]:
    told = [short(_line(status.tree))]
    if status.branch:
        told.append(f"on {_line(status.branch)}")
    if status.changed:
        told.append(f"{status.changed} changed")
    if status.new_files:
        names = ", ".join(_line(name) for name in status.new_files)
        told.append(f"{count(len(status.new_files), 'new file')}: {names}")
    return told


def _proof(status: Status) -> list[str]:
    told = {"full": "proven", "none": "not proven"}.get(status.proof, _line(status.proof))
    where = f"on {_line(status.host)}" if status.receipt else ""
    return [told, _line(_reason(status)), where, _ago(status.proven_ago)]


def _reason(status: Status) -> str:
    """Why the tree is not proven, without what stands on the line already."""
    tree, reason = short(status.tree), status.proof_reason
    for known in (
        f"there is no receipt for tree {tree}: ",
        f"the receipt for tree {tree} is partial: ",
        f"the receipt for tree {tree} is ",
        f"the receipt for tree {tree} ",
        f"tree {tree} was checked, and ",
    ):
        if reason.startswith(known):
            return reason.removeprefix(known)
    return reason


def _why(status: Status) -> str:
    """Why that is next; nothing where the line of the proof says so."""
    return "" if status.why == status.proof_reason else _line(status.why)


def _last(status: Status) -> list[str]:
    return [
        _line(status.last) or "no run yet",
        _line(status.last_told),
        _ago(status.last_ago),
    ]


def _ago(seconds: float | None) -> str:
    return "" if seconds is None else f"{duration(seconds)} ago"


def _colour_of(proof: str) -> str:
    return {"full": "green", "partial": "partial", "expired": "partial"}.get(proof, "refused")


def _line(text: str) -> str:
    """Return foreign text as one clean line; what is printable is one already."""
    if text.isprintable():
        return text
    from grind.core.texts import one_line  # a dozen patterns to compile

    return one_line(text)

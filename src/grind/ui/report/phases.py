"""What came after the checks: the phases of the loop, and the tables that go with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grind.core import events as e
from grind.core.texts import one_line
from grind.core.timeline import Timeline
from grind.ui.report.shapes import seconds, sign, tone


def phases(picture: Timeline, watch: Iterable[e.Entry]) -> list[dict[str, str]]:
    """Return the phases that took place, in the order of the loop."""
    ended = picture.ended
    rows = [_phase("check", ended.state if ended else "cut off", seconds(picture.duration))]
    landing = _landing(picture)
    if landing is not None:
        rows.append(landing)
    seen = _watched(watch)
    if seen is not None:
        rows.append(seen)
    return rows


def _phase(name: str, word: str, told: str) -> dict[str, str]:
    return {"name": name, "word": word, "told": told}


def _landing(picture: Timeline) -> dict[str, str] | None:
    row = None
    for entry in picture.after:
        match entry.event:
            case e.LandIntent() as intent:
                where = one_line(f"{intent.remote}/{intent.branch}")
                row = _phase("land", "running", f"to {where}")
            case e.LandPushed() as pushed:
                where = one_line(f"{pushed.remote}/{pushed.branch}")
                row = _phase("land", "landed", f"{pushed.oid[:12]} on {where}, pushed once")
            case e.LandFailed() as failed:
                row = _phase("land", "failed", one_line(failed.reason))
            case _:
                pass
    return row


def _watched(watch: Iterable[e.Entry]) -> dict[str, str] | None:
    row = None
    for entry in watch:
        match entry.event:
            case e.WatchStarted() as started:
                row = _phase("watch", "running", one_line(started.forge))
            case e.WatchEnded() as ended:
                told = one_line(ended.reason) or f"{seconds(ended.duration)}"
                row = _phase("watch", ended.verdict, f"{told}, {ended.requests} requests")
            case _:
                pass
    return row


def tables(receipt: Mapping[str, str] | None, watch: Iterable[e.Entry]) -> list[dict[str, Any]]:
    """Return the tables below the steps: the receipt, and CI's runs."""
    found: list[dict[str, Any]] = []
    if receipt is not None:
        found.append(
            table("receipt", "Receipt", ("", ""), [(name, text) for name, text in receipt.items()])
        )
    rows = _ci_rows(watch)
    if rows:
        head = ("workflow", "verdict", "attempt", "reason", "where")
        note = "Only runs of exactly this commit count; clean means complete at the first attempt."
        found.append(table("ci", "CI's runs", head, rows, note=note))
    return found


def _ci_rows(watch: Iterable[e.Entry]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for entry in watch:
        if isinstance(entry.event, e.WatchEnded):
            rows = [
                (
                    one_line(row.workflow),
                    f"={row.verdict}",
                    str(row.attempt or ""),
                    one_line(row.reason),
                    one_line(row.url),
                )
                for row in entry.event.workflows
            ]
    return rows


def table(
    id_: str, title: str, head: Sequence[str], rows: Iterable[Sequence[str]], note: str = ""
) -> dict[str, Any]:
    """Return a table of plain text; a cell that begins with `=` is a result's word."""
    return {
        "id": id_,
        "title": title,
        "note": note,
        "head": list(head),
        "rows": [[_cell(text) for text in row] for row in rows],
    }


def _cell(text: str) -> dict[str, str]:
    text = one_line(text)
    if text.startswith("="):
        word = text[1:]
        return {"text": word, "tone": tone(word), "sign": sign(word)}
    return {"text": text, "tone": "", "sign": ""}

"""What came after the checks: the phases of the loop, and the tables that go with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from grind.core import events as e
from grind.core.hostevents import ActivateEnded, ActivatePlanned, ActivateProbed, ActivateStarted
from grind.core.loop import PhaseEnded
from grind.core.texts import one_line
from grind.core.timeline import Timeline
from grind.core.undoevents import RollbackEnded, RollbackIntent
from grind.ui.report.shapes import BAD, GOOD, seconds, sign, tone


def phases(
    picture: Timeline | None, after: Sequence[e.Entry], watch: Iterable[e.Entry]
) -> list[dict[str, str]]:
    """Return the phases that took place, in the order of the loop."""
    rows = []
    if picture is not None:
        ended = picture.ended
        rows.append(_phase("check", ended.state if ended else "cut off", seconds(picture.duration)))
    found = (activated(after), _landing(after), _watched(watch), _verified(after), _undone(after))
    return [*rows, *(row for row in found if row is not None)]


def headline(state: str, told: str, rows: Sequence[Mapping[str, str]]) -> tuple[str, str]:
    """Return the word and the sentence over the page: those of the check, unless a later phase ended otherwise.

    A release whose host went back is not a green one, however green its checks were.
    """
    if tone(state) != GOOD:
        return state, told
    later = [row for row in rows if row["name"] != "check" and row["word"] not in _NO_RESULT]
    for wanted in (lambda row: tone(row["word"]) == BAD, _unsettled):
        for row in later:
            if wanted(row):
                why = f": {row['told']}" if row["told"] else ""
                return row["word"], f"{row['name']}{why}; the check was {state}: {told}"
    return state, told


_NO_RESULT = ("planned", "nothing", "skipped")
"""Words of phases that changed nothing."""


def _unsettled(row: Mapping[str, str]) -> bool:
    return tone(row["word"]) != GOOD or row["word"] == "undone"


def activated(after: Iterable[e.Entry]) -> dict[str, str] | None:
    """Return what became of the last activation (or rollback) of a host."""
    row = None
    for entry in after:
        match entry.event:
            case ActivateStarted() as started:
                row = _phase(started.purpose, "running", one_line(started.host))
            case ActivateEnded() as ended:
                where = f" is at {ended.generation}" if ended.generation else ""
                told = one_line(ended.reason) or one_line(f"{ended.host}{where}")
                name = row["name"] if row is not None else "activate"
                took = f", in {seconds(ended.duration)}" if ended.duration else ""
                row = _phase(name, ended.state, told + took)
            case _:
                pass
    return row


def _verified(after: Iterable[e.Entry]) -> dict[str, str] | None:
    row = None
    for entry in after:
        match entry.event:
            case PhaseEnded(phase="verify") as ended:
                row = _phase("verify live", ended.state, one_line(ended.reason))
            case _:
                pass
    return row


def _undone(after: Iterable[e.Entry]) -> dict[str, str] | None:
    row = None
    for entry in after:
        match entry.event:
            case RollbackIntent() as intent:
                row = _phase(f"roll back {intent.kind}", "running", one_line(intent.what))
            case RollbackEnded() as ended:
                told = one_line(ended.reason) or ended.commit[:12]
                row = _phase(f"roll back {ended.kind}", ended.state, told)
            case _:
                pass
    return row


def _phase(name: str, word: str, told: str) -> dict[str, str]:
    return {"name": name, "word": word, "told": told}


def _landing(after: Iterable[e.Entry]) -> dict[str, str] | None:
    row = None
    for entry in after:
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
                asked = f"{ended.requests} request{'s' * (ended.requests != 1)}"
                row = _phase("watch", ended.verdict, f"{told}, {asked}")
            case _:
                pass
    return row


def tables(
    receipt: Mapping[str, str] | None,
    watch: Iterable[e.Entry],
    after: Sequence[e.Entry] = (),
    probes: Sequence[Sequence[str]] = (),
) -> list[dict[str, Any]]:
    """Return the tables below the steps: the host, its probes, the receipt, and CI's runs."""
    found: list[dict[str, Any]] = []
    planned = [one.event for one in after if isinstance(one.event, ActivatePlanned)]
    if planned:
        rows = _change(planned[-1])
        found.append(table("host", "The host's change", ("", ""), rows, note=_HOST))
    looked = [_looked(one.event) for one in after if isinstance(one.event, ActivateProbed)]
    if looked:
        head = ("after", "result", "took", "what was wrong")
        found.append(table("looks", "Looks at the host", head, looked))
    if probes:
        columns = ("probe", "result", "from", "what it found", "took")
        found.append(table("probes", "Probes", columns, probes))
    if receipt is not None:
        found.append(
            table("receipt", "Receipt", ("", ""), [(name, text) for name, text in receipt.items()])
        )
    runs = _ci_rows(watch)
    if runs:
        names = ("workflow", "verdict", "attempt", "reason", "where")
        note = "Only runs of exactly this commit count; clean means complete at the first attempt."
        found.append(table("ci", "CI's runs", names, runs, note=note))
    return found


_HOST = "Changed or not is decided by the store path; what would restart informs and never decides."


def _change(plan: ActivatePlanned) -> list[Sequence[str]]:
    rows = [
        ("runs now", plan.old),
        ("would run", plan.new if plan.changed else "the same: nothing to switch"),
        ("generation", f"{plan.generation} → {plan.target}" if plan.target else plan.generation),
        ("closure", _closure(plan)),
        ("versions", "; ".join(plan.versions[:20])),
    ]
    units = {
        "stop": plan.stop,
        "start": plan.start,
        "restart": plan.restart,
        "reload": plan.reload,
        "failed before": plan.failed,
        "drift": plan.drift,
    }
    rows += [(name, ", ".join(found)) for name, found in units.items()]
    return [row for row in rows if row[1]]


def _closure(plan: ActivatePlanned) -> str:
    if plan.only_revision:
        return "only the revision changed"
    added = len(plan.added)
    return f"{added} path{'s' * (added != 1)} added, {len(plan.removed)} removed"


def _looked(look: ActivateProbed) -> Sequence[str]:
    word = "=healthy" if look.healthy else "=unhealthy"
    return (look.after, word, seconds(look.seconds), "; ".join(look.red))


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

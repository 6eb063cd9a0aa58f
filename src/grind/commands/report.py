"""`grind report`: one self-contained HTML page about a release, or about all of them."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from grind.commands.options import add_json
from grind.core.errors import ExitCode, GrindError

if TYPE_CHECKING:
    from grind.adapters.store import ReleaseFolder
    from grind.core.events import Entry
    from grind.core.timeline import Timeline
    from grind.ui.report.page import Page
    from grind.ui.report.release_view import PackedLog
    from grind.wiring import Session

SCHEMA = "grind.report/1"
HELP = "write one self-contained HTML page: timeline, CI × plan, logs, receipts, all releases"
EXAMPLES = """\
  grind report                         the last release, to grind-report.html in the git folder
  grind report --open                  and show it in the browser
  grind report -o page.html 20261123-101500-ab12cd
  grind report --all                   only the page over all releases that are kept
  grind report --no-logs               small: without the logs

The page asks nobody for anything: it can be mailed, archived, or opened from a disk.
It holds what the steps printed, masked as everywhere; mind who reads it.
"""
_LOG_LIMIT = 16.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("release", nargs="?", help="a release's identifier (default: the last)")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it; - for stdout")
    parser.add_argument("--open", action="store_true", help="show it in the browser")
    parser.add_argument("--all", action="store_true", help="only what all releases tell together")
    parser.add_argument("--no-logs", action="store_true", help="leave the logs out")
    parser.add_argument(
        "--log-limit",
        metavar="MB",
        type=float,
        default=_LOG_LIMIT,
        help=f"keep only the end of a log that is longer ({_LOG_LIMIT:g})",
    )
    add_json(parser, f"say where it was written as one JSON document (schema {SCHEMA})")


def run(args: argparse.Namespace) -> int:
    """Write the page."""
    from grind.wiring import Session
    from grind.wiring.pages import write_page

    if args.log_limit <= 0:
        raise GrindError("--log-limit must be more than 0", remedy="--no-logs leaves the logs out")
    if args.output == "-" and (args.open or args.json):
        raise GrindError("`-o -` goes with neither --open nor --json", remedy="name a file")
    session = Session(os.getcwd(), os.environ)
    page = _page(session, args)
    from grind.ui.report.page import render

    if args.output == "-":
        for piece in render(page):
            sys.stdout.write(piece)
        return int(ExitCode.DONE)
    path = os.path.abspath(args.output or os.path.join(session.store.root, "grind-report.html"))
    size = write_page(path, render(page))
    if args.json:
        import msgspec

        told = {"schema": SCHEMA, "path": path, "bytes": size, "title": page.title}
        sys.stdout.write(msgspec.json.encode(told).decode() + "\n")
    else:
        from grind.ui.report.shapes import size as human

        sys.stdout.write(f"{path} ({human(size)})\n")
    if args.open:
        _show(path)
    return int(ExitCode.DONE)


def _show(path: str) -> None:
    import webbrowser
    from pathlib import Path

    if not webbrowser.open(Path(path).as_uri()):
        raise GrindError("no browser could be started", remedy=f"open {path} yourself")


def _page(session: Session, args: argparse.Namespace) -> Page:
    from grind import __version__
    from grind.ui.report.page import Page

    history = _history(session)
    now = session.clock.now()
    if args.all:
        if history is None:
            raise GrindError("nothing happened yet", remedy="grind check")
        return Page("All releases", __version__, now, history=history)
    folder = session.store.release(args.release) if args.release else session.store.latest()
    if folder is None:
        what = f"no release {args.release!r} is kept" if args.release else "nothing happened yet"
        raise GrindError(what, remedy="grind log --list" if args.release else "grind check")
    with session.journal(folder) as journal:
        entries = list(journal.read())
    limit = None if args.no_logs else int(args.log_limit * 1e6)
    title, run, logs = _run_of(session, folder, entries, limit)
    return Page(title, __version__, now, run=run, history=history, logs=logs)


def _run_of(
    session: Session, folder: ReleaseFolder, entries: list[Entry], limit: int | None
) -> tuple[str, dict[str, Any], list[PackedLog]]:
    """Return the title of a release, what the template says of it, and its logs."""
    from grind.core.timeline import timeline
    from grind.ui.report.phases import activated, headline, phases, tables
    from grind.ui.report.release_view import Shelf, host_view, release_view

    picture = timeline(entries)
    shelf = Shelf(folder.read_log, limit)
    if picture is None:
        row = activated(entries)
        if row is None:
            raise GrindError(
                f"release {folder.id} ran nothing that could be shown", remedy="grind log --list"
            )
        run = host_view(entries, row)
        run["phases"], run["tables"] = phases(None, entries, ()), tables(None, (), entries)
        return f"{row['word']}: {row['name']}, {folder.id}", run, []
    after = picture.after
    watch = _watch_of(session, picture)
    run = release_view(picture, shelf, _facts(folder, picture), watch)
    receipt, probes = _receipt(session, picture)
    run["phases"] = phases(picture, after, watch)
    run["state"], run["told"] = headline(run["state"], run["told"], run["phases"])
    run["tables"] = tables(receipt, watch, after, probes)
    return f"{run['state']}: {picture.started.command}, {folder.id}", run, shelf.logs


def _history(session: Session) -> dict[str, Any] | None:
    """Read every release that is kept; a journal that cannot be read is told of and not counted."""
    from grind.core.events import WatchEnded
    from grind.core.manyreleases import Kept, host_changes, over_releases
    from grind.core.timeline import timeline
    from grind.ui.report.history_view import history_view

    kept, hosts = [], []
    for folder in session.store.releases():
        try:
            with session.journal(folder) as journal:
                entries = list(journal.read())
        except GrindError as error:
            sys.stderr.write(f"grind: {error.message}\n")
            continue
        hosts += host_changes(entries)
        picture = timeline(entries)
        if picture is None:
            continue
        watch = _watch_of(session, picture)
        verdicts = [one.event.verdict for one in watch if isinstance(one.event, WatchEnded)]
        kept.append(Kept(folder.id, picture, _landed(picture), verdicts[-1] if verdicts else ""))
    return history_view(over_releases(kept, hosts), None) if kept or hosts else None


def _landed(picture: Timeline) -> str:
    from grind.core.events import LandPushed

    pushed = [e.event.oid for e in picture.after if isinstance(e.event, LandPushed)]
    return pushed[-1] if pushed else ""


def _watch_of(session: Session, picture: Timeline) -> list[Entry]:
    """Return what was seen of CI: in the release itself, as `grind run` keeps it, or beside it."""
    from grind.core.events import WatchEnded

    if any(isinstance(entry.event, WatchEnded) for entry in picture.after):
        return list(picture.after)
    commit = _landed(picture)
    if not commit:
        return []
    with session.journal(session.store.watch(commit)) as journal:
        return list(journal.read())


def _facts(folder: ReleaseFolder, picture: Timeline) -> list[tuple[str, str, bool]]:
    from grind.core.texts import one_line
    from grind.ui.report.history_view import when

    started = picture.started
    again = f", taken up again {picture.resumed} ×" if picture.resumed else ""
    return [
        ("command", one_line(f"grind {started.command}"), True),
        ("when", when(picture.at, None) + again, False),
        ("release", folder.id, True),
        ("host", one_line(started.host), False),
        ("tree", started.tree[:16], True),
        ("plan", started.digest[:16], True),
    ]


def _receipt(
    session: Session, picture: Timeline
) -> tuple[dict[str, str] | None, list[tuple[str, ...]]]:
    """Return what the receipt for the tree says, and the probes that are in it."""
    from grind.core.receipt import read_receipt
    from grind.ui.report.history_view import when
    from grind.ui.report.shapes import seconds

    stored = session.store.receipt(picture.started.tree)
    receipt = read_receipt(stored) if stored is not None else None
    if receipt is None:
        return None, []
    told = {
        "state": f"={receipt.state}",
        "tree": receipt.tree,
        "plan": receipt.digest,
        "host": f"{receipt.host_name} · {receipt.host}",
        "system": receipt.system,
        "made": f"{when(receipt.created, None)}, after {seconds(receipt.duration)}",
        "executed": f"{receipt.executed} gating steps",
        "left out by design": "; ".join(receipt.unproven) or "nothing",
        "open": "; ".join(receipt.open) or "nothing",
        "weaker rules accepted": "; ".join(f"{one.by}: {one.reason}" for one in receipt.accepted),
    }
    probes: list[tuple[str, ...]] = [
        (one.name, f"={one.conclusion}", one.place, one.told, seconds(one.duration))
        for one in receipt.probes
    ]
    return {name: text for name, text in told.items() if text}, probes

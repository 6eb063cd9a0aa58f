"""`grind stats`: push-and-pray in this repository's own history."""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from grind.core.errors import ExitCode, GrindError

if TYPE_CHECKING:
    from grind.core.history import History, SinceGrind

SCHEMA = "grind.stats/1"
_DAYS = {"day": 1, "week": 7, "month": 30.436875, "year": 365.2425}
HELP = "count, from history alone, how often CI was fixed by pushing again"
EXAMPLES = """\
  grind stats
  grind stats --since 2026-01-01
  grind stats --since '3 months' --json
  grind stats --limit 10000

A follow-up fix touches a CI or deploy file that a commit in the hours before
it touched as well, and nothing that is not CI or that commit's own business.
The whole definition: docs/stats.md
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--since", metavar="WHEN", help="YYYY-MM-DD (UTC), or such as '90 days', '3 months'"
    )
    parser.add_argument(
        "--limit", metavar="N", type=_positive, help="look at the newest N commits only"
    )
    parser.add_argument(
        "--window",
        metavar="MINUTES",
        type=_positive,
        default=240,
        help="a fix comes at most this long after (240)",
    )
    parser.add_argument("--json", action="store_true", help=f"one document, {SCHEMA}")
    parser.add_argument("-C", dest="folder", metavar="FOLDER", default=".", help="the repository")


def run(
    options: argparse.Namespace,
    *,
    out: TextIO | None = None,
    width: int | None = None,
    clock: Callable[[], float] = time.time,
    since_grind: SinceGrind | None = None,
) -> int:
    """Run the command; return its exit code.

    `since_grind` is what grind's own records tell, where there are any. Raises GrindError.
    """
    now = int(clock())
    since = None if options.since is None else parse_since(options.since, now)
    stream = sys.stdout if out is None else out

    from grind.adapters.git_history import GitHistory
    from grind.core.history_fold import measure

    source = GitHistory(Path(options.folder))
    shallow = source.is_shallow()
    history = measure(
        source.commits(options.limit),
        until=now + 86400,  # clocks differ; a day is more than enough
        since=since,
        window=options.window * 60,
    )
    if since_grind is None:
        import os

        from grind.wiring.sincegrind import since_grind as told_by_grind

        since_grind = told_by_grind(options.folder, os.environ)
    if options.json:
        stream.write(_document(history, since, options.limit, shallow, since_grind))
        return ExitCode.DONE

    from grind.ui.stats_text import render_stats

    columns = _columns() if width is None else width
    notes = _notes(history, since, options.limit, shallow)
    ascii_only = not _can_print(stream, "▁█…")
    stream.write(
        render_stats(
            history, width=columns, notes=notes, since_grind=since_grind, ascii_only=ascii_only
        )
    )
    return ExitCode.DONE


def parse_since(text: str, now: int) -> int:
    """Read a date or an age as Unix time.

    Raises GrindError for anything else: git takes a word it does not know for "now", and a
    history without commits would then look like one without mistakes.
    """
    age = re.fullmatch(r"([0-9]{1,5}) ?(day|week|month|year)s?( ago)?", text.strip())
    if age:
        return max(0, now - int(int(age[1]) * _DAYS[age[2]] * 86400))
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text.strip(), re.ASCII):
            day = datetime.fromisoformat(text.strip()).replace(tzinfo=UTC)
            return max(0, int(day.timestamp()))
    except ValueError:
        pass
    raise GrindError(
        f"--since {text!r} is no date", remedy="write 2026-01-31, or an age such as '3 months'"
    )


def _positive(text: str) -> int:
    if re.fullmatch(r"[0-9]{1,9}", text) and int(text) > 0:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number above 0")


def _notes(history: History, since: int | None, limit: int | None, shallow: bool) -> list[str]:
    notes = []
    if since is not None:
        notes.append(f"commits since {datetime.fromtimestamp(since, UTC):%Y-%m-%d} (UTC) only")
    if limit is not None:
        notes.append(f"the newest {limit:,} commits only")
    if shallow:
        notes.append("a shallow clone: what is before its cut is not counted, and the cut itself")
        notes.append("looks like a commit that touches every file (git fetch --unshallow)")
    if history.undated:
        notes.append(f"{history.undated:,} with a time before 1980 or after today: not compared")
    if history.bots:
        notes.append(f"{history.bots:,} by bots among those that touch CI: never a fix")
    return notes


def _document(
    history: History,
    since: int | None,
    limit: int | None,
    shallow: bool,
    since_grind: SinceGrind | None,
) -> str:
    import msgspec

    members = {
        "schema": SCHEMA,
        "since": None if since is None else datetime.fromtimestamp(since, UTC).isoformat(),
        "limit": limit,
        "shallow": shallow,
        **{field: getattr(history, field) for field in history.__struct_fields__},
        "since_grind": since_grind,
    }
    text = msgspec.json.encode(members).decode()
    # Signs that a terminal would obey are only ever inside of strings: escape them there.
    return "".join(c if c.isprintable() else _json_escape(c) for c in text) + "\n"


def _json_escape(character: str) -> str:
    raw = character.encode("utf-16-be")
    return "".join(f"\\u{raw[at]:02x}{raw[at + 1]:02x}" for at in range(0, len(raw), 2))


def _columns() -> int:
    import shutil

    return max(40, shutil.get_terminal_size().columns)


def _can_print(stream: TextIO, text: str) -> bool:
    try:
        text.encode(getattr(stream, "encoding", None) or "utf-8")
    except (UnicodeEncodeError, LookupError):
        return False
    return True

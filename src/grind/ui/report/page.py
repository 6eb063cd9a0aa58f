"""Writes the page. Everything that is foreign goes through the template's escaping."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Any, NamedTuple

from grind.core.bundled import bundled_text
from grind.core.texts import one_line
from grind.ui.report import shapes
from grind.ui.report.history_view import when
from grind.ui.report.release_view import PackedLog

_CHUNK = 64 * 1024


class Page(NamedTuple):
    """What a page holds."""

    title: str
    version: str
    made: float
    """Seconds since the epoch."""
    run: dict[str, Any] | None = None
    history: dict[str, Any] | None = None
    logs: Sequence[PackedLog] = ()


def render(page: Page, zone: tzinfo | None = None) -> Iterator[str]:
    """Yield the page in pieces; a log is read when its turn comes, a piece at a time.

    The page asks nobody for anything, and its policy (a Content-Security-Policy with the hashes of
    its own style and script) lets nothing else run, whatever a log or a commit message says.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    style = bundled_text("grind.ui.report", "style.css")
    script = bundled_text("grind.ui.report", "script.js")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters |= {
        "tone": shapes.tone,
        "sign": shapes.sign,
        "seconds": shapes.seconds,
        "size": shapes.size,
    }
    template = environment.from_string(bundled_text("grind.ui.report", "page.html.j2"))
    stream = template.generate(
        page=_names(page, zone),
        style=Markup(style),  # noqa: S704 - the page's own
        script=Markup(script),  # noqa: S704 - the page's own
        style_hash=_hash(style),
        script_hash=_hash(script),
    )
    waiting: list[str] = []
    size = 0
    for piece in stream:
        waiting.append(piece)
        size += len(piece)
        if size >= _CHUNK:
            yield "".join(waiting)
            waiting, size = [], 0
    yield "".join(waiting)


def _names(page: Page, zone: tzinfo | None) -> dict[str, Any]:
    sections = []
    if page.run is not None:
        if page.run["failures"]:
            sections.append(("failed", "what failed"))
        if page.run["jobs"]:
            sections += [("timeline", "timeline"), ("steps", "CI × plan")]
        sections += [(table["id"], _section(table["title"])) for table in page.run["tables"]]
    if page.history is not None:
        sections.append(("history", "releases"))
    moment = datetime.fromtimestamp(page.made, tz=zone).astimezone(zone)
    return page._asdict() | {
        "title": one_line(page.title),
        "sections": sections,
        "made": when(page.made, zone),
        "zone": moment.tzname() or "",
    }


def _section(title: str) -> str:
    """Return a title as a word among others."""
    return title if title.startswith("CI") else title[0].lower() + title[1:]


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"

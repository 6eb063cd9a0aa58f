"""Which face a stream gets. Terminal facts are read here, once, from what is passed in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TextIO

from grind.ui.words import signs_for

if TYPE_CHECKING:
    from grind.ui.face import Face, LogReader, Outlook
    from grind.ui.gather import Soon

NARROWEST = 20
"""Columns below which a live view is no help."""


def colour_wanted(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Return whether to colour: NO_COLOR (no-color.org) beats FORCE_COLOR beats the terminal."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environ.get("TERM", "") not in ("", "dumb")


def size_of(stream: TextIO) -> tuple[int, int]:
    """Return (columns, lines) of the stream's terminal now; 80 × 24 where there is none."""
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError):
        return 80, 24
    return columns or 80, lines or 24


def face_for(
    stream: TextIO,
    environ: Mapping[str, str],
    *,
    json: bool,
    read_log: LogReader,
    now: Callable[[], float],
    follow: bool = False,
    outlook: Callable[[], Outlook] | None = None,
    folder: str = "",
    soon: Soon | None = None,
) -> Face:
    """Return the face for a running command; `outlook` is asked only by one that shows it, and
    `folder` is where the logs are, for terminals that have links.

    `json` gives the NDJSON stream; a terminal that can move its cursor the live view; anything
    else plain lines. `follow` writes all output as it comes, which is never live. `now` returns
    seconds since the epoch, as the entries' times. With `soon`, lines that come together are let
    out together.
    """
    from grind.ui.gather import Gathering

    if json:
        from grind.ui.ndjson import NdjsonFace

        return NdjsonFace(stream.buffer if soon is None else Gathering(stream.buffer, soon))
    colour = colour_wanted(stream, environ)
    signs = signs_for(stream.encoding)
    columns, _ = size_of(stream)
    moves = stream.isatty() and environ.get("TERM", "") not in ("", "dumb")
    if moves and not follow and columns >= NARROWEST:
        from grind.ui.face import Outlook
        from grind.ui.live import LiveFace

        return LiveFace(
            stream,
            read_log,
            now,
            size=lambda: size_of(stream),
            colour=colour,
            signs=signs,
            outlook=outlook() if outlook is not None else Outlook(),
            folder=folder if links_wanted(environ) else "",
        )
    from grind.ui.plain import PlainFace

    out = stream if soon is None else Gathering(stream, soon)
    return PlainFace(
        out, read_log, colour=colour, follow=follow, width=min(columns, 80), signs=signs
    )


_LINKING = frozenset({"ghostty", "iTerm.app", "vscode", "WezTerm", "Hyper", "Tabby", "rio"})
"""TERM_PROGRAM of terminals that show OSC 8 links."""


def links_wanted(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal is known to have links (OSC 8); FORCE_HYPERLINK decides where set.

    No terminal can be asked; these say who they are.
    """
    if (forced := environ.get("FORCE_HYPERLINK", "")) != "":
        return forced != "0"
    if environ.get("TMUX") or environ.get("STY"):  # they pass on what the terminal outside may lack
        return False
    vte = environ.get("VTE_VERSION", "")
    return (
        environ.get("TERM_PROGRAM", "") in _LINKING
        or (vte.isdigit() and int(vte) >= 5000)
        or any(environ.get(name) for name in ("KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION"))
    )


def ring(stream: TextIO) -> None:
    """Ring the terminal's bell, where there is one."""
    if stream.isatty():
        stream.write("\a")
        stream.flush()

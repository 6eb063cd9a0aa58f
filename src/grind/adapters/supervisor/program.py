"""The text of the supervisor, as one program."""

from __future__ import annotations

from importlib.resources import files

NAME = "grind-activate"
PARTS = ("base.sh", "hostlock.sh", "facts.sh", "host.sh", "work.sh", "verbs.sh")
"""Functions first; the last part calls `g_main`, when all of it has been read."""


def program() -> bytes:
    """Return the supervisor as one bash program."""
    folder = files(__package__ or __name__)
    return b"\n".join((folder / part).read_bytes() for part in PARTS)

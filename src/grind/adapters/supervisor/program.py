"""The text of the supervisor, as one program."""

from __future__ import annotations

from grind.core.bundled import bundled

NAME = "grind-activate"
PARTS = ("base.sh", "hostlock.sh", "facts.sh", "host.sh", "work.sh", "verbs.sh")
"""Functions first; the last part calls `g_main`, when all of it has been read."""


def program() -> bytes:
    """Return the supervisor as one bash program."""
    return b"\n".join(bundled("grind.adapters.supervisor", part) for part in PARTS)

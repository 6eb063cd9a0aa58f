"""The text of the runner, as one program."""

from __future__ import annotations

import hashlib
from importlib.resources import files

PARTS = (
    "base.sh",
    "processes.sh",
    "files.sh",
    "checkout.sh",
    "worktree.sh",
    "step.sh",
    "beside.sh",
    "batch.sh",
    "lane.sh",
)
"""Functions first; the last part calls `g_main`, when all of it has been read."""


def program() -> bytes:
    """Return the runner as one bash program."""
    folder = files(__package__ or __name__)
    return b"\n".join((folder / part).read_bytes() for part in PARTS)


def program_name(text: bytes) -> str:
    """Name the program by its content, so that a lane keeps the runner that it began with."""
    return f"lane-{hashlib.sha256(text).hexdigest()[:16]}.sh"

"""The texts that run on a host, each as one program."""

from __future__ import annotations

import hashlib

from grind.core.bundled import bundled

RUNNER = (
    "base.sh",
    "processes.sh",
    "opening.sh",
    "files.sh",
    "checkout.sh",
    "worktree.sh",
    "names.sh",
    "step.sh",
    "beside.sh",
    "ahead.sh",
    "batch.sh",
    "lane.sh",
)
"""The runner. It opens its lane when it has been read as far as that, and works when all of it has been."""

HOST = (
    "answers.sh",
    "hands.sh",
    "base.sh",
    "processes.sh",
    "pushing.sh",
    "hostmain.sh",
    "names.sh",
    "atlanes.sh",
    "units.sh",
    "hashing.sh",
    "taking.sh",
    "serve.sh",
    "hostend.sh",
)
"""The other end of a session: it pushes what a lane writes, or answers requests when all has been read."""


def program(parts: tuple[str, ...] = RUNNER) -> bytes:
    """Return one of them as one bash program."""
    return b"\n".join(bundled("grind.adapters.runner", part) for part in parts)


def boot() -> bytes:
    """Return what a session is fed before anything else."""
    return bundled("grind.adapters.runner", "boot.sh")


def session_programs() -> dict[str, bytes]:
    """Return what a session keeps on its host, by name: its program, the runner, and `boot`."""
    return {program_name(text): text for text in (program(HOST), program(RUNNER), boot())}


def program_name(text: bytes) -> str:
    """Name the program by its content, so that a lane keeps the runner that it began with."""
    return f"lane-{hashlib.sha256(text).hexdigest()[:16]}.sh"

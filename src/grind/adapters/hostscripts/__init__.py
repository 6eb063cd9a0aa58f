"""Scripts that grind runs on a host beside the runner: bash, coreutils and git are all they need.

Each is one whole program, kept in the host's state folder (`Host.keep`) and called with arguments as
data. The laws of the runner's text hold for them as well (tests/adapters/test_runner_lint.py).
"""

from __future__ import annotations

from grind.core.bundled import bundled

LOCK = "lock.sh"
DOCTOR = "doctor.sh"
SYNC = "sync.sh"
SIZES = "sizes.sh"
PASS = "pass.sh"  # noqa: S105
UNPACK = "unpack.sh"
NAMES = (LOCK, DOCTOR, SYNC, SIZES, PASS, UNPACK)


def script(name: str) -> bytes:
    """Return a script's text."""
    return bundled("grind.adapters.hostscripts", name)


def bash(path: str) -> tuple[str, ...]:
    """Return how a script that is kept at `path` is called, before its arguments."""
    return ("bash", "--noprofile", "--norc", path)

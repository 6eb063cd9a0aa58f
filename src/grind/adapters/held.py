"""Whether somebody holds the lock of a repository. Light; who does is `grind.adapters.lock`'s to say."""

from __future__ import annotations

import fcntl
import os


def is_held(path: str) -> bool:
    """Whether the lock at `path` is held now; False where there is no such file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(fd)
    return False

"""Values as shell text. The only module that makes it, for the one reader that takes nothing else:
the door (`grind/door.sh`), which is read before any Python runs.
"""

from __future__ import annotations

import re

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def quoted(value: str) -> str:
    """Return `value` as one word that no POSIX shell reads anything into. NUL cannot be in one."""
    if "\0" in value:
        raise ValueError("a shell word cannot hold NUL")
    return "'" + value.replace("'", "'\\''") + "'"


def is_name(name: str) -> bool:
    """Whether it can be a shell variable."""
    return _NAME.match(name) is not None

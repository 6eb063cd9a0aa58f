"""The names in the user's ssh configuration: `Host` lines, as ssh_config(5) has them."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Mapping

_DEEPEST = 8
"""Files that include each other; ssh itself allows 16."""


def aliases(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return (alias, where it stands), in order; patterns are no aliases. Nothing is connected."""
    home = environ.get("HOME", "")
    path = environ.get("GRIND_SSH_CONFIG") or os.path.join(home, ".ssh", "config")
    found: dict[str, str] = {}
    for alias, where in _read(path, home, 0):
        found.setdefault(alias, where)
    return list(found.items())


def _read(path: str, home: str, depth: int) -> Iterator[tuple[str, str]]:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.readlines()
    except OSError:
        return
    shown = path.replace(home, "~", 1) if home and path.startswith(home) else path
    for number, line in enumerate(lines, 1):
        keyword, _, rest = line.strip().replace("=", " ", 1).partition(" ")
        words = [word.strip('"') for word in rest.split()]
        if keyword.lower() == "host":
            for word in words:
                if not set(word) & set("*?!") and not word.startswith("-"):
                    yield word, f"{shown}:{number}"
        elif keyword.lower() == "include" and depth < _DEEPEST:
            for word in words:
                whole = os.path.join(home, ".ssh", os.path.expanduser(word))
                for one in sorted(glob.glob(whole)):
                    yield from _read(one, home, depth + 1)

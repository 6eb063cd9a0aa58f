"""Where grind keeps what is its own, from the environment that it is given."""

from __future__ import annotations

import os
from collections.abc import Mapping


def state_folder(environ: Mapping[str, str]) -> str:
    """Return grind's state folder: GRIND_STATE_DIR, else `grind` in XDG_STATE_HOME, else in
    `~/.local/state`. Relative values are passed over, as the XDG base directory text asks.
    """
    own = environ.get("GRIND_STATE_DIR", "")
    if os.path.isabs(own):
        return own
    base = environ.get("XDG_STATE_HOME", "")
    if not os.path.isabs(base):
        home = environ.get("HOME", "")
        base = os.path.join(
            home if os.path.isabs(home) else os.path.expanduser("~"), ".local", "state"
        )
    return os.path.join(base, "grind")


_SPLITS = frozenset(" \t\n*?[:")
"""What a shell splits or expands in a variable without quotes, and what ends a folder of a PATH."""


def unfit_for_steps(folder: str) -> str:
    """Return why steps cannot run below a folder, or nothing.

    On GitHub's runners no path has a blank, so workflows say `>> $GITHUB_ENV` and
    `cd $GITHUB_WORKSPACE` without quotes: here they would fail, though nothing is wrong with them.
    """
    odd = sorted(_SPLITS & set(folder))
    return f"the path has {odd[0]!r} in it: {folder}" if odd else ""

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

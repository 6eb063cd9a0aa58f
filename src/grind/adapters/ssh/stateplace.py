"""Where a host's state folder was, the last time: so that what is kept there can be named to ssh."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from grind.adapters.files import StorageError, replace_file


class StatePlace:
    """What is remembered of one host, in the private folder of the connections.

    It is a hint: whoever finds no program there asks the host. So it may be lost, and is at every boot.
    """

    def __init__(self, folder: str, name: str) -> None:
        self._path = Path(folder, f"{name}.state")

    def recall(self) -> str | None:
        """Return the folder's path; None when nothing is known."""
        try:
            return os.fsdecode(self._path.read_bytes())
        except OSError:
            return None

    def remember(self, state: str) -> None:
        """Keep the path, unless it is known; not being able to is no harm."""
        if self.recall() == state:
            return
        with contextlib.suppress(StorageError):
            replace_file(os.fspath(self._path), os.fsencode(state), sync=False)

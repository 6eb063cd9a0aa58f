"""The record of what `grind py` has run: one private file, appended under a lock."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator

from grind.adapters.files import private_folder, replace_file, storing, write_all
from grind.core import pythonuse
from grind.core.pythonuse import Use, Used

LIMIT = 1 << 20
"""Bytes at which the record is written anew, shorter."""
KEEP = 500
"""Scripts that stay in it then."""


class UsageFile:
    """`path` is the record, mode 0600."""

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self) -> dict[str, Used]:
        """Count what was run."""
        try:
            with open(self.path, "rb") as file:
                return pythonuse.fold(file.read().splitlines())
        except FileNotFoundError:
            return {}

    def add(self, use: Use, is_due: Callable[[Used | None], bool]) -> Used:
        """Count one run. `is_due` is asked, under the lock, whether the user is to be told now: of
        two that run at once, one is. Returns the script as counted, `told` when it is now."""
        with self._held():
            found = self.read()
            before = found.get(use.key)
            told = is_due(before)
            first = before is None or not before.shown
            line = Use(use.key, use.kind if first else "", use.shown if first else "", told)
            self._append(pythonuse.line(line), found)
        count = 1 if before is None else before.times + 1
        return Used(use.key, use.kind, use.shown, count, told)

    def _append(self, data: bytes, found: dict[str, Used]) -> None:
        with storing(self.path):
            fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                size = os.fstat(fd).st_size
                write_all(fd, data)
            finally:
                os.close(fd)
        if size > LIMIT:
            replace_file(self.path, pythonuse.compact(found, KEEP) + data, sync=False)

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        private_folder(os.path.dirname(self.path))
        with storing(self.path):
            fd = os.open(f"{self.path}.lock", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)

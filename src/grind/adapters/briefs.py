"""What `grind status` remembers of its sources: written beside them by whoever has just read them.

<git common dir>/grind/briefs/<kind>-<name>.json, one JSON list each: the form, what the source was
when it was read, and the brief's fields. Of an object of git the name says it all; a file is the same
while its size, times and inode are. Journals only grow, and a receipt is replaced as a whole, so each
change shows in these. Light: no library but JSON's is imported.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from typing import Any

from grind import __version__
from grind.core.standing import ConfigBrief, ReceiptBrief, ReleaseBrief

_FORM = f"grind.brief/1 {__version__}"
_KEPT = 60
Stamp = tuple[int, ...]


def stamp_of(path: str) -> Stamp | None:
    """Return what tells a file from what it was and will be; None when it is not there."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


class Briefs:
    """The briefs of one repository."""

    def __init__(self, root: str) -> None:
        """`root` is grind's folder in the git folder."""
        self._folder = os.path.join(root, "briefs")

    def config(self, blob: str | None) -> ConfigBrief | None:
        """Return what is remembered of a grind.toml by its object; None stands for no such file."""
        fields = self._read(f"config-{blob or 'none'}", (), len(ConfigBrief._fields))
        return ConfigBrief(*fields) if fields is not None else None

    def receipt(self, path: str, tree: str) -> ReceiptBrief | None:
        """Return what is remembered of the receipt at `path`, while it is the same file."""
        fields = self._read(f"receipt-{tree}", stamp_of(path), len(ReceiptBrief._fields))
        return ReceiptBrief(*fields) if fields is not None else None

    def release(self, journal: str, release: str) -> ReleaseBrief | None:
        """Return what is remembered of a release, while nothing was added to its journal."""
        fields = self._read(f"release-{release}", stamp_of(journal), len(ReleaseBrief._fields))
        return ReleaseBrief(*fields) if fields is not None else None

    def keep_config(self, blob: str | None, brief: ConfigBrief) -> None:
        """Remember what a grind.toml says."""
        self._write(f"config-{blob or 'none'}", (), brief)

    def keep_receipt(self, stamp: Stamp | None, tree: str, brief: ReceiptBrief) -> None:
        """Remember a receipt; `stamp` is its file's from before it was read."""
        self._write(f"receipt-{tree}", stamp, brief)

    def keep_release(self, stamp: Stamp | None, release: str, brief: ReleaseBrief) -> None:
        """Remember a release; `stamp` is its journal's from before it was read."""
        self._write(f"release-{release}", stamp, brief)

    def _read(self, name: str, stamp: Stamp | None, width: int) -> list[Any] | None:
        try:
            with open(os.path.join(self._folder, f"{name}.json"), "rb") as file:
                kept = json.load(file)
        except (OSError, ValueError):
            return None
        if stamp is None or not isinstance(kept, list) or kept[:2] != [_FORM, list(stamp)]:
            return None
        return [_frozen(value) for value in kept[2:]] if len(kept) == 2 + width else None

    def _write(self, name: str, stamp: Stamp | None, brief: Iterable[object]) -> None:
        """Best effort: what cannot be remembered is read again, which takes longer."""
        if stamp is None:
            return
        from grind.adapters.files import private_folder, replace_file
        from grind.core.errors import GrindError

        data = json.dumps([_FORM, stamp, *brief]).encode() + b"\n"
        with contextlib.suppress(GrindError, OSError):
            private_folder(os.path.dirname(self._folder))
            private_folder(self._folder)
            replace_file(os.path.join(self._folder, f"{name}.json"), data, sync=False)
            self._forget()

    def _forget(self) -> None:
        entries = list(os.scandir(self._folder))
        if len(entries) > _KEPT:
            entries.sort(key=lambda entry: entry.stat().st_mtime_ns)
            for entry in entries[:-_KEPT]:
                os.unlink(entry.path)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value

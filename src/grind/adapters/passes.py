"""Remember that the gate opened for a commit, so that the same push asks at once.

What is remembered hangs on the same few files as a receipt hit (`grind.adapters.hits`), on the
receipt's own file, and on the time. Any doubt means that the gate is asked anew. Light.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping

from grind.adapters.hits import Doubt, ground

SCHEMA = "grind.pass/1"
_KEEP = 50


class Passes:
    """The passes of one repository, a file for each commit."""

    def __init__(self, git_dir: str, common_dir: str, environ: Mapping[str, str], version: str):
        self._folder = os.path.join(common_dir, "grind", "passes")
        self._receipts = os.path.join(common_dir, "grind", "receipts")
        self._facts = (git_dir, common_dir, environ, version)

    def ground(self, system: str | None) -> str:
        """Return the fingerprint of what decides; empty when in doubt. `system` is where git keeps
        the configuration of the machine."""
        if system is None:
            return ""
        try:
            return ground(*self._facts, system)
        except Doubt:
            return ""

    def find(self, commit: str, now: float) -> dict[str, object] | None:
        """Return what is remembered of a commit; None when the gate must be asked."""
        try:
            with open(os.path.join(self._folder, f"{commit}.json"), "rb") as file:
                found = json.load(file)
        except (OSError, ValueError):
            return None
        if not isinstance(found, dict) or found.get("schema") != SCHEMA:
            return None
        until, since = found.get("until"), found.get("since")
        if not isinstance(until, float | int) or not isinstance(since, float | int):
            return None
        if not since - 300 <= now <= until or found.get("stamp") != self.stamp(found.get("tree")):
            return None
        known = found.get("ground")
        return found if known and known == self.ground(str(found.get("system"))) else None

    def stamp(self, tree: object) -> list[int]:
        """Return what tells a receipt's file from any other that takes its place."""
        try:
            found = os.stat(os.path.join(self._receipts, f"{tree}.json"))
        except OSError:
            return []
        return [found.st_size, found.st_mtime_ns, found.st_ino]

    def save(self, commit: str, document: Mapping[str, object]) -> None:
        """Remember; the oldest are forgotten."""
        from grind.adapters.files import private_folder, replace_file

        private_folder(os.path.dirname(self._folder))
        private_folder(self._folder)
        data = json.dumps({"schema": SCHEMA, **document}).encode() + b"\n"
        replace_file(os.path.join(self._folder, f"{commit}.json"), data, sync=False)
        entries = sorted(os.scandir(self._folder), key=lambda entry: entry.stat().st_mtime_ns)
        for entry in entries[:-_KEEP]:
            os.unlink(entry.path)

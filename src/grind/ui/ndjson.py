"""The event stream itself, for programs: each entry one line of JSON (docs/schemas/events.json)."""

from __future__ import annotations

from typing import Protocol

from grind.core.events import Entry, encode


class Bytes(Protocol):
    """The part of a binary stream that is needed here."""

    def write(self, data: bytes, /) -> int:
        """Write bytes."""

    def flush(self) -> None:
        """Let them out."""


class NdjsonFace:
    """Writes every entry, output included, and lets it out at once."""

    def __init__(self, stream: Bytes) -> None:
        self._stream = stream

    def show(self, entry: Entry) -> None:
        """Write the entry."""
        self._stream.write(encode(entry))
        self._stream.flush()

    def close(self) -> None:
        """Nothing is left to do: every entry is out."""

"""The journal: one line of JSON per event, appended and never changed.

What a crash can leave is a last line without its end: it is ignored when reading, and cut off
before the next append. Every append is one `write`, so it survives the death of this process; an
intent or a result is also synced, so it survives the death of the machine before the effect that
follows it. Steps ride along with the next of those: a lost step is run again.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from types import TracebackType

import msgspec

from grind.adapters.files import private_folder, storing, sync_folder, write_all
from grind.core.errors import GrindError
from grind.core.events import (
    EVENTS_SCHEMA,
    Annotation,
    Entry,
    Event,
    JobStarted,
    Note,
    StepEnded,
    StepOutput,
    StepStarted,
    StepSummary,
    decode,
    encode,
)

_UNSYNCED = (JobStarted, StepStarted, StepEnded, StepSummary, Annotation, Note)


class DiskJournal:
    """A journal in `<folder>/journal.ndjson`. One writer at a time: hold the folder's lock.

    Opening changes nothing on the disk; the first append makes the folder and the file. `now`
    returns seconds since the epoch.
    """

    def __init__(self, folder: str, now: Callable[[], float]) -> None:
        self.folder = folder
        self.path = os.path.join(folder, "journal.ndjson")
        self._now = now
        self._fd: int | None = None
        self._end = 0
        """Offset after the last whole line."""
        self._seq = 0
        self._followed = 0
        """Offset up to which `follow` has read."""

    def __enter__(self) -> DiskJournal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def append(self, *events: Event) -> tuple[Entry, ...]:
        """Record events, all or none, in one write; return their entries.

        Synced when one of them is an intent or a result. StepOutput is not for the journal: the
        log file has it. Raises StorageError when the disk is full; the file then ends where it did.
        """
        if any(isinstance(event, StepOutput) for event in events):
            raise TypeError("StepOutput is shown, not journalled")
        with storing(self.path):
            fd = self._open()
            at = self._now()
            entries = tuple(
                Entry(EVENTS_SCHEMA, self._seq + number, at, event)
                for number, event in enumerate(events, 1)
            )
            data = b"".join(map(encode, entries))
            try:
                write_all(fd, data)
                if not all(isinstance(event, _UNSYNCED) for event in events):
                    os.fdatasync(fd)
                self._end += len(data)
                self._seq += len(entries)
            except BaseException:
                # An interrupt may come between any two lines above: what the file ends with is
                # read again before the next append, not remembered.
                os.ftruncate(fd, self._end)
                self.close()
                raise
        return entries

    def sync(self) -> None:
        """Make everything appended so far durable."""
        if self._fd is not None:
            with storing(self.path):
                os.fdatasync(self._fd)

    def read(self) -> Iterator[Entry]:
        """Yield the entries from the first. A torn last line is left out.

        Raises GrindError when a line before the last cannot be read: then the file was changed by
        something else, and guessing what it said could make a wrong green.
        """
        try:
            file = open(self.path, "rb")  # noqa: SIM115 - closed by the with below
        except FileNotFoundError:
            return
        with file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                yield self._entry(line, f"line {number}")

    def follow(self) -> list[Entry]:
        """Return the entries that have come since the last call, however many: another process
        writes them. A last line that is not whole yet is left for the next call."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self._followed)
                data = file.read()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        place = f"a line after byte {self._followed}"
        self._followed += len(whole)
        return [self._entry(line, place) for line in whole.splitlines(keepends=True)]

    def close(self) -> None:
        """Let go of the file."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _entry(self, line: bytes, place: str) -> Entry:
        try:
            entry = decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise GrindError(
                f"{self.path}: {place} is not a journal's: {error}",
                remedy=f"move {self.path} away to begin with an empty journal",
            ) from error
        if entry.schema != EVENTS_SCHEMA:
            raise GrindError(
                f"{self.path}: {place} is of another version of grind ({entry.schema})",
                remedy="use that version, or move the file away to begin with an empty journal",
            )
        return entry

    def _open(self) -> int:
        """Open for appending: cut a torn last line, and go on with the numbers where they ended."""
        if self._fd is not None:
            return self._fd
        private_folder(self.folder)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(self.path, flags, 0o600)
        try:
            size = os.fstat(fd).st_size
            end, last = _last_line(fd, size)
            if end < size:
                os.ftruncate(fd, end)
            self._seq = self._entry(last, "the last line").seq if last else 0
            self._end = end
            if size == 0:
                sync_folder(self.folder)
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd
        return fd


def _last_line(fd: int, size: int) -> tuple[int, bytes]:
    """Return the offset after the last whole line, and that line; (0, b"") when there is none."""
    block = b""
    start = size
    while start > 0:
        step = min(start, 65536)
        start -= step
        block = os.pread(fd, step, start) + block
        end = block.rfind(b"\n")
        if end < 0:
            continue
        begin = block.rfind(b"\n", 0, end) + 1
        if begin > 0 or start == 0:
            return start + end + 1, block[begin : end + 1]
    return 0, b""

"""Read git's index file, and take out of a copy whatever could hide an edit.

What may lie in an index is taken out of the copy:

- *assume-unchanged* and (for files that exist) *skip-worktree* bits are cleared;
- git compares whole seconds, and takes an entry whose change time is the second of the edit for
  unchanged when size and modification time were put back. Entries recorded within a clock tick of
  the index being written, and entries whose nanoseconds differ from the file's, lose their stat
  data, so that git reads those files again;
- the copy keeps the modification time of the original: git's own protection against edits in the
  second of the index being written depends on it.

The rest (fsmonitor, untracked cache, `core.ignoreStat`, `core.trustctime`, `core.checkStat`) is
settled by `-c` overrides of the git that reads the copy.

Format: git's Documentation/gitformat-index, versions 2 to 4.
"""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

TICK = 20_000_000
"""Nanoseconds. The kernel stamps files at timer ticks: 10 ms at 100 Hz, and some slack."""

_VALID = 0x8000
_EXTENDED = 0x4000
_STAGE = 0x3000
_NAME = 0x0FFF
_SKIP_WORKTREE = 0x4000
_SECOND = 1_000_000_000

GITLINK = 0o160000
TREE = 0o040000


class Entry(NamedTuple):
    """One path of the index."""

    name: bytes
    at: int
    """Offset of the entry in the file."""
    ctime: int
    """Nanoseconds since the epoch, like `mtime`."""
    mtime: int
    mode: int
    inode: int
    """Lower 32 bits, like `size`."""
    size: int
    flags: int
    extended: int

    @property
    def stage(self) -> int:
        """0, or the side of a conflict."""
        return (self.flags & _STAGE) >> 12


class Index(NamedTuple):
    """An index as read: its bytes, when it was written, its paths."""

    data: bytearray
    hash_size: int
    written: int
    """Nanoseconds since the epoch."""
    entries: list[Entry]

    def oid(self, entry: Entry) -> str:
        """Return the object that the entry records."""
        start = entry.at + 40
        return self.data[start : start + self.hash_size].hex()


class Raw(NamedTuple):
    """The bytes of an index file."""

    data: bytes
    written: int
    """Nanoseconds since the epoch."""
    identity: str
    """Differs whenever the file was replaced or written to."""


def load(path: str) -> Raw | None:
    """Read an index file; None when there is none."""
    try:
        with open(path, "rb") as file:
            stat = os.fstat(file.fileno())
            identity = f"{stat.st_mtime_ns}.{stat.st_ctime_ns}.{stat.st_ino}.{stat.st_size}"
            return Raw(file.read(), stat.st_mtime_ns, identity)
    except FileNotFoundError:
        return None


def parse(raw: Raw, hash_size: int) -> Index | None:
    """Find the paths; None when the form of the index is not understood here (a split index, an
    unknown version)."""
    data = bytearray(raw.data)
    if len(data) < 12 + hash_size or data[:4] != b"DIRC":
        return None
    version, count = struct.unpack_from(">II", data, 4)
    if version not in (2, 3, 4):
        return None
    try:
        entries, end = _entries(data, hash_size, version, count)
    except (struct.error, ValueError, IndexError):
        return None
    if not _understood(data, end, len(data) - hash_size):
        return None
    return Index(data, hash_size, raw.written, entries)


def _entries(data: bytearray, size: int, version: int, count: int) -> tuple[list[Entry], int]:
    unpack = struct.Struct(f">10I{size}xH").unpack_from
    fixed = 42 + size
    entries = []
    at, name = 12, b""
    for _ in range(count):
        fields = unpack(data, at)
        flags = fields[10]
        start = at + fixed
        extended = 0
        if flags & _EXTENDED:
            extended = (data[start] << 8) | data[start + 1]
            start += 2
        if version == 4:
            strip, start = _varint(data, start)
            end = data.index(0, start)
            name = name[: len(name) - strip] + bytes(data[start:end])
            after = end + 1
        else:
            end = start + (flags & _NAME)
            if flags & _NAME == _NAME:
                end = data.index(0, start)
            name = bytes(data[start:end])
            after = at + ((end - at + 8) & ~7)
        ctime = fields[0] * _SECOND + fields[1]
        mtime = fields[2] * _SECOND + fields[3]
        entries.append(
            Entry(name, at, ctime, mtime, fields[6], fields[5], fields[9], flags, extended)
        )
        at = after
    return entries, at


def _varint(data: bytearray, at: int) -> tuple[int, int]:
    byte = data[at]
    at += 1
    value = byte & 0x7F
    while byte & 0x80:
        byte = data[at]
        at += 1
        value = ((value + 1) << 7) | (byte & 0x7F)
    return value, at


def _understood(data: bytearray, at: int, end: int) -> bool:
    """Whether the extensions are ones that do not change which paths there are. Extensions that
    begin with a capital letter are optional by the format's own rule; `sdir` says that folders
    outside a sparse checkout are entries."""
    while at < end:
        kind, length = struct.unpack_from(">4sI", data, at)
        if not (kind[:1].isupper() or kind == b"sdir"):
            return False
        at += 8 + length
    return at == end


def unmerged(index: Index) -> list[bytes]:
    """Return the paths with conflicts."""
    return sorted({entry.name for entry in index.entries if entry.flags & _STAGE})


class Uncovered(NamedTuple):
    """What `uncover` did, and left."""

    forgotten: int
    """Entries that git will have to read again."""
    skipped: bool
    """Whether entries without a file are left with skip-worktree."""


def uncover(index: Index, top: int, now: int) -> Uncovered:
    """Clear, in the bytes, the bits and stat data that could hide an edit, up to `now` and later.

    `top` is a descriptor of the top folder, `now` nanoseconds since the epoch. A file that changes
    after `now` gets another second as its change time than any that is left recorded.
    """
    forgotten, skipped = 0, False
    edge = min(index.written - TICK, now // _SECOND * _SECOND)
    for entry in index.entries:
        if entry.flags & _VALID:
            _clear(index, entry.at + 40 + index.hash_size, _VALID)
        if entry.extended & _SKIP_WORKTREE:
            if entry.mode != TREE and _exists(entry.name, top):
                _clear(index, entry.at + 42 + index.hash_size, _SKIP_WORKTREE)
            else:
                skipped = True
        if entry.ctime >= edge or _touched(entry, top):
            index.data[entry.at : entry.at + 16] = bytes(16)  # the times
            forgotten += 1
    return Uncovered(forgotten, skipped)


def _clear(index: Index, at: int, bit: int) -> None:
    value = (index.data[at] << 8) | index.data[at + 1]
    struct.pack_into(">H", index.data, at, value & ~bit)


def _exists(name: bytes, top: int) -> bool:
    try:
        os.lstat(name, dir_fd=top)
    except OSError:
        return False
    return True


def _touched(entry: Entry, top: int) -> bool:
    """Whether git takes the file for unchanged, by whole seconds, size and inode, although the
    nanoseconds say that it was touched."""
    try:
        stat = os.lstat(entry.name, dir_fd=top)
    except OSError:
        return False
    ctime, mtime = stat.st_ctime_ns, stat.st_mtime_ns
    if ctime == entry.ctime and mtime == entry.mtime:
        return False
    return (
        ctime // _SECOND == entry.ctime // _SECOND
        and mtime // _SECOND == entry.mtime // _SECOND
        and stat.st_size & 0xFFFFFFFF == entry.size
        and stat.st_ino & 0xFFFFFFFF == entry.inode
    )


def _digest(size: int, data: bytes | memoryview) -> bytes:
    import hashlib

    name = "sha256" if size == 32 else "sha1"
    return hashlib.new(name, data, usedforsecurity=False).digest()


def sealed(index: Index) -> bytes:
    """Return the bytes with a right checksum."""
    end = len(index.data) - index.hash_size
    if any(index.data[end:]):  # all zero: git was told not to sum (index.skipHash)
        index.data[end:] = _digest(index.hash_size, memoryview(index.data)[:end])
    return bytes(index.data)


def store(data: bytes, written: int, path: str) -> None:
    """Write an index under another name, with the time of the original."""
    with open(path, "wb") as file:
        file.write(data)
    os.utime(path, ns=(written, written))

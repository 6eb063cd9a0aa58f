"""One `git log` as commits: the fields it is asked for, and the reader of what it prints.

Names of files, authors and subjects are anyone's: they stay bytes until they are shown. NUL is the
one byte that none of them can hold, so it alone separates.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

# Read with `-z --name-only`. Each commit begins with an empty field; fields after it are in order.
LOG_FORMAT = "%x00%H%x00%at%x00%an%x00%ae%x00%s"
_FIELDS = 6  # with the empty one


class Commit(NamedTuple):
    """One commit that is no merge. `time` is the author's, in seconds of Unix time.

    The author's time survives a rebase, which gives a whole branch one committer's time.
    """

    oid: str
    time: int
    author: bytes
    address: bytes
    subject: bytes
    paths: tuple[bytes, ...]


class HistoryLogError(ValueError):
    """What should be git's log is not: nothing may be counted from it."""


def read_log(chunks: Iterable[bytes]) -> Iterator[Commit]:
    """Yield the commits of a log printed with `LOG_FORMAT`, in linear time, chunk by chunk.

    Raises HistoryLogError where the stream is cut off or is something else.
    """
    fields: list[bytes] = [b""]  # the last one is still growing
    searched = _FIELDS  # where the end of the first commit in `fields` may be
    for chunk in chunks:
        head, *more = chunk.split(b"\0")
        fields[-1] += head
        fields += more
        begin = 0
        # The last field is not a whole one yet, so it is no end.
        while (end := _index(fields, searched, len(fields) - 1)) is not None:
            yield _commit(fields, begin, end)
            begin, searched = end, end + _FIELDS
        del fields[:begin]
        searched = max(_FIELDS, len(fields) - 1)
    if fields == [b""]:
        return
    if fields[-1] != b"" or len(fields) <= _FIELDS:
        raise HistoryLogError("the log of git ends in the middle of a commit")
    yield _commit(fields, 0, len(fields) - 1)


def _index(fields: list[bytes], begin: int, end: int) -> int | None:
    try:
        return fields.index(b"", begin, end)
    except ValueError:
        return None


def _commit(fields: list[bytes], begin: int, end: int) -> Commit:
    mark, oid, time, author, address, subject = fields[begin : begin + _FIELDS]
    try:
        seconds = int(time)
        bytes.fromhex(name := oid.decode("ascii"))
    except ValueError as error:
        raise HistoryLogError(f"the log of git has no commit where one begins: {oid!r}") from error
    if mark or len(oid) not in (40, 64):
        raise HistoryLogError(f"the log of git has no commit where one begins: {oid!r}")
    paths = fields[begin + _FIELDS : end]
    if paths:
        # git puts a line feed between its format and the names, whatever separates the names.
        if not paths[0].startswith(b"\n"):
            raise HistoryLogError(f"the log of git has no names where they begin: {paths[0]!r}")
        paths[0] = paths[0][1:]
    return Commit(name, seconds, author, address, subject, tuple(paths))

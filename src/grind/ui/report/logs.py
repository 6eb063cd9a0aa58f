"""Logs inside a page: deflated, in base64, a piece at a time, so that memory stays flat.

The browser unpacks one when it is opened, and no sooner. Base64 has no `<`, so nothing that a log
says can end the element that it is in.
"""

from __future__ import annotations

import base64
import zlib
from collections import deque
from collections.abc import Iterable, Iterator

_PIECE = 3 * 16384
"""A multiple of three, so that pieces of base64 can be put one behind the other."""
LEVEL = 6


def packed(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the base64 of the deflated bytes (zlib's format, as `DecompressionStream` takes it)."""
    deflate = zlib.compressobj(LEVEL)
    waiting = bytearray()
    for piece in pieces:
        waiting += deflate.compress(piece)
        while len(waiting) >= _PIECE:
            yield base64.b64encode(waiting[:_PIECE]).decode("ascii")
            del waiting[:_PIECE]
    waiting += deflate.flush()
    yield base64.b64encode(waiting).decode("ascii")


def end_of(pieces: Iterable[bytes], size: int, limit: int) -> Iterator[bytes]:
    """Yield the last `limit` of `size` bytes, from the beginning of a line where one is near.

    What fails a step is said at its end.
    """
    skip = max(0, size - limit)
    seeking = skip > 0
    for piece in pieces:
        if skip >= len(piece):
            skip -= len(piece)
            continue
        rest = piece[skip:]
        skip = 0
        if seeking:
            seeking = False
            rest = rest[rest.find(b"\n") + 1 :]
        yield rest


def last_lines(pieces: Iterable[bytes], count: int, most: int = 64 * 1024) -> str:
    """Return the last lines of a log as text, of its last `most` bytes."""
    kept: deque[bytes] = deque()
    size = 0
    for piece in pieces:
        kept.append(piece)
        size += len(piece)
        while size - len(kept[0]) >= most:
            size -= len(kept.popleft())
    text = b"".join(kept)[-most:].decode("utf-8", "replace")
    return "\n".join(text.rstrip("\n").split("\n")[-count:])

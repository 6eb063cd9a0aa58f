"""Where pages are written."""

from __future__ import annotations

import os
from collections.abc import Iterable


def write_page(path: str, pieces: Iterable[str]) -> int:
    """Give the file this text, when all of it is there; return its size in bytes.

    Raises StorageError; the file is then what it was. Folders that are missing are not made.
    """
    from grind.adapters.files import replace_pieces

    encoded = (piece.encode("utf-8", "replace") for piece in pieces)
    return replace_pieces(os.path.abspath(path), encoded, sync=False)

"""A tree of files to read, whoever holds them: a working copy, a revision, a dict in a test."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Entry(NamedTuple):
    """One entry. Paths are relative to the root, with `/`, decoded with `surrogateescape`."""

    path: str
    executable: bool = False
    """Git's mode bit."""
    tracked: bool = True
    regular: bool = True
    """False for symbolic links and submodules: they are there, but hold no text of their own."""


class Tree(Protocol):
    """The files that are linted."""

    def entries(self) -> list[Entry]:
        """All files, tracked and new ones that git does not ignore."""
        ...

    def read(self, path: str) -> bytes | None:
        """A file's content; None when it is gone or is not a regular file."""
        ...

    def exists(self, path: str, /) -> bool:
        """Whether a file or folder is there, also one that git ignores."""
        ...

"""Find Git LFS pointers: files whose content in the tree stands for a content kept elsewhere.

A runner that checks out without `lfs: true` sees the pointer, so a check must be told.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from grind.adapters.git import contents
from grind.adapters.git.contents import Item
from grind.adapters.git.process import Git, zjoin, zlist

_LIMIT = 1024
"""Bytes; a pointer is shorter (git-lfs, docs/spec.md)."""

_HEADERS = (b"version https://git-lfs.github.com/spec/", b"version https://hawser.github.com/spec/")
_ATTRIBUTES = b".gitattributes"


def is_attributes(name: bytes) -> bool:
    """Whether a path is a file of attributes."""
    return name == _ATTRIBUTES or name.endswith(b"/" + _ATTRIBUTES)


def mentioned_on_disk(top: str, names: Iterable[bytes]) -> bool:
    """Whether one of the attribute files of the working copy speaks of LFS."""
    return any(b"lfs" in _small_file(top, name, 1 << 20) for name in names if is_attributes(name))


def mentioned_in_tree(git: Git, items: Iterable[Item]) -> bool:
    """Whether one of the attribute files of the tree speaks of LFS."""
    oids = [item.oid for item in items if is_attributes(item.name)]
    return any(b"lfs" in text for text in contents.read(git, oids).values())


def on_disk(top: str, names: Iterable[bytes]) -> set[bytes]:
    """Return which files of the working copy are pointers."""
    return {name for name in names if _small_file(top, name, _LIMIT).startswith(_HEADERS)}


def in_tree(git: Git, items: Sequence[Item]) -> set[bytes]:
    """Return which files are pointers by their content in the tree."""
    small = contents.read_small(git, (item.oid for item in items), _LIMIT)
    return {item.name for item in items if small.get(item.oid, b"").startswith(_HEADERS)}


def filtered(indexed: Git, items: Iterable[Item]) -> list[Item]:
    """Return the files that the attributes give `filter=lfs`; `indexed` has the tree as index."""
    by_name = {item.name: item for item in items}
    answer = indexed.run(
        ["check-attr", "--cached", "-z", "--stdin", "filter"],
        zjoin(by_name),
        doing="reading attributes",
    )
    fields = zlist(answer)
    return [
        by_name[name]
        for name, value in zip(fields[::3], fields[2::3], strict=True)
        if value == b"lfs"
    ]


def _small_file(top: str, name: bytes, limit: int) -> bytes:
    path = os.path.join(os.fsencode(top), name)
    try:
        if os.lstat(path).st_size > limit or os.path.islink(path):
            return b""
        with open(path, "rb") as file:
            return file.read(limit)
    except OSError:  # absent from a sparse checkout, or a submodule
        return b""

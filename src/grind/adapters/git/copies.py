"""A copy of the user's index that hides nothing, and its cache.

Why a copy and not an index of grind's own: only the user's index knows what was force-added,
removed with `--cached` or marked intent-to-add, and it carries the stat data that makes `git add`
fast (with a really fresh index every file is hashed: 75 ms instead of 17 ms for 5,000 files).

Looking at every file's nanoseconds costs as much as `git status`, so the result is kept until the
user's index changes: what was verified once is only wrong for a file that changed since, and git
sees that by its change time (`index.uncover`).
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple

from grind.adapters.git import index
from grind.adapters.git.index import Index, Raw
from grind.adapters.git.layout import Layout
from grind.adapters.git.text import shown
from grind.core.errors import GrindError

_FORM = "grind.index/1"
_FEW = 200
"""Entries to be read again, that are cheaper than looking at all files anew."""


class Copy(NamedTuple):
    """An index that hides nothing; `written` is the time that its file must have."""

    data: bytes
    written: int
    attributes: tuple[bytes, ...]
    """The attribute files in it."""
    links: bool
    """Whether there are submodules in it."""


def honest(layout: Layout, top: str) -> Copy | None:
    """Copy the user's index; None when its form is not understood.

    Raises GrindError when it has conflicts.
    """
    raw = index.load(os.path.join(layout.git_dir, "index"))
    if raw is None:
        return Copy(b"", 0, (), False)
    cache = os.path.join(layout.home, f"index-{_worktree(layout)}")
    return _kept(cache, raw) or _made(cache, raw, layout.hash_size, top)


def refuse_conflicts(names: list[bytes]) -> None:
    """Raise GrindError when there are any."""
    if not names:
        return
    some = ", ".join(shown(name) for name in names[:5]) + (" …" if len(names) > 5 else "")
    raise GrindError(
        f"a merge has conflicts that are not settled: {some}",
        remedy="settle them and `git add` the files, or abort the merge",
    )


def _worktree(layout: Layout) -> str:
    """Linked worktrees have a folder of their own, with a name that git made unique."""
    return (
        "main" if layout.git_dir == layout.common_dir else "w-" + os.path.basename(layout.git_dir)
    )


def _made(cache: str, raw: Raw, hash_size: int, top: str) -> Copy | None:
    now = time.time_ns()
    view = index.parse(raw, hash_size)
    if view is None:
        return None
    refuse_conflicts(index.unmerged(view))
    descriptor = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        left = index.uncover(view, descriptor, now)
    finally:
        os.close(descriptor)
    copy = Copy(index.sealed(view), raw.written, *_features(view))
    # A file that skip-worktree hides may come into being later, without the index changing; and an
    # index that is written again within a clock tick could be taken for this one.
    settled = now - raw.written > index.TICK
    if settled and left.forgotten <= _FEW and not left.skipped:
        _keep(cache, raw, copy)
    return copy


def _features(view: Index) -> tuple[tuple[bytes, ...], bool]:
    names = (entry.name for entry in view.entries)
    attributes = tuple(name for name in names if name.endswith(b".gitattributes"))
    return attributes, any(entry.mode == index.GITLINK for entry in view.entries)


def _keep(cache: str, raw: Raw, copy: Copy) -> None:
    head = f"{_FORM} {raw.identity} {int(copy.links)} {len(copy.attributes)}\n".encode()
    names = b"".join(name + b"\0" for name in copy.attributes)
    aside = f"{cache}.{os.getpid()}.{os.urandom(4).hex()}"  # `prune` sweeps what is left of it
    with open(aside, "wb") as file:
        file.write(head + names + copy.data)
    os.replace(aside, cache)


def _kept(cache: str, raw: Raw) -> Copy | None:
    try:
        with open(cache, "rb") as file:
            head = file.readline().decode("ascii", "replace").split()
            rest = file.read()
    except FileNotFoundError:
        return None
    if head[:2] != [_FORM, raw.identity] or len(head) != 4:
        return None
    *attributes, data = rest.split(b"\0", int(head[3]))
    return Copy(data, raw.written, tuple(attributes), head[2] == "1")

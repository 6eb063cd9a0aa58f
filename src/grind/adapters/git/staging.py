"""`git add -A` on a temporary index."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import NamedTuple

from grind.adapters.git import copies, index
from grind.adapters.git.copies import Copy
from grind.adapters.git.process import Git, config, zjoin, zlist
from grind.adapters.git.site import Site
from grind.core.errors import GrindError

# What could hide an edit, start a program, or touch the user's files while the copy is read.
HONEST = config(
    core__fsmonitor="false",
    core__untrackedCache="false",
    core__ignoreStat="false",
    core__trustctime="true",
    core__checkStat="default",
    core__splitIndex="false",
    core__preloadIndex="true",
    index__skipHash="true",
    core__hooksPath=os.devnull,
    sparse__expectFilesOutsideOfPatterns="false",
    add__ignoreErrors="false",
    advice__addEmbeddedRepo="false",
)
_ADD = [*HONEST, "add", "--all", "--sparse", "."]
_READING = "reading the working copy"


class Staged(NamedTuple):
    """Everything that would be pushed, in an index of grind's own."""

    git: Git
    """Sees that index."""
    attributes: tuple[bytes, ...]
    """The attribute files that the user's index had."""
    links: bool
    """Whether the user's index had submodules."""


@contextlib.contextmanager
def scratch_index(site: Site) -> Iterator[str]:
    """A path for a temporary index, gone afterwards, in a folder that only the user can enter."""
    site.private_path  # noqa: B018 (creates the folder)
    path = os.path.join(site.layout.home, f"index.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        yield path
    finally:
        for leftover in (path, f"{path}.lock"):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(leftover)


@contextlib.contextmanager
def staged(site: Site) -> Iterator[Staged]:
    """Add everything to a temporary index. Raises GrindError when the index has conflicts and when
    git cannot read a file: what is not read is never left out in silence."""
    top = site.top
    with scratch_index(site) as path:
        git = site.adding.with_env(GIT_INDEX_FILE=path)
        copy = _copy(site, top, path)
        if copy is None:
            yield _slowly(site, git, top)
            return
        git.run(_ADD, doing=_READING)
        yield Staged(git, copy.attributes, copy.links)


def _copy(site: Site, top: str, path: str) -> Copy | None:
    try:
        copy = copies.honest(site.layout, top)
        if copy is not None and copy.data:
            index.store(copy.data, copy.written, path)
    except OSError as error:  # a full disk, a folder that may not be entered
        raise GrindError(f"cannot copy git's index: {error.strerror}") from error
    return copy


def _slowly(site: Site, git: Git, top: str) -> Staged:
    """For indexes of a form that `index.parse` does not know (split ones): let git list the paths
    and build a fresh index from them. Every file is hashed again."""
    listing = site.git.run([*HONEST, "ls-files", "--stage", "-t", "-z"], doing="reading the index")
    lines = zlist(listing)
    names = [line.partition(b"\t")[2] for line in lines]
    facts = [line.partition(b"\t")[0].split() for line in lines]  # tag, mode, oid, stage
    conflicts = {name for name, fact in zip(names, facts, strict=True) if fact[3] != b"0"}
    copies.refuse_conflicts(sorted(conflicts))
    rows = [
        b" ".join((mode, oid)) + b"\t" + name
        for name, (_tag, mode, oid, _stage) in zip(names, facts, strict=True)
    ]
    git.run([*HONEST, "update-index", "-z", "--index-info"], zjoin(rows), doing="copying the index")
    absent = [
        name
        for name, fact in zip(names, facts, strict=True)
        if fact[0] == b"S" and not os.path.lexists(os.path.join(os.fsencode(top), name))
    ]
    if absent:
        args = [*HONEST, "update-index", "--skip-worktree", "-z", "--stdin"]
        git.run(args, zjoin(absent), doing="copying the index")
    git.run(_ADD, doing=_READING)
    attributes = tuple(name for name in names if name.endswith(b".gitattributes"))
    return Staged(git, attributes, any(fact[1] == b"160000" for fact in facts))

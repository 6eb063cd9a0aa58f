"""Read trees and blobs: few processes, whatever the number of files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from grind.adapters.git.process import Git, zlist
from grind.adapters.git.text import shown
from grind.core.errors import GrindError

SUBMODULE = 0o160000


class Item(NamedTuple):
    """A file, symbolic link or submodule of a tree."""

    name: bytes
    mode: int
    oid: str


def items(git: Git, tree: str, prefixes: Sequence[str] = ()) -> list[Item]:
    """List a tree with all its subfolders; only what lies at or under `prefixes` when given.
    Prefixes are taken literally."""
    args = ["ls-tree", "-r", "-z", "--full-tree", tree, "--", *prefixes]
    listing = git.run(args, doing=f"listing the tree {shown(tree)}")
    found = []
    for line in zlist(listing):
        facts, _, name = line.partition(b"\t")
        mode, _kind, oid = facts.split()
        found.append(Item(name, int(mode, 8), oid.decode()))
    return found


def read(git: Git, oids: Iterable[str]) -> dict[str, bytes]:
    """Read objects through one git; raises GrindError when one is missing."""
    wanted = list(dict.fromkeys(oids))
    if not wanted:
        return {}
    data = git.run(["cat-file", "--batch"], _lines(wanted), doing="reading files")
    found = {}
    at = 0
    for oid in wanted:
        end = data.index(b"\n", at)
        words = data[at:end].split()
        if len(words) != 3:
            raise GrindError(f"the object {shown(oid)} is missing from the repository")
        size = int(words[2])
        found[oid] = data[end + 1 : end + 1 + size]
        at = end + size + 2
    return found


def read_small(git: Git, oids: Iterable[str], limit: int) -> dict[str, bytes]:
    """Read those objects that have at most `limit` bytes; missing ones are left out."""
    wanted = list(dict.fromkeys(oids))
    if not wanted:
        return {}
    form = "--batch-check=%(objectsize) %(objectname)"
    sizes = [line.split() for line in git.run(["cat-file", form], _lines(wanted)).splitlines()]
    small = [oid.decode() for size, oid in sizes if oid != b"missing" and int(size) <= limit]
    return read(git, small)


def _lines(oids: Sequence[str]) -> bytes:
    return "".join(f"{oid}\n" for oid in oids).encode()


def blob_id(data: bytes, like: str) -> str:
    """Return the id that git gives a file's content, in the object format of the id `like`."""
    import hashlib

    kind = "sha256" if len(like) == 64 else "sha1"
    whole = b"blob %d\0" % len(data) + data
    return hashlib.new(kind, whole, usedforsecurity=False).hexdigest()

"""Make trees without a working copy: merges to be proven before they are pushed, and a change under
the rules of another revision."""

from __future__ import annotations

import os
from collections.abc import Sequence

from grind.adapters.git.contents import items
from grind.adapters.git.process import zjoin, zlist
from grind.adapters.git.site import Site
from grind.adapters.git.staging import HONEST, scratch_index
from grind.adapters.git.text import shown
from grind.core.errors import GrindError
from grind.core.repository import Conflicts, Merged, MergeResult


def merge_tree(site: Site, ours: str, theirs: str) -> MergeResult:
    """Merge two commits and return the tree (in the private repository), or the paths with
    conflicts. Raises GrindError when git is older than 2.38 or cannot merge them at all."""
    flags = ["--write-tree", "-z", "--name-only", "--no-messages"]
    answer = site.adding.ask(["merge-tree", *flags, ours, theirs])
    fields = [os.fsdecode(field) for field in zlist(answer.out)]
    if answer.code == 0 and len(fields) == 1:
        return Merged(fields[0])
    if answer.code == 1 and len(fields) > 1:
        return Conflicts(tuple(dict.fromkeys(fields[1:])))
    words = shown(answer.err)
    if "usage: git merge-tree" in words or "unknown rev --write-tree" in words:
        raise GrindError("merging without a working copy needs git 2.38", remedy="update git")
    raise GrindError(f"git cannot merge {ours} and {theirs}: {words}")


def overlay(site: Site, tree: str, base: str, paths: Sequence[str]) -> str:
    """Return a tree (in the private repository) that has these paths as `base` has them, or not at
    all where it has none, and everything else as `tree` has it. Paths are whole files."""
    theirs = {item.name: item for item in items(site.private, base, paths)}
    gone = b"0 " + b"0" * (2 * site.layout.hash_size)
    lines = []
    for path in paths:
        name = os.fsencode(path)
        item = theirs.get(name)
        facts = f"{item.mode:o} {item.oid}".encode() if item is not None else gone
        lines.append(facts + b"\t" + name)
    doing = "laying the rules of another revision over the tree"
    with scratch_index(site) as index:
        git = site.adding.with_env(GIT_INDEX_FILE=index)
        git.run([*HONEST, "read-tree", tree], doing=doing)
        git.run([*HONEST, "update-index", "-z", "--index-info"], zjoin(lines), doing=doing)
        return git.run([*HONEST, "write-tree"], doing=doing).decode().strip()

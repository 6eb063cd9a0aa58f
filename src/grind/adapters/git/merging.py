"""Merge two commits without a working copy, for proving the result before it is pushed."""

from __future__ import annotations

import os

from grind.adapters.git.process import zlist
from grind.adapters.git.site import Site
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

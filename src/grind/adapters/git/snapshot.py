"""The snapshot: the tree that would be pushed, and a commit that holds it.

Nothing of the user's index, refs, objects and files changes: new objects go to the private
repository. Needs git >= 2.34 (`git add --sparse`).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from grind.adapters.git import contents, index, lfs
from grind.adapters.git.contents import Item
from grind.adapters.git.process import Git, config, demand, zlist
from grind.adapters.git.site import Site
from grind.adapters.git.spawn import Running
from grind.adapters.git.staging import HONEST, scratch_index, staged
from grind.adapters.git.text import shown
from grind.core.errors import GrindError
from grind.core.repository import Snapshot, Submodule

_NOBODY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "grind"), ("EMAIL", "grind@localhost"))
}


class Head(NamedTuple):
    """What a commit object says; `date` is its committer's, in seconds since the epoch."""

    oid: str
    tree: str
    parents: tuple[str, ...]
    date: str


class Change(NamedTuple):
    """A path that differs between two trees: what the second has, and how git calls it
    (A, M, T, D)."""

    item: Item
    letter: str


def of_worktree(site: Site) -> Snapshot:
    """Take the snapshot of the working copy. Raises GrindError in a repository without one, with
    conflicts, or with files that git cannot read."""
    top = site.top
    heading = site.git.start(["cat-file", "--batch"], b"HEAD^{commit}\n")
    try:
        with staged(site) as stage:
            tree = stage.git.run([*HONEST, "write-tree"], doing="writing the tree").decode().strip()
            head = _require_head(site, demand(heading.finish(), "reading HEAD"))
            commit, changes = _commit(site, tree, head)
            names = [change.item.name for change in changes if change.letter != "D"]
            pointers = lfs.on_disk(top, names)
            speaks = lfs.mentioned_on_disk(top, (*stage.attributes, *names))
            links = stage.links or any(c.item.mode == index.GITLINK for c in changes)
            items = contents.items(site.private, tree) if speaks or links else []
            if speaks:
                pointers |= lfs.in_tree(site.private, lfs.filtered(stage.git, items))
    finally:
        if heading.returncode is None:
            heading.finish()
    return _snapshot(tree, commit, head, changes, pointers, _submodules(site, items, top))


def of_rev(site: Site, rev: str) -> Snapshot:
    """Take the snapshot of a commit, tag or tree. Nothing of the working copy is looked at."""
    if "\n" in rev or "\0" in rev or not rev:
        raise _unknown(rev)
    request = f"{rev}\n{rev}^{{tree}}\n{rev}^{{commit}}\n"
    args = ["cat-file", "--batch-check=%(objectname) %(objecttype)"]
    lines = site.adding.run(args, os.fsencode(request)).decode(errors="replace").splitlines()
    kinds = {kind: oid for oid, _, kind in (line.rpartition(" ") for line in lines)}
    tree = kinds.get("tree")
    if tree is None:
        raise _unknown(rev)
    head = None
    commit = kinds.get("commit")
    if commit is None:
        commit = _make_commit(site, tree, None)
    else:
        head = parse_head(site.private.run(["cat-file", "--batch"], f"{commit}\n".encode()))
    items = contents.items(site.private, tree)
    pointers: set[bytes] = set()
    if lfs.mentioned_in_tree(site.private, items):
        with scratch_index(site) as path:
            indexed = site.adding.with_env(GIT_INDEX_FILE=path)
            indexed.run([*HONEST, "read-tree", tree])
            pointers = lfs.in_tree(site.private, lfs.filtered(indexed, items))
    snapshot = _snapshot(tree, commit, head, (), pointers, _submodules(site, items, None))
    return snapshot._replace(of_rev=True)


def proposal(site: Site, tree: str, parent: str) -> Snapshot:
    """Return the snapshot that has this tree on top of this commit: a merge or a squash that shall
    be proven before it exists. The tree may be one of the private repository."""
    head = parse_head(site.private.run(["cat-file", "--batch"], f"{parent}\n".encode()))
    if head is None:
        raise _unknown(parent)
    return of_rev(site, _commit(site, tree, head)[0])._replace(head=parent, parent=parent)


def _unknown(rev: str) -> GrindError:
    return GrindError(
        f"{shown(rev) or 'an empty name'} is not a commit or tree of this repository",
        remedy="name a branch, a tag or a commit id",
    )


def parse_head(answer: bytes) -> Head | None:
    """Read what `cat-file --batch` says of a commit; None when there is none."""
    first, _, body = answer.partition(b"\n")
    words = first.split()
    if len(words) != 3:
        return None
    headers = body.partition(b"\n\n")[0].split(b"\n")
    tree = headers[0].split()[1].decode()
    parents = tuple(line.split()[1].decode() for line in headers if line.startswith(b"parent "))
    committer = next(line for line in headers if line.startswith(b"committer "))
    return Head(words[0].decode(), tree, parents, committer.split()[-2].decode())


def _require_head(site: Site, answer: bytes) -> Head | None:
    """Read HEAD's commit; None when the branch has no commits yet."""
    head = parse_head(answer)
    if head is None and site.git.ask(["rev-parse", "--verify", "-q", "HEAD"]).code == 0:
        raise GrindError("the commit that HEAD names is missing", remedy="git fsck")
    return head


def _commit(site: Site, tree: str, head: Head | None) -> tuple[str, list[Change]]:
    """Make the snapshot's commit and, side by side, list what differs from HEAD."""
    if head is not None and tree == head.tree:
        return head.oid, []
    comparing = start_diff(site.private, head.tree if head else site.layout.empty_tree, tree)
    try:
        commit = _make_commit(site, tree, head)
    finally:
        answer = comparing.finish()
    return commit, parse_diff(demand(answer, "comparing with HEAD"))


def _make_commit(site: Site, tree: str, head: Head | None) -> str:
    """The same tree on the same commit gives the same id: names and dates are fixed."""
    date = f"@{head.date if head else 0} +0000"
    git = site.private.with_env(**_NOBODY, GIT_AUTHOR_DATE=date, GIT_COMMITTER_DATE=date)
    args = [*config(i18n__commitEncoding="UTF-8"), "commit-tree", tree]
    args += ["-p", head.oid] if head else []
    return git.run(args, b"grind snapshot\n", doing="making the snapshot commit").decode().strip()


def start_diff(git: Git, old: str, new: str) -> Running:
    """Start comparing two trees; give the answer to `parse_diff`."""
    form = ["-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--ignore-submodules=none"]
    return git.start(["diff-tree", *form, old, new])


def parse_diff(data: bytes) -> list[Change]:
    """Read a raw diff: `:oldmode newmode oldoid newoid LETTER`, NUL, path, NUL."""
    fields = zlist(data)
    changes = []
    for facts, name in zip(fields[::2], fields[1::2], strict=True):
        _old, mode, _oid, oid, letter = facts.decode().split()
        changes.append(Change(Item(name, int(mode, 8), oid), letter[:1]))
    return changes


def _snapshot(
    tree: str,
    commit: str,
    head: Head | None,
    changes: Sequence[Change],
    pointers: Iterable[bytes],
    submodules: tuple[Submodule, ...],
) -> Snapshot:
    letters = [change.letter for change in changes]
    same = head is not None and commit == head.oid
    return Snapshot(
        tree=tree,
        commit=commit,
        parent=None if head is None else next(iter(head.parents), None) if same else head.oid,
        head=head.oid if head else None,
        new=tuple(os.fsdecode(c.item.name) for c in changes if c.letter == "A"),
        modified=sum(letter in "MT" for letter in letters),
        deleted=letters.count("D"),
        submodules=submodules,
        lfs=tuple(os.fsdecode(name) for name in sorted(pointers)),
    )


def _submodules(site: Site, items: Iterable[Item], top: str | None) -> tuple[Submodule, ...]:
    return tuple(
        Submodule(os.fsdecode(item.name), item.oid, _dirty(site, item.name, top))
        for item in items
        if item.mode == index.GITLINK
    )


def _dirty(site: Site, name: bytes, top: str | None) -> bool | None:
    """Whether a submodule's working copy has edits; None when it is not checked out."""
    if top is None:
        return None
    place = os.path.join(top, os.fsdecode(name))
    if not os.path.lexists(os.path.join(place, ".git")):
        return None
    args = [*HONEST, "status", "--porcelain", "-z", "--ignore-submodules=none"]
    answer = Git(place, site.outside).ask(args)
    return bool(answer.out) if answer.code == 0 else None

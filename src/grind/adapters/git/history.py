"""What differs from where, and which commits are only here."""

from __future__ import annotations

import os

from grind.adapters.git.process import demand, zlist
from grind.adapters.git.site import Site
from grind.adapters.git.snapshot import parse_diff, start_diff
from grind.adapters.git.text import shown
from grind.core.errors import GrindError
from grind.core.repository import ChangedFile, Commit, Snapshot


def merge_base(site: Site, ours: str, theirs: str) -> str | None:
    """Return the best common ancestor of two commits, the first when there are several; None when
    they have none."""
    if ours == theirs:
        return ours
    answer = site.adding.ask(["merge-base", ours, theirs])
    return answer.out.decode().split()[0] if answer.code == 0 and answer.out else None


def resolve(site: Site, rev: str) -> str:
    """Return the commit that a revision names. Raises GrindError when it names none."""
    wanted = f"{rev}^{{commit}}"
    answer = site.adding.ask(["rev-parse", "--verify", "-q", "--end-of-options", wanted])
    if answer.code != 0:
        raise GrindError(
            f"{shown(rev)} names no commit here", remedy="`git log --oneline` lists commits"
        )
    return answer.out.decode().strip()


def tree_of(site: Site, commit: str) -> str:
    """Return the tree that a commit has; empty when it is not there (any more)."""
    answer = site.adding.ask(["rev-parse", "--verify", "-q", f"{commit}^{{tree}}"])
    return answer.out.decode().strip() if answer.code == 0 else ""


def message(site: Site, commit: str) -> str:
    """Return a commit's message."""
    args = ["log", "-1", "--format=%B", "--no-show-signature", "--no-color", commit, "--"]
    return os.fsdecode(site.adding.ask(args).out).strip()


def is_ancestor(site: Site, old: str, new: str) -> bool:
    """Whether `new` is `old` or comes after it; False when one of them is not here."""
    return site.adding.ask(["merge-base", "--is-ancestor", old, new]).code == 0


def changed_paths(site: Site, snapshot: Snapshot, upstream: str | None) -> tuple[str, ...] | None:
    """Return the paths that path filters look at, or None when nothing differs or there is nothing
    to compare with.

    `upstream` is the commit of the remote's main branch. GitHub compares a push with what the
    branch was before (two dots); a push that lands is a fast-forward, so that this is the
    difference from the merge base. A snapshot of a revision is compared with its first parent.
    A renamed file counts under both names: GitHub's documentation does not say which one it
    matches, and a workflow too many is not a wrong green.
    """
    base = _base(site, snapshot, upstream)
    if base is None:
        return None
    difference = demand(start_diff(site.private, base, snapshot.tree).finish(), "comparing")
    return tuple(os.fsdecode(change.item.name) for change in parse_diff(difference)) or None


def changed_files(
    site: Site, snapshot: Snapshot, upstream: str | None
) -> tuple[ChangedFile, ...] | None:
    """Return what `changed_paths` compares, file by file, with renames as `git diff` finds them."""
    base = _base(site, snapshot, upstream)
    if base is None:
        return None
    form = ["-r", "-z", "--raw", "-M", "--no-abbrev", "--ignore-submodules=none"]
    args = ["diff-tree", *form, base, snapshot.tree]
    fields = iter(zlist(site.private.run(args, doing="comparing")))
    found = []
    for facts in fields:
        old_mode, mode, _oid, _other, letter = facts.decode().lstrip(":").split()
        first = os.fsdecode(next(fields))
        renamed = letter[:1] in "RC"
        path = os.fsdecode(next(fields)) if renamed else first
        linked = "160000" in (old_mode, mode)
        found.append(ChangedFile(letter[:1], path, first if renamed else "", linked))
    return tuple(found) or None


def _base(site: Site, snapshot: Snapshot, upstream: str | None) -> str | None:
    if snapshot.of_rev:
        return snapshot.parent
    return upstream and merge_base(site, snapshot.commit, upstream)


def local_commits(site: Site, base: str | None, head: str) -> tuple[Commit, ...]:
    """List the commits of `head` that `base` does not have, the oldest first."""
    form = "--format=%H%x00%T%x00%P%x00%s"
    span = [head, *([f"^{base}"] if base else [])]
    args = ["log", "-z", "--reverse", "--topo-order", "--no-show-signature", "--no-color", form]
    text = os.fsdecode(site.git.run([*args, *span, "--"], doing="listing local commits"))
    fields = text.split("\0")
    if fields[-1] == "":
        fields.pop()
    rows = zip(*[iter(fields)] * 4, strict=True)
    return tuple(Commit(oid, tree, tuple(p.split()), subject) for oid, tree, p, subject in rows)


def first_parents(site: Site, head: str, limit: int) -> tuple[Commit, ...]:
    """List a commit and its line of first parents, the newest first, at most `limit`."""
    form = "--format=%H%x00%T%x00%P%x00%s"
    args = ["log", "-z", "--first-parent", f"--max-count={limit}", "--no-show-signature"]
    text = os.fsdecode(
        site.git.run([*args, "--no-color", form, head, "--"], doing="listing commits")
    )
    fields = text.split("\0")
    if fields[-1] == "":
        fields.pop()
    rows = zip(*[iter(fields)] * 4, strict=True)
    return tuple(Commit(oid, tree, tuple(p.split()), subject) for oid, tree, p, subject in rows)

"""Let the user's branch and index follow what was pushed, when nothing was edited meanwhile."""

from __future__ import annotations

import os

from grind.adapters.git import snapshot
from grind.adapters.git.process import Git
from grind.adapters.git.site import Site
from grind.adapters.git.text import shown
from grind.core.errors import GrindError
from grind.core.repository import Followed, FollowResult, LeftAlone, Snapshot


def follow(site: Site, proven: Snapshot, landed: str) -> FollowResult:
    """Move the branch that HEAD is on from `proven.head` to the commit `landed`, by compare and
    swap, and set the index to its tree.

    Only when the working copy still is what was proven: then the index loses nothing (whatever was
    staged is in the commit), and otherwise moving the branch without the index would stage the
    reverse of what landed. Can be repeated after being killed half-way.
    """
    remedy = f"git reset {landed} (keeps your files as they are)"
    try:
        now = snapshot.of_worktree(site)
    except GrindError as error:
        return LeftAlone(f"the working copy cannot be compared: {error.message}", remedy)
    if now.tree != proven.tree:
        return LeftAlone("files were edited since the snapshot was taken", remedy)
    branch = _head_ref(site.git)
    if now.head != landed:
        if now.head != proven.head:
            return LeftAlone(f"{shown(branch or 'HEAD')} has moved to {now.head} meanwhile", remedy)
        answer = _writing(site).ask(_swap(branch, landed, proven.head, len(landed)))
        if answer.code:
            return LeftAlone(f"git did not move the branch: {shown(answer.err)}", remedy)
    # with a path, `reset` sets the index alone: no ref, no ORIG_HEAD, no file, no hidden bit of
    # entries that stay the same
    answer = _writing(site).ask(["reset", "-q", landed, "--", "."])
    if answer.code:
        return LeftAlone(f"git did not set the index: {shown(answer.err)}", remedy)
    return Followed(branch)


def _writing(site: Site) -> Git:
    """Without GIT_OPTIONAL_LOCKS=0, which is for questions."""
    return Git(site.git.cwd, {k: v for k, v in site.git.env.items() if k != "GIT_OPTIONAL_LOCKS"})


def _head_ref(git: Git) -> str | None:
    answer = git.ask(["symbolic-ref", "-q", "HEAD"])
    return os.fsdecode(answer.out).removesuffix("\n") if answer.code == 0 else None


def _swap(branch: str | None, new: str, old: str | None, size: int) -> list[str]:
    args = ["update-ref", "-m", "grind: landed"]
    if branch is None:
        args += ["--no-deref", "HEAD"]
    else:
        args += [branch]
    return [*args, new, old or "0" * size]

"""Receipts as notes on tree objects, so that they travel with the repository.

A note is one envelope per line: several people, and several hosts, may prove the same tree. Lists
that were written at the same time are united line by line (`cat_sort_uniq`), so that nobody's push
takes another's receipt away. No run of GitHub Actions starts for a ref outside of heads and tags.
"""

from __future__ import annotations

import os

from grind.adapters.git.process import Git
from grind.adapters.git.site import Site
from grind.adapters.git.text import shown
from grind.core.errors import GrindError, RefusedError, UnreachableError

REF = "refs/notes/grind/receipts"
_THEIRS = "refs/notes/grind/theirs"
_TRIES = 8
_LINES_AT_MOST = 64
_BYTES_AT_MOST = 8 << 20
_WHO = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "grind"), ("EMAIL", "grind@localhost"))
}
_ABSENT = ("couldn't find remote ref", "no such ref")
_MOVED = ("fetch first", "non-fast-forward", "stale info", "cannot lock ref", "reference already")


def read(site: Site, tree: str) -> list[bytes]:
    """Return the envelopes that are noted on a tree, each a line; what is absurdly long is not
    read."""
    answer = _git(site).ask(["notes", f"--ref={REF}", "list", tree])
    if answer.code:
        return []
    blob = answer.out.decode().strip()
    size = _git(site).ask(["cat-file", "-s", blob])
    if size.code or int(size.out) > _BYTES_AT_MOST:
        return []
    data = _git(site).run(["cat-file", "blob", blob], doing="reading a note")
    lines = [line + b"\n" for line in data.split(b"\n") if line.strip()]
    return lines[:_LINES_AT_MOST]


def trees(site: Site) -> list[str]:
    """List the trees that have notes."""
    answer = _git(site).ask(["notes", f"--ref={REF}", "list"])
    rows = answer.out.decode().splitlines() if answer.code == 0 else []
    return [row.split()[1] for row in rows]


def add(site: Site, tree: str, line: bytes) -> bool:
    """Note an envelope on a tree of the user's repository; False when it is there already."""
    known = read(site, tree)
    if line in known:
        return False
    git = _git(site)
    data = b"".join(sorted({*known, line}))
    blob = git.run(["hash-object", "-w", "--stdin"], data, doing="writing a note").decode().strip()
    args = ["notes", f"--ref={REF}", "add", "-f", "-C", blob, tree]
    git.run(args, doing="noting the receipt")
    return True


def fetch(site: Site, remote: str) -> bool:
    """Unite the remote's notes with ours; False when it has none. Raises UnreachableError."""
    git = _git(site)
    flags = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance", "--refmap="]
    answer = git.ask(["fetch", *flags, "--", remote, f"+{REF}:{_THEIRS}"])
    if answer.code:
        words = shown(answer.err)
        if any(sign in words for sign in _ABSENT):
            return False
        raise UnreachableError(f"the receipts of {shown(remote)} cannot be fetched: {words}")
    theirs = _tip(git, _THEIRS)
    ours = _tip(git, REF)
    if theirs is None or theirs == ours:
        return theirs is not None
    if ours is None:
        git.run(["update-ref", REF, theirs, "0" * len(theirs)], doing="taking the receipts over")
        return True
    merge = ["notes", f"--ref={REF}", "merge", "-q", "-s", "cat_sort_uniq", _THEIRS]
    git.run(merge, doing="uniting the receipts")
    return True


def push(site: Site, remote: str) -> bool:
    """Push our notes, uniting them with what others have pushed meanwhile; False when there is
    nothing to push. The user's hooks do not run: nothing is landed here.

    Raises UnreachableError, and RefusedError when the remote does not take notes.
    """
    git = _git(site)
    for _ in range(_TRIES):
        ours = _tip(git, REF)
        if ours is None:
            return False
        args = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-progress"]
        answer = git.ask([*args, "--", remote, f"{ours}:{REF}"])
        if answer.code == 0:
            return True
        words = f"{os.fsdecode(answer.out)}\n{os.fsdecode(answer.err)}"
        if not any(sign in words for sign in _MOVED):
            raise _refusal(remote, words)
        fetch(site, remote)
    raise RefusedError(
        f"{shown(remote)} had new receipts at every try",
        remedy="grind receipt push",
    )


def _refusal(remote: str, words: str) -> GrindError:
    told = f"the receipts were not pushed to {shown(remote)}: {shown(words)}"
    if "[remote rejected]" in words or "[rejected]" in words:
        return RefusedError(told, remedy="grind receipt push, when the remote allows notes")
    return UnreachableError(told, remedy="grind receipt push")


def _tip(git: Git, ref: str) -> str | None:
    answer = git.ask(["rev-parse", "--verify", "-q", ref])
    return answer.out.decode().strip() if answer.code == 0 else None


def _git(site: Site) -> Git:
    """The user's repository, by grind's own name: a note is not the user's commit, and a machine
    without an identity can write one."""
    env = {k: v for k, v in site.git.env.items() if k != "GIT_OPTIONAL_LOCKS"}
    return Git(site.git.cwd, env | _WHO)

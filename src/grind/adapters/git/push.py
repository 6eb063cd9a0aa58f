"""Push one object id to one branch, once, and know what became of it."""

from __future__ import annotations

import os

from grind.adapters.git import history, remotes
from grind.adapters.git.process import Answer
from grind.adapters.git.site import Site
from grind.adapters.git.text import shown
from grind.core.errors import GrindError, RefusedError, UnreachableError
from grind.core.repository import (
    HookDeclined,
    Pushed,
    PushRefused,
    PushResult,
    PushUnreachable,
    Stale,
    UpToDate,
)

MARKER = "GRIND_PUSH"
"""Environment variable that holds the commit being pushed while git runs the pre-push hook, so that
grind's own hook knows that the gate was asked already, for exactly this commit."""

_HOOKS = ("hook declined", "protected branch", "rule violations")


def push(site: Site, oid: str, remote: str, branch: str, expected: str | None) -> PushResult:
    """Push a commit to `refs/heads/<branch>`, provided that the remote has it at `expected` (None:
    that it has no such branch). Refuses what is not a fast-forward without asking the remote.

    The user's pre-push hook runs. Safe to repeat: a commit that is there already is not pushed
    again, and when the connection is lost the remote is asked what it has.
    """
    if site.git.ask(["cat-file", "-e", f"{oid}^{{commit}}"]).code:
        return PushRefused(f"{shown(oid)} is not a commit of this repository")
    if expected is not None and expected != oid and not history.is_ancestor(site, expected, oid):
        return PushRefused(f"{oid} does not come after {expected}, which {shown(branch)} is at")
    ref = f"refs/heads/{branch}"
    args = ["push", "--porcelain", "--atomic", "--no-follow-tags", "--no-progress"]
    args += [f"--force-with-lease={ref}:{expected or ''}", "--", remote, f"{oid}:{ref}"]
    answer = site.natural.with_env(**{MARKER: oid}).ask(args)
    return _result(site, answer, oid, remote, branch, expected)


def pack(site: Site, oid: str, known: str | None) -> bytes:
    """Return the objects of a commit that `known` does not have, as a pack. Of the user's own
    repository; a thin pack would need what a shallow clone may not have."""
    wanted = f"{oid}\n" + (f"^{known}\n" if known else "")
    args = ["pack-objects", "--revs", "--stdout", "-q", "--no-reuse-delta"]
    return site.git.run(args, wanted.encode(), doing="packing the commit")


def pushed(site: Site, answer: Answer, to: tuple[str, str, str, str | None]) -> PushResult:
    """Return what became of a push that another git made: of a commit, to a remote's branch, which
    was expected at a commit."""
    return _result(site, answer, *to)


def _result(
    site: Site, answer: Answer, oid: str, remote: str, branch: str, expected: str | None
) -> PushResult:
    flag, summary = _line(answer.out, f"refs/heads/{branch}")
    words = shown(answer.err) or shown(summary)
    if answer.code == 0 and flag in (" ", "*", "+"):
        return Pushed(oid)
    if answer.code == 0 and flag == "=":
        return UpToDate(oid)
    try:
        tip = remotes.ask_tip(site, remote, branch)
    except UnreachableError as error:
        return PushUnreachable(f"{words}\n{error.message}" if words else error.message)
    if tip == oid:  # it arrived, and the answer did not
        return Pushed(oid)
    if flag == "!" and any(sign in summary for sign in _HOOKS):
        return HookDeclined(False, f"{shown(summary)}\n{words}")
    if flag != "!" and answer.code == 1:
        # git dies with 128 when it cannot talk to the remote, and says what became of the ref when
        # it came so far as to ask; between the two there is the user's pre-push hook
        return HookDeclined(True, words)
    if tip != expected:
        return Stale(tip, words)
    return PushRefused(words)


def _line(out: bytes, ref: str) -> tuple[str, str]:
    """Find the ref's line in the porcelain output: flag, tab, from:to, tab, summary. Hooks
    write to the same stream, so that the last line which fits is taken."""
    found = ("", "")
    for line in os.fsdecode(out).split("\n"):
        flag, _, rest = line.partition("\t")
        names, _, summary = rest.partition("\t")
        if flag in (" ", "+", "*", "=", "!") and names.rpartition(":")[2] == ref:
            found = (flag, summary)
    return found


STAGE = "refs/grind/landing/"
"""Where a commit waits for its status: outside of heads and tags, so that no run starts."""


def stage(site: Site, oid: str, remote: str) -> None:
    """Push a commit to a temporary ref of its own, so that the remote has it. Can be repeated.

    The user's pre-push hook does not run: nothing lands here. Raises RefusedError, UnreachableError.
    """
    args = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-progress"]
    answer = site.natural.ask([*args, "--", remote, f"{oid}:{STAGE}{oid}"])
    if answer.code:
        raise _not_staged(remote, answer)


def unstage(site: Site, oid: str, remote: str) -> None:
    """Remove the temporary ref; one that is gone already is fine."""
    args = ["push", "--porcelain", "--no-verify", "--no-follow-tags", "--no-progress"]
    answer = site.natural.ask([*args, "--", remote, f":{STAGE}{oid}"])
    if answer.code and "remote ref does not exist" not in os.fsdecode(answer.err + answer.out):
        raise _not_staged(remote, answer)


def _not_staged(remote: str, answer: Answer) -> GrindError:
    told = f"{shown(remote)} did not take the temporary ref: {shown(answer.err or answer.out)}"
    if answer.code == 1:
        return RefusedError(told, remedy="allow refs/grind/*, or set land.status to optional")
    return UnreachableError(told, remedy="run the same command again")

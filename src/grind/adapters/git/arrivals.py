"""Commits that come from a host: into the private repository first, into the user's when they land."""

from __future__ import annotations

import os

from grind.adapters.git.process import config
from grind.adapters.git.site import Site
from grind.core.errors import GrindError


def receive(site: Site, pack: bytes, commit: str, tree: str) -> None:
    """Take a (thin) pack into the private repository, and hold what it brought by the ref of the
    snapshot.

    Raises:
        GrindError: the pack is damaged, or does not bring the commit with that tree.
    """
    git = site.private
    git.run(["index-pack", "--stdin", "--fix-thin", "--strict"], pack, doing="taking objects over")
    found = git.ask(["rev-parse", "--verify", "-q", f"{commit}^{{tree}}"])
    if found.code or found.out.decode().strip() != tree:
        raise GrindError(f"the host sent no commit {commit} with the tree {tree}")
    # Everything that it stands on must be here, or a later git would fail on it.
    git.run(["rev-list", "--objects", "--quiet", commit, "--not", "--all"], doing="checking it")
    git.run(["update-ref", f"refs/grind/snap/{commit}", commit])


def known_commits(site: Site) -> tuple[str, ...]:
    """Return commits that need not be sent: HEAD, and the tips of branches here and at remotes."""
    form = ["for-each-ref", "--format=%(objectname)", "--count=200", "--sort=-committerdate"]
    tips = site.git.ask([*form, "refs/heads", "refs/remotes"]).out.decode().split()
    head = site.git.ask(["rev-parse", "--verify", "-q", "HEAD^{commit}"]).out.decode().split()
    return tuple(dict.fromkeys((*head, *tips)))


def take_into_users(site: Site, commit: str) -> None:
    """Bring a commit and what it stands on into the user's repository. No ref is written."""
    args = [*config(protocol__file__allow="always", core__hooksPath=os.devnull)]
    args += ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]
    args += ["--no-recurse-submodules", "--refmap=", "--", site.private_path, commit]
    site.git.run(args, doing="taking the host's commits over")

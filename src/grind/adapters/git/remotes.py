"""Which remote, which branch, and where they are."""

from __future__ import annotations

import os

from grind.adapters.git.process import demand
from grind.adapters.git.site import Site
from grind.adapters.git.text import shown
from grind.core.errors import GrindError, UnreachableError


def _settings(site: Site) -> dict[str, str]:
    """All of git's configuration; of several values, the last."""
    listing = os.fsdecode(site.git.run(["config", "--list", "-z"], doing="reading git's settings"))
    pairs = (line.partition("\n") for line in listing.split("\0") if line)
    return {name: value for name, _, value in pairs}


def names(site: Site) -> tuple[str, ...]:
    """List the remotes."""
    return tuple(os.fsdecode(site.git.run(["remote"])).splitlines())


def head_branch(site: Site) -> str | None:
    """Return the branch that HEAD is on, without `refs/heads/`, whether it has commits or not;
    None when HEAD is detached."""
    answer = site.git.ask(["symbolic-ref", "-q", "HEAD"])
    ref = os.fsdecode(answer.out).removesuffix("\n")
    return ref.removeprefix("refs/heads/") if answer.code == 0 else None


def choose(site: Site, configured: str | None = None) -> str | None:
    """Choose the remote: the configured one, else that of the current branch's upstream, else
    `origin`, else the only one; None when there is none or no way to tell.

    Raises GrindError when the configured one does not exist.
    """
    known = names(site)
    if configured is not None:
        if configured not in known:
            have = ", ".join(shown(name) for name in known) or "none"
            raise GrindError(
                f"there is no git remote {shown(configured)} (there is: {have})",
                remedy=f"git remote add {shown(configured)} URL, or correct grind.toml",
            )
        return configured
    branch = head_branch(site)
    upstream = _settings(site).get(f"branch.{branch}.remote") if branch else None
    if upstream in known:
        return upstream
    if "origin" in known:
        return "origin"
    return known[0] if len(known) == 1 else None


def main_branch(site: Site, configured: str | None, remote: str | None) -> str:
    """Name the branch that changes land on: the configured one, else what the remote says is its
    HEAD, else `main` or `master` as far as the remote has one, else the current branch.

    Raises GrindError when HEAD is detached and nothing else tells.
    """
    if configured is not None:
        return configured
    if remote is not None:
        prefix = f"refs/remotes/{remote}/"
        answer = site.git.ask(["symbolic-ref", "-q", f"{prefix}HEAD"])
        ref = os.fsdecode(answer.out).removesuffix("\n")
        if answer.code == 0 and ref.startswith(prefix):
            return ref.removeprefix(prefix)
        for name in ("main", "master"):
            if tip(site, remote, name) is not None:
                return name
    branch = head_branch(site)
    if branch is None:
        raise GrindError(
            "HEAD is detached and no remote says which branch is the main one",
            remedy='set main = "NAME" in grind.toml',
        )
    return branch


def tip(site: Site, remote: str, branch: str) -> str | None:
    """Return where the remote's branch was when git last looked; None when it was not there."""
    ref = f"refs/remotes/{remote}/{branch}"
    answer = site.git.ask(["rev-parse", "--verify", "-q", "--end-of-options", f"{ref}^{{commit}}"])
    return answer.out.decode().strip() if answer.code == 0 else None


def url(site: Site, remote: str) -> str:
    """Return the remote's address without user names, passwords and tokens (the user of an ssh
    address is no secret and stays)."""
    address = os.fsdecode(
        site.git.run(["remote", "get-url", "--", remote], doing="asking for the remote's address")
    ).removesuffix("\n")
    scheme, mark, rest = address.partition("://")
    if not mark:
        return address
    place, slash, path = rest.partition("/")
    login, _, host = place.rpartition("@")
    if login and scheme.lower() in ("ssh", "git+ssh", "ssh+git"):
        host = f"{login.partition(':')[0]}@{host}"
    return f"{scheme}://{host}{slash}{path}"


def ask_tip(site: Site, remote: str, branch: str) -> str | None:
    """Ask the remote where its branch is; None when it has none. Raises UnreachableError."""
    ref = f"refs/heads/{branch}"
    answer = site.git.ask(["ls-remote", "--", remote, ref])
    if answer.code:
        raise UnreachableError(f"{shown(remote)} does not answer: {shown(answer.err)}")
    for line in os.fsdecode(answer.out).splitlines():
        oid, _, name = line.partition("\t")
        if name == ref:  # ls-remote matches the end of names: refs/x/refs/heads/main, too
            return oid
    return None


def fetch(site: Site, remote: str, branch: str) -> str | None:
    """Fetch the remote's branch, update its tracking ref, and return its commit; None when the
    remote has no such branch. Raises UnreachableError."""
    target = f"+refs/heads/{branch}:refs/remotes/{remote}/{branch}"
    flags = ["--quiet", "--no-tags", "--no-auto-maintenance", "--no-recurse-submodules"]
    answer = site.git.ask(["fetch", *flags, "--refmap=", "--", remote, target])
    if answer.code == 0:
        return tip(site, remote, branch)
    if ask_tip(site, remote, branch) is None:
        return None
    demand(answer, f"fetching from {shown(remote)}")
    return None

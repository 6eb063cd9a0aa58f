"""Which remote, which branch, and where they are."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from grind.adapters.git.process import demand
from grind.adapters.git.site import Site
from grind.adapters.git.text import shown
from grind.core.errors import GrindError, UnreachableError
from grind.core.repository import Aim

_USUAL = ("main", "master")
"""What main branches are called where nothing says so."""

Settings = Mapping[str, Sequence[str]]
"""All of git's configuration: names, with every value in git's order."""
SETTINGS = ("config", "--list", "-z")
HEAD_BRANCH = ("symbolic-ref", "-q", "HEAD")


def aim(site: Site, remote_name: str | None, main_name: str | None) -> Aim:
    """Say where a push goes; the arguments are what is configured. Raises GrindError as `choose`
    and `main_branch` do, which decide wherever the one listing of refs does not tell."""
    said = settings(site)
    remote = choose(site, said, remote_name)
    if remote is None:
        return Aim(None, "", main_branch(site, main_name, None), None)
    address = url(site, said, remote)
    seen = _seen(site, remote, (main_name,) if main_name is not None else ("HEAD", *_USUAL))
    main = main_name or _main_of(seen) or main_branch(site, None, remote)
    if main in seen and seen[main].is_commit:
        return Aim(remote, address, main, seen[main].oid)
    return Aim(remote, address, main, tip(site, remote, main))


class _Seen(NamedTuple):
    """A remote-tracking ref: the branch that it stands for, if it is symbolic, and its object."""

    stands_for: str
    oid: str
    is_commit: bool


def _seen(site: Site, remote: str, branches: Sequence[str]) -> dict[str, _Seen]:
    """Return what git last saw of these branches, `HEAD` among them, in one git; what is not in
    the answer was not seen, or git cannot say so here."""
    prefix = f"refs/remotes/{remote}/"
    form = "--format=%(refname)%00%(symref)%00%(objectname)%00%(objecttype)"
    answer = site.git.ask(["for-each-ref", form, *(f"{prefix}{name}" for name in branches)])
    found = {}
    for line in os.fsdecode(answer.out).split("\n")[:-1] if answer.code == 0 else ():
        ref, symbolic, oid, kind = line.split("\0")
        meant = symbolic.removeprefix(prefix) if symbolic.startswith(prefix) else ""
        found[ref.removeprefix(prefix)] = _Seen(meant, oid, kind == "commit")
    head = found.pop("HEAD", None)
    if head is not None and head.stands_for:
        found = {head.stands_for: head}
    return found


def _main_of(seen: Mapping[str, _Seen]) -> str:
    """Return the branch that the remote's HEAD stands for; empty when that is not known."""
    return next((name for name, one in seen.items() if one.stands_for), "")


def settings(site: Site) -> Settings:
    """Ask git for all of its configuration."""
    listing = os.fsdecode(demand(site.ask(SETTINGS), "reading git's settings"))
    found: dict[str, list[str]] = {}
    for line in listing.split("\0"):
        name, _, value = line.partition("\n")
        if name:
            found.setdefault(name, []).append(value)
    return found


def names(known: Settings) -> tuple[str, ...]:
    """List the remotes: whatever has a setting of its own is one, as for `git remote`."""
    heads = (name.rpartition(".")[0] for name in known if name.startswith("remote."))
    found = {head.removeprefix("remote.") for head in heads if head.startswith("remote.")}
    return tuple(sorted(name for name in found if name and not name.startswith("/")))


def head_branch(site: Site) -> str | None:
    """Return the branch that HEAD is on, without `refs/heads/`, whether it has commits or not;
    None when HEAD is detached."""
    answer = site.ask(HEAD_BRANCH)
    ref = os.fsdecode(answer.out).removesuffix("\n")
    return ref.removeprefix("refs/heads/") if answer.code == 0 else None


def choose(site: Site, said: Settings, configured: str | None = None) -> str | None:
    """Choose the remote: the configured one, else that of the current branch's upstream, else
    `origin`, else the only one; None when there is none or no way to tell.

    Raises GrindError when the configured one does not exist.
    """
    known = names(said)
    if configured is not None:
        if configured not in known:
            have = ", ".join(shown(name) for name in known) or "none"
            raise GrindError(
                f"there is no git remote {shown(configured)} (there is: {have})",
                remedy=f"git remote add {shown(configured)} URL, or correct grind.toml",
            )
        return configured
    if len(known) <= 1:
        return known[0] if known else None
    branch = head_branch(site)
    upstream = said.get(f"branch.{branch}.remote") if branch else None
    if upstream and upstream[-1] in known:
        return upstream[-1]
    if "origin" in known:
        return "origin"
    return None


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
        for name in _USUAL:
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


def url(site: Site, said: Settings, remote: str) -> str:
    """Return the remote's address without user names, passwords and tokens (the user of an ssh
    address is no secret and stays)."""
    address = _address(site, said, remote)
    scheme, mark, rest = address.partition("://")
    if not mark:
        return address
    place, slash, path = rest.partition("/")
    login, _, host = place.rpartition("@")
    if login and scheme.lower() in ("ssh", "git+ssh", "ssh+git"):
        host = f"{login.partition(':')[0]}@{host}"
    return f"{scheme}://{host}{slash}{path}"


def _address(site: Site, said: Settings, remote: str) -> str:
    """Return the address as configured; git is asked where settings (`url.*.insteadOf`) change it
    or there are several."""
    values = said.get(f"remote.{remote}.url", ())
    if len(values) == 1 and values[0] and not any(name.startswith("url.") for name in said):
        return values[0]
    args = ["remote", "get-url", "--", remote]
    answer = site.git.run(args, doing="asking for the remote's address")
    return os.fsdecode(answer).removesuffix("\n")


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


def fetch_commit(site: Site, remote: str, oid: str) -> str:
    """Fetch one commit by its id, without its history, and return the id. No ref is written.
    Raises UnreachableError when the remote does not give it."""
    flags = ["--quiet", "--no-tags", "--no-write-fetch-head", "--no-auto-maintenance"]
    flags += ["--no-recurse-submodules", "--refmap=", "--depth=1"]
    answer = site.git.ask(["fetch", *flags, "--", remote, oid])
    if answer.code:
        raise UnreachableError(f"{shown(remote)} does not give {oid[:12]}: {shown(answer.err)}")
    return oid


def system_configuration(site: Site) -> str | None:
    """Return where this git keeps the configuration of the machine: a path that was built into it
    (or that a wrapper around it sets). None when it does not say.

    `git var GIT_CONFIG_SYSTEM` is too new to rely on, and listing tells of no empty file: git
    gives the path to an editor, whatever is there.
    """
    git = site.git.with_env(GIT_EDITOR="printf '%s\\0'", TERM="dumb")
    answer = git.ask(("config", "--system", "--edit"))
    path = os.fsdecode(answer.out)
    if answer.code != 0 or path.count("\0") != 1 or not os.path.isabs(path):
        return None
    return path.rstrip("\0")

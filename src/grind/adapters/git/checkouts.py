"""What job checkouts need to find in the private repository, and taking it away again."""

from __future__ import annotations

import contextlib
import os
import shutil
import time

from grind.adapters.git.process import Answer, demand
from grind.adapters.git.site import Site
from grind.core.errors import GrindError
from grind.core.repository import Snapshot

_SNAP = "refs/grind/snap/"
_DAY = 86_400
_LISTED = ("for-each-ref", "--format=%(objectname) %(refname)")


def prepare(site: Site, snapshot: Snapshot, remote: str | None, branch: str) -> None:
    """Make refs for checkouts: `refs/grind/snap/<oid>`; `refs/heads/*` as the remote's branches
    are known here, with `refs/heads/<branch>` at the snapshot; `refs/tags/*`.

    Runs side by side share the branches and tags, which are the same for all; of several snapshots
    the last one gives `refs/heads/<branch>`, so that a checkout must name its commit by id.
    Everything that only the snapshot has is packed here, so that the user's garbage collection
    cannot take away a file that was staged once and is in no commit.
    """
    # Looked at beside the user's: who sets them meanwhile makes us look again.
    looking = site.private.start(_LISTED)
    try:
        theirs, local = _refs(site, remote)
        _keep_objects(site, snapshot, [*theirs.values(), *local])
    finally:
        looked = looking.finish()
    wanted = {name: oid for name, oid in theirs.items() if not _clashes(name, branch)}
    wanted[f"refs/heads/{branch}"] = snapshot.commit
    wanted[_SNAP + snapshot.commit] = snapshot.commit
    _follow_shallow(site)
    for last in (False, False, True):
        try:
            _set_refs(site, wanted, looked)
            break
        except GrindError:  # another run set the same refs between the look and the change
            if last:
                raise
            looked = site.private.ask(_LISTED)
    os.utime(_loose(site, snapshot.commit))


def _set_refs(site: Site, wanted: dict[str, str], looked: Answer) -> None:
    present = _listed(demand(looked, "looking at grind's repository"))
    stale = [n for n in present if n.startswith(("refs/heads/", "refs/tags/")) and n not in wanted]
    missing = {name: oid for name, oid in wanted.items() if present.get(name) != oid}
    # two transactions: a name that is gone may be the folder of one that comes
    _update(site, "".join(f"delete {name}\0\0" for name in stale))
    _update(site, "".join(f"update {name}\0{oid}\0\0" for name, oid in missing.items()))


def _clashes(name: str, branch: str) -> bool:
    """Whether a ref cannot stand beside the branch of the snapshot (`a` and `a/b`)."""
    main = f"refs/heads/{branch}"
    return name.startswith(f"{main}/") or main.startswith(f"{name}/")


def _refs(site: Site, remote: str | None) -> tuple[dict[str, str], list[str]]:
    """The user's tags and the remote's branches, under the names that the remote gives them; and
    what the user's own branches are at."""
    prefix = f"refs/remotes/{remote}/"
    args = [*_LISTED, "refs/tags/", "refs/heads/"]
    args += [prefix] if remote is not None else []
    found, local = {}, []
    for name, oid in _listed(site.git.run(args)).items():
        if name == f"{prefix}HEAD":
            continue
        if name.startswith("refs/heads/"):
            local.append(oid)
        elif name.startswith(prefix):
            found[f"refs/heads/{name.removeprefix(prefix)}"] = oid
        else:
            found[name] = oid
    return found, local


def _listed(listing: bytes) -> dict[str, str]:
    lines = (line.partition(" ") for line in os.fsdecode(listing).splitlines())
    return {name: oid for oid, _, name in lines}


def _update(site: Site, commands: str) -> None:
    if commands:
        site.private.run(
            ["update-ref", "--stdin", "-z"], os.fsencode(commands), doing="preparing checkouts"
        )


def _loose(site: Site, oid: str) -> str:
    return os.path.join(site.private_path, *_SNAP.split("/"), oid)


def _keep_objects(site: Site, snapshot: Snapshot, known: list[str]) -> None:
    if os.path.exists(_loose(site, snapshot.commit)) or snapshot.commit in known:
        return
    lines = [snapshot.commit, *(f"^{oid}" for oid in dict.fromkeys(known))]
    base = os.path.join(site.private_path, "objects", "pack", "pack")
    site.private.run(
        ["pack-objects", "--revs", "--non-empty", "-q", "--delta-base-offset", base],
        "".join(f"{line}\n" for line in lines).encode(),
        doing="keeping the snapshot",
    )


def _follow_shallow(site: Site) -> None:
    """A shallow clone's history ends where its `shallow` file says; the private repository must
    know that, too, or the missing parents look like damage."""
    source = os.path.join(site.layout.common_dir, "shallow")
    target = os.path.join(site.private_path, "shallow")
    try:
        with open(source, "rb") as file:
            boundary = file.read()
    except FileNotFoundError:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(target)
        return
    aside = f"{target}.{os.getpid()}.{os.urandom(4).hex()}"
    with open(aside, "wb") as file:
        file.write(boundary)
    os.replace(aside, target)


def submodule_repositories(site: Site) -> dict[str, str]:
    """Return the user's copies of submodules: name → git folder. A submodule inside a submodule
    is named `outer/modules/inner`, as git does."""
    root = os.path.join(site.layout.common_dir, "modules")
    found = {}
    for folder, folders, files in os.walk(root):
        if "HEAD" in files and "objects" in folders:
            found[os.path.relpath(folder, root)] = folder
            folders[:] = ["modules"] if "modules" in folders else []
    return found


def prune(site: Site, days: float) -> int:
    """Drop snapshots that no run has prepared for so many days, and what is left of processes that
    were killed; return how many snapshots went. Objects of newer snapshots, and of one that is
    being made, stay: only what is as old goes."""
    limit = time.time() - days * _DAY
    folder = os.path.dirname(_loose(site, "x"))
    names = os.listdir(folder) if os.path.isdir(folder) else []
    old = [name for name in names if _older(os.path.join(folder, name), limit)]
    heads = [
        n
        for n, oid in _listed(site.private.run(_LISTED)).items()
        if n.startswith("refs/heads/") and oid in old
    ]
    _update(site, "".join(f"delete {name}\0\0" for name in [*heads, *(_SNAP + oid for oid in old)]))
    when = f"{int(limit)}"
    if not is_partial(site):  # git looks at everything reachable, and not all of it is here
        site.private.run(["repack", "-A", "-d", "-l", "-q", f"--unpack-unreachable=@{when}"])
        site.private.run(["prune", f"--expire=@{when}"])
    _sweep(site.layout.home)
    return len(old)


def is_partial(site: Site) -> bool:
    """Whether the user's repository is a partial clone: it lacks objects that its commits name."""
    folder = os.path.join(site.layout.common_dir, "objects", "pack")
    try:
        return any(name.endswith(".promisor") for name in os.listdir(folder))
    except FileNotFoundError:
        return False


def lacking(site: Site) -> str:
    """Say what the user's repository does not have of its history, with the remedy, or nothing."""
    if is_partial(site):
        return (
            "this is a partial clone: files of older commits may be missing here, and CI has them; "
            "`git fetch --refetch --no-filter` gets them"
        )
    if os.path.exists(os.path.join(site.layout.common_dir, "shallow")):
        return (
            "this is a shallow clone: older commits are missing here, and CI may have them; "
            "`git fetch --unshallow` gets them"
        )
    return ""


def _older(path: str, limit: float) -> bool:
    try:
        return os.lstat(path).st_mtime < limit
    except FileNotFoundError:
        return False


def _sweep(home: str) -> None:
    """Remove temporary indexes and half-made repositories of more than a day ago."""
    limit = time.time() - _DAY
    for name in os.listdir(home):
        path = os.path.join(home, name)
        if name.startswith(("index.", "index-", "repo.", "message.")) and _older(path, limit):
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)

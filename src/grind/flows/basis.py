"""What a plan hangs on: the snapshot, grind.toml, and where a push would go. Cheap to find out, and
enough to look a receipt up; nothing here reads a workflow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

from grind import __version__
from grind.core.errors import GrindError, RefusedError
from grind.core.repository import Aim, Conflicts, Snapshot

if TYPE_CHECKING:
    from grind.core.config import Config
    from grind.ports import Repository

CONFIG_FILE = "grind.toml"
"""As `grind.core.config.FILE`, which this can do without."""

WORKFLOWS = ".github/workflows"
"""The folder of the workflow files."""


class Wish(Protocol):
    """What a configuration says of where a push goes; None for what it leaves to git."""

    @property
    def remote(self) -> str | None:
        """The remote's name."""

    @property
    def main(self) -> str | None:
        """The branch."""


class Options(NamedTuple):
    """What the user asked to plan for."""

    rev: str | None = None
    event: str = "push"
    ref: str | None = None
    """Full or short ref that the event is about; None for the main branch."""
    workflows: tuple[str, ...] = ()
    """Names or files to restrict the plan to; empty for all."""
    merged: bool = False
    """Plan what merging with the remote's main branch gives, on top of that branch."""
    changed: str | None = None
    """Count changed paths from this revision instead of the merge base."""


class Basis(NamedTuple):
    """What a plan is made from: cheap to find out, and enough to look a receipt up."""

    snapshot: Snapshot
    config: Config
    config_blob: bytes | None
    target: Aim
    base: str | None
    ref: str
    key: str


def find_basis(
    repository: Repository,
    options: Options,
    labels_of: Callable[[Config], frozenset[str]],
    snapshot: Snapshot | None = None,
) -> Basis:
    """Take the snapshot and find what the plan hangs on. Raises GrindError, ProblemsError."""
    snapshot = snapshot or repository.snapshot(options.rev)
    config, blob = config_of(repository, snapshot)
    target = find_target(repository, config)
    if options.merged:
        snapshot, target = _merged(repository, snapshot, target)
        config, blob = config_of(repository, snapshot)
    base = _base(repository, snapshot, target, options)
    ref = _full_ref(options.ref or target.main)
    key = _key(repository, snapshot.tree, target, base, options.event, ref, labels_of(config))
    return Basis(snapshot, config, blob, target, base, ref, key)


def plain_key(
    repository: Repository, snapshot: Snapshot, target: Aim, labels: frozenset[str]
) -> str:
    """Return the key that `find_basis` gives without options."""
    options = Options()
    base = _base(repository, snapshot, target, options)
    ref = _full_ref(target.main)
    return _key(repository, snapshot.tree, target, base, options.event, ref, labels)


def _key(
    repository: Repository,
    tree: str,
    target: Aim,
    base: str | None,
    event: str,
    ref: str,
    labels: frozenset[str],
) -> str:
    from grind.core.plankey import plan_key

    name = repository_name(target.url, repository.top or repository.common_dir)
    return plan_key(
        version=__version__,
        tree=tree,
        base=base,
        event=event,
        ref=ref,
        repository=name,
        labels=labels,
    )


def _merged(repository: Repository, snapshot: Snapshot, target: Aim) -> tuple[Snapshot, Aim]:
    """Return the snapshot of what merging with the remote's main branch gives."""
    if target.remote is None:
        raise GrindError("there is no remote to merge with", remedy="git remote add origin URL")
    tip = repository.fetch_upstream(target.remote, target.main)
    if tip is None:
        return snapshot, target
    result = repository.merge_tree(snapshot.commit, tip)
    if isinstance(result, Conflicts):
        shown = ", ".join(result.paths[:5])
        raise RefusedError(
            f"your work and {target.remote}/{target.main} conflict in {shown}",
            remedy=f"git merge {target.remote}/{target.main}, mend the conflicts, grind check",
        )
    return repository.proposal(result.tree, tip), target._replace(upstream=tip)


def find_target(repository: Repository, config: Wish) -> Aim:
    """Say where a push would go. Raises GrindError."""
    return repository.aim(config.remote, config.main)


def config_of(repository: Repository, snapshot: Snapshot) -> tuple[Config, bytes | None]:
    """Read the snapshot's grind.toml; return it with its bytes. Raises ProblemsError."""
    return config_in(repository, config_blob(repository, snapshot.tree))


def config_blob(repository: Repository, tree: str) -> str | None:
    """Return the object that a tree has as grind.toml; None for none."""
    blobs = repository.blobs(tree, (CONFIG_FILE,))
    return next((blob.oid for blob in blobs if blob.path == CONFIG_FILE), None)


def config_in(repository: Repository, blob: str | None) -> tuple[Config, bytes | None]:
    """Read a grind.toml by its object; return it with its bytes. Raises ProblemsError."""
    from grind.core.config import Config, load

    if blob is None:
        return Config(), None
    source = repository.read([blob])[blob]
    return load(CONFIG_FILE, source), source


def _base(repository: Repository, snapshot: Snapshot, target: Aim, options: Options) -> str | None:
    """Return the commit that changed paths are counted from."""
    if options.changed is not None:
        return repository.resolve(options.changed)
    if options.rev is not None:
        return snapshot.parent
    if target.upstream is None or snapshot.head is None:
        return None
    return repository.merge_base(target.upstream, snapshot.head)


def _full_ref(ref: str) -> str:
    return ref if ref.startswith("refs/") else f"refs/heads/{ref}"


def repository_name(url: str, top: str) -> str:
    """Return `owner/name` from a remote's URL; without one, from the folder's name."""
    path = url.removesuffix("/").removesuffix(".git").replace("\\", "/")
    if "://" in path:
        path = path.partition("://")[2].partition("/")[2]
    elif ":" in path:
        path = path.partition(":")[2]
    parts = [part for part in path.split("/") if part]
    if len(parts) >= 2 and not url.startswith(("/", ".", "file:")):
        return f"{parts[-2]}/{parts[-1]}"
    name = parts[-1] if parts else top.rstrip("/").rpartition("/")[2]
    return f"local/{name or 'repository'}"

"""Builds adapters: the only place that does. Everything else gets them as arguments."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from grind.adapters.github.forge import GitHubForge
    from grind.adapters.journal import DiskJournal
    from grind.adapters.lint_cache import HitCache
    from grind.adapters.lint_tree import Revision, WorkTree
    from grind.adapters.localhost import LocalHost
    from grind.adapters.lock import Holder, Lock
    from grind.adapters.store import ReleaseFolder
    from grind.core.config import Config
    from grind.core.receipt import Receipt, Tool
    from grind.core.repository import Snapshot
    from grind.ports import PushSeen

_RELEASES_LOOKED_AT = 10


class Session:
    """The adapters of one command, in one repository, on this machine."""

    def __init__(self, cwd: str, environ: Mapping[str, str]) -> None:
        """Raises GrindError when `cwd` is in no git repository."""
        from grind.adapters.clock import SystemClock
        from grind.adapters.git.repository import GitRepository
        from grind.adapters.store import Store

        self.environ = environ
        self.repository = GitRepository(cwd, environ)
        self.store = Store(self.repository.common_dir)
        self.clock = SystemClock()

    def labels(self, config: Config) -> frozenset[str]:
        """Return the `runs-on` labels that this machine answers to."""
        local = config.hosts.get("local")
        system = os.uname()
        arch = {"x86_64": "x64", "aarch64": "arm64"}.get(system.machine, system.machine)
        extra = {label.lower() for label in local.labels} if local is not None else set()
        return frozenset({system.sysname.lower(), arch.lower(), "self-hosted"} | extra)

    def host(self, config: Config) -> LocalHost:
        """Return this machine as a host."""
        from pathlib import Path

        from grind.adapters.files import private_folder
        from grind.adapters.localhost import LocalHost
        from grind.adapters.places import state_folder

        root = private_folder(os.path.realpath(state_folder(self.environ)))
        state = Path(root) / repository_slug(self.repository.common_dir)
        return LocalHost(
            state,
            self.lent(config),
            self.clock,
            outer=self.environ.get("RUNNER_TRACKING_ID", ""),
        )

    def host_id(self) -> str:
        """Return who this machine is, as receipts name it: identity and architecture."""
        from pathlib import Path

        from grind.adapters.identity import local_identity
        from grind.adapters.places import state_folder

        state = Path(state_folder(self.environ)) / repository_slug(self.repository.common_dir)
        identity = local_identity(state)
        return f"{identity.id}/{identity.architecture}"

    def lent(self, config: Config) -> dict[str, str]:
        """Return what this machine lends to its jobs from its own environment."""
        from grind.core.lend import lend

        local = config.hosts.get("local")
        return lend(
            self.environ,
            home=self.environ.get("HOME", ""),
            extra=local.env if local is not None else (),
            folders=local.path if local is not None else (),
        )

    def lock(
        self,
        command: str,
        *,
        wait: float | None = 0.0,
        waiting: Callable[[Holder | None], None] = lambda _: None,
    ) -> Lock:
        """Return the lock of the repository: one run at a time. See `Lock`."""
        from grind.adapters.lock import Lock

        return Lock(self.store.lock_path, command, wait=wait, waiting=waiting)

    def watch_lock(self, folder: ReleaseFolder) -> Lock:
        """Return the lock of one commit's watch: its journal has one writer. Others go on."""
        from grind.adapters.lock import Lock

        return Lock(os.path.join(folder.path, "lock"), "grind watch", wait=0.0)

    async def forge(self, url: str, api: str | None = None) -> GitHubForge:
        """Return the forge that has the repository at `url`, with the user's token for it."""
        from grind.adapters.github.address import address_of
        from grind.adapters.github.forge import GitHubForge
        from grind.adapters.github.tokens import find_token

        address = address_of(url, self.environ, api)
        return GitHubForge(address, await find_token(address, self.environ))

    def landed(self, commit: str) -> PushSeen | None:
        """Return grind's own push of a commit, when one of the last releases made it."""
        from grind.flows.watchplan import landed_in

        for release in self.store.releases()[:_RELEASES_LOOKED_AT]:
            with self.journal(release) as journal:
                found = landed_in(journal.read(), commit)
            if found is not None:
                return found
        return None

    def journal(self, release: ReleaseFolder) -> DiskJournal:
        """Return the journal of a release."""
        from grind.adapters.journal import DiskJournal

        return DiskJournal(release.path, self.clock.now)

    def tools_print(self, config: Config, tools: Iterable[Tool]) -> str:
        """Return today's fingerprint of the programs that the plan asked about."""
        from grind.adapters.toolprint import tools_print

        return tools_print((tool.question for tool in tools), self.lent(config))

    def ground(self) -> str:
        """Return the fingerprint of what decides where a push would go; empty when in doubt."""
        from grind import __version__
        from grind.adapters.hits import Doubt, ground

        try:
            return ground(
                self.repository.git_dir, self.repository.common_dir, self.environ, __version__
            )
        except Doubt:
            return ""

    def quick_hit(self, snapshot: Snapshot) -> dict[str, object] | None:
        """Return what is remembered of the snapshot's tree, when nothing has changed since.

        None means that the long way must decide, not that nothing is proven.
        """
        from grind.adapters.hits import read_hit
        from grind.adapters.toolprint import tools_print
        from grind.core.lend import lend

        stored = self.store.hit(snapshot.tree)
        hit = read_hit(stored) if stored is not None else None
        if hit is None or hit["tree"] != snapshot.tree:
            return None
        if hit["bound"] and hit["bound"] != snapshot.commit:
            return None
        if not 0 <= self.clock.now() - float(str(hit["created"])) <= float(str(hit["max_age"])):
            return None
        if hit["ground"] != [self.ground(), snapshot.head] or not self.ground():
            return None
        lent = lend(
            self.environ,
            home=self.environ.get("HOME", ""),
            extra=_texts(hit["environment"]),
            folders=_texts(hit["folders"]),
        )
        questions = hit["questions"]
        asked = [_texts(one) for one in questions] if isinstance(questions, list) else []
        return hit if tools_print(asked, lent) == hit["tools_print"] else None

    def remember(self, tree: str, head: str | None, receipt: Receipt, config: Config) -> None:
        """Keep, beside a full receipt, what it hung on."""
        import msgspec

        from grind.adapters.hits import write_hit

        ground = self.ground()
        if not ground or not receipt.full:
            return
        local = config.hosts.get("local")
        data = write_hit(
            msgspec.structs.asdict(receipt)
            | {"tools": [{"question": list(tool.question)} for tool in receipt.tools]},
            ground_now=[ground, head],
            max_age=config.receipt.max_age,
            environment=local.env if local is not None else (),
            folders=local.path if local is not None else (),
        )
        self.store.save_hit(tree, data)

    def parallel(self, config: Config) -> int:
        """Return how many jobs may run side by side."""
        local = config.hosts.get("local")
        asked = (local.jobs if local is not None else None) or config.jobs
        return asked or len(os.sched_getaffinity(0))


def _texts(values: object) -> tuple[str, ...]:
    return tuple(map(str, values)) if isinstance(values, list) else ()


def repository_slug(common_dir: str) -> str:
    """Return a short name for a repository's folder of state: readable, and its own."""
    import hashlib
    import re

    folder = os.path.dirname(common_dir.rstrip("/")) if common_dir.endswith(".git") else common_dir
    name = re.sub(r"[^0-9A-Za-z._-]+", "-", os.path.basename(folder))[:24].strip("-.") or "repo"
    digest = hashlib.sha256(os.path.realpath(common_dir).encode("utf-8", "surrogateescape"))
    return f"{name}-{digest.hexdigest()[:8]}"


def lint_root(folder: str) -> str | None:
    """The root of the working copy around a folder; None outside of any."""
    from grind.adapters import lint_tree

    return lint_tree.toplevel(folder)


def lint_files(root: str, in_git: bool) -> WorkTree:
    """The files to lint, as they lie on disk."""
    from grind.adapters import lint_tree

    return lint_tree.WorkTree(root) if in_git else lint_tree.Folder(root)


def lint_revision(root: str, name: str) -> AbstractContextManager[Revision]:
    """The files of a commit."""
    from grind.adapters import lint_tree

    return lint_tree.revision(root, name)


def lint_changed(root: str, base: str) -> frozenset[str]:
    """Paths that differ from where `base` parts."""
    from grind.adapters import lint_tree

    return lint_tree.changed(root, base)


def lint_cache(root: str) -> HitCache:
    """Hits by content, of this repository."""
    from grind.adapters import lint_cache as caches

    return caches.HitCache(root)


def lint_write(root: str, path: str, data: bytes, new: bool) -> None:
    """Write what a fix makes."""
    from grind.adapters import lint_tree

    lint_tree.write(root, path, data, new)


def shfmt() -> Callable[[bytes], bytes | None]:
    """The second shell parser."""
    from grind.adapters.shfmt import Shfmt

    return Shfmt()

"""The real `Repository`: one object, thin methods, each loading what it needs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from grind.adapters.git import contents, snapshot
from grind.adapters.git.site import Site
from grind.core.repository import Blob, Snapshot


class GitRepository:
    """The git repository that a folder lies in (`grind.ports.Repository`)."""

    def __init__(self, cwd: str, environ: Mapping[str, str]) -> None:
        """Find it; raises GrindError when `cwd` is in none. `environ` is the process's own."""
        self._site = Site(cwd, environ)

    @property
    def top(self) -> str | None:
        """Top of the working copy; None in a bare repository."""
        return self._site.layout.top

    @property
    def git_dir(self) -> str:
        """The git folder of this working copy."""
        return self._site.layout.git_dir

    @property
    def common_dir(self) -> str:
        """The git folder that all working copies share."""
        return self._site.layout.common_dir

    @property
    def private(self) -> str:
        """Path of grind's own bare repository, created on first use."""
        return self._site.private_path

    def snapshot(self, rev: str | None = None) -> Snapshot:
        """Take the snapshot of the working copy, or of a revision."""
        return snapshot.of_worktree(self._site) if rev is None else snapshot.of_rev(self._site, rev)

    def tracked_paths(self, tree: str) -> tuple[str, ...]:
        """List every file of a tree."""
        return tuple(os.fsdecode(item.name) for item in contents.items(self._site.private, tree))

    def blobs(self, tree: str, prefixes: Sequence[str] = ()) -> tuple[Blob, ...]:
        """List the files of a tree at or under the given paths; submodules are not files."""
        return tuple(
            Blob(os.fsdecode(item.name), item.oid, item.mode)
            for item in contents.items(self._site.private, tree, prefixes)
            if item.mode != contents.SUBMODULE
        )

    def read(self, oids: Sequence[str]) -> dict[str, bytes]:
        """Read blobs by id, in one git."""
        return contents.read(self._site.private, oids)

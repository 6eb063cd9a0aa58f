"""Builds adapters: the only place that does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grind.adapters.lint_cache import HitCache
    from grind.adapters.lint_tree import Revision, WorkTree


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

"""Builds what `grind lint` reads and writes."""

from __future__ import annotations

import os

TYPE_CHECKING = False  # as in `grind.wiring`
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from grind.adapters.lint_cache import HitCache
    from grind.adapters.lint_door import Asked
    from grind.adapters.lint_tree import Revision, WorkTree


def root(folder: str) -> str | None:
    """The root of the working copy around a folder; None outside of any."""
    from grind.adapters import lint_tree

    return lint_tree.toplevel(folder)


def files(root: str, in_git: bool) -> WorkTree:
    """The files to lint, as they lie on disk."""
    from grind.adapters import lint_tree

    return lint_tree.WorkTree(root) if in_git else lint_tree.Folder(root)


def revision(root: str, name: str) -> AbstractContextManager[Revision]:
    """The files of a commit."""
    from grind.adapters import lint_tree

    return lint_tree.revision(root, name)


def changed(root: str, base: str) -> frozenset[str]:
    """Paths that differ from where `base` parts."""
    from grind.adapters import lint_tree

    return lint_tree.changed(root, base)


def cache(root: str) -> HitCache:
    """Hits by content, of this repository."""
    from grind.adapters import lint_cache

    return lint_cache.HitCache(root)


def asked(root: str, argv: Sequence[str], *, terminal: bool) -> Asked | None:
    """How the door would ask for this answer; None when it would not."""
    from grind.adapters import lint_door

    return lint_door.asked(root, argv, os.environ, terminal=terminal)


def keep(asked: Asked, tree: WorkTree, code: int, output: bytes, more: Iterable[str]) -> None:
    """Let the door know an answer, if it may. What cannot be kept is found again."""
    import shutil

    from grind.adapters import lint_door
    from grind.adapters.shfmt import Shfmt
    from grind.core.errors import GrindError

    programs = [one for one in (Shfmt().program, shutil.which("git")) if one is not None]
    try:
        answer = lint_door.Answer(code, output)
        lint_door.keep(asked, tree, answer, os.environ, more=more, programs=programs)
    except (GrindError, OSError):
        return


def write(root: str, path: str, data: bytes, new: bool) -> None:
    """Write what a fix makes."""
    from grind.adapters import lint_tree

    lint_tree.write(root, path, data, new)


def shfmt() -> Callable[[bytes], bytes | None]:
    """The second shell parser."""
    from grind.adapters.shfmt import Shfmt

    return Shfmt()

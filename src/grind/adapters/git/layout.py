"""Where a repository keeps its parts, found once by git itself."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from grind.adapters.git.process import Answer, Git, scrubbed
from grind.adapters.git.spawn import Running
from grind.adapters.git.text import shown
from grind.core.errors import GrindError

# `rev-parse` repeats a flag it does not know. Between the paths it separates them whatever
# characters they hold, line ends included.
_SEPARATOR = "--grind-separator"

_EMPTY_TREE = {
    "sha1": "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    "sha256": "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}


class Layout(NamedTuple):
    """Absolute paths and the object format."""

    git_dir: str
    common_dir: str
    format: str
    top: str | None
    """Top of the working copy; None in a bare repository."""

    @property
    def hash_size(self) -> int:
        """Bytes of an object id."""
        return 32 if self.format == "sha256" else 20

    @property
    def empty_tree(self) -> str:
        """The id of the tree without files."""
        return _EMPTY_TREE[self.format]

    @property
    def home(self) -> str:
        """Grind's own folder, shared by all worktrees of the repository."""
        return os.path.join(self.common_dir, "grind")


_FLAGS = ("--absolute-git-dir", "--git-common-dir", "--show-object-format", "--show-toplevel")


def start(cwd: str, environ: Mapping[str, str]) -> Running:
    """Begin to find the repository that `cwd` lies in; `find` takes what this returns. Raises
    GrindError."""
    args = ["rev-parse", "--path-format=absolute"]
    for flag in _FLAGS:
        args += [flag, _SEPARATOR]
    return Git(cwd, scrubbed(environ)).start(args)


def find(cwd: str, environ: Mapping[str, str], begun: Running | None = None) -> Layout:
    """Find the repository that `cwd` lies in; raise GrindError when there is none."""
    answer = (begun or start(cwd, environ)).finish()
    parts = os.fsdecode(answer.out).split(f"\n{_SEPARATOR}\n")
    bare = answer.code != 0
    if len(parts) != len(_FLAGS) + (0 if bare else 1):
        raise _not_found(cwd, answer)
    git_dir, common_dir, form = parts[:3]
    if form not in _EMPTY_TREE:
        raise GrindError(f"the repository has the unknown object format {shown(form)}")
    return Layout(git_dir, common_dir, form, None if bare else parts[3])


def _not_found(cwd: str, answer: Answer) -> GrindError:
    words = shown(answer.err)
    if "not a git repository" in words:
        return GrindError(
            f"{shown(cwd)} is not in a git repository", remedy="run grind inside one, or `git init`"
        )
    return GrindError(f"git cannot use the repository at {shown(cwd)}: {words}")

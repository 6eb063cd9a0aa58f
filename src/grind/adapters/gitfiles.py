"""The files that decide what git lists in a working copy, so that it can be seen that none changed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from grind.adapters.git.repository import GitRepository


class Deciding(NamedTuple):
    """Absolute paths: of files that are there, and of those that would count if they came."""

    there: tuple[str, ...]
    absent: tuple[str, ...]


def deciding(root: str, environ: Mapping[str, str]) -> Deciding | None:
    """Return what decides besides the working copy's own files: settings with all that they include,
    lists of what is ignored, the index, HEAD. None when git does not say all of it.

    Where settings come from is git's own word (`config --show-origin`); files that it would read if
    they were there are listed in git-config(1), FILES, and gitignore(5).
    """
    repository = GitRepository(root, environ)
    listing = repository.git.start(("config", "--list", "--show-origin", "-z"))
    system = repository.system_configuration()
    answer = listing.finish()
    if system is None or answer.code != 0:
        return None
    fields = os.fsdecode(answer.out).split("\0")
    origins, settings = fields[:-1:2], fields[1::2]
    if not all(origin.startswith("file:") for origin in origins):
        return None
    paths = [os.path.join(root, origin.removeprefix("file:")) for origin in origins]
    names = [setting.partition("\n")[0] for setting in settings]
    ignored = _user(environ, "ignore")
    if "core.excludesfile" in names:
        asked = repository.git.ask(("config", "--type=path", "--get", "core.excludesFile"))
        ignored = [os.path.join(root, os.fsdecode(asked.out).removesuffix("\n"))]
    paths += [system, *_user(environ, "config"), *ignored]
    paths += [
        environ[name] for name in ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM") if name in environ
    ]
    paths += [os.path.join(environ["HOME"], ".gitconfig")] if environ.get("HOME") else []
    git_dir, common = repository.git_dir, repository.common_dir
    paths += [os.path.join(git_dir, name) for name in ("index", "HEAD", "config.worktree")]
    paths += [os.path.join(common, "config"), os.path.join(common, "info", "exclude")]
    every = [os.path.abspath(path) for path in dict.fromkeys(paths) if path]
    there = tuple(path for path in every if os.path.exists(path))
    absent = tuple(path for path in every if not os.path.lexists(path))
    return Deciding(there, absent) if len(there) + len(absent) == len(every) else None


def _user(environ: Mapping[str, str], name: str) -> list[str]:
    base = environ.get("XDG_CONFIG_HOME")
    if not base and environ.get("HOME"):
        base = os.path.join(environ["HOME"], ".config")
    return [os.path.join(base, "git", name)] if base else []

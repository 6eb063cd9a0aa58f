"""The files that a flake's shell is made from, as far as they can be told without evaluating it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from hashlib import blake2b
from typing import NamedTuple

from grind import __version__
from grind.adapters.git.process import scrubbed
from grind.core import promotion

SHELL = (
    *("*.nix", "*.lock", "*.toml", "*requirements*.txt", ".python-version"),
    f":(top,exclude){promotion.FOLDER}",
)
"""What shells of flakes are made from: expressions, locks, and what they commonly read."""


class Files(NamedTuple):
    """Some tracked files of a working copy, and a digest of what is in them."""

    paths: tuple[str, ...]
    """Absolute."""
    digest: str


def files(top: str, patterns: tuple[str, ...], environ: Mapping[str, str], *more: str) -> Files:
    """Read the tracked files that match git's `patterns`; `more` goes into the digest too.

    What git does not track is not seen by Nix either.
    """
    listed = subprocess.run(
        ["git", "-C", top, "ls-files", "-z", "--", *patterns],
        capture_output=True,
        env=scrubbed(environ),
        check=True,
    ).stdout
    names = sorted(set(filter(None, listed.split(b"\0"))))
    digest = blake2b(digest_size=12)
    for text in (__version__, top, *more):
        digest.update(os.fsencode(text) + b"\0")
    paths = []
    for name in names:
        path = os.path.join(top, os.fsdecode(name))
        paths.append(path)
        digest.update(name + b"\0")
        digest.update(_content(path) + b"\0")
    return Files(tuple(paths), digest.hexdigest())


def _content(path: str) -> bytes:
    try:
        if os.path.islink(path):
            return os.fsencode(os.readlink(path))
        with open(path, "rb") as file:
            content = file.read()
    except OSError:
        return b"gone"
    return blake2b(content, digest_size=16).digest()

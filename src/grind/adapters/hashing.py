"""`hashFiles` over a folder of this machine: the walk, and reading what matches.

As `@actions/glob` walks: hidden files count, links to folders are followed only when asked, and
what is hashed through a link is the file behind it. The matching is `Patterns`.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from functools import partial

from grind.core.errors import GrindError


def question_name(step: int, arguments: Sequence[str]) -> str:
    """Name the question that a step asks, for what keeps its answer."""
    text = "\0".join((str(step), *arguments)).encode("utf-8", "surrogatepass")
    return f"hash-{hashlib.sha256(text).hexdigest()[:32]}"


def hash_workspace(workspace: str, arguments: Sequence[str]) -> str:
    """Return what `hashFiles` says of a workspace; '' when no file matches.

    Raises:
        GrindError: a pattern is none that GitHub takes, or a file that matches cannot be read.
    """
    # Every lane of this machine can be asked this, and few are.
    from grind.workflows.expressions import ExpressionError, Patterns, hash_files

    try:
        patterns = Patterns(arguments, workspace)
        follow = patterns.follow_symbolic_links
        files = {
            path: partial(_digest, os.path.join(workspace, path))
            for root in patterns.roots
            for path in _walk(workspace, root, follow, ())
        }
        return hash_files(arguments, files.items(), workspace)
    except ExpressionError as error:
        raise GrindError(f"hashFiles: {error}") from None
    except OSError as error:
        raise GrindError(f"hashFiles cannot read {error.filename}: {error.strerror}") from None


def _walk(workspace: str, path: str, follow: bool, chain: tuple[str, ...]) -> Iterator[str]:
    """Yield every file at or below `path`; `chain` are the folders above, as they really are."""
    full = os.path.join(workspace, path) if path else workspace
    try:
        mode = os.stat(full, follow_symlinks=follow or not path).st_mode
    except FileNotFoundError:
        return  # not there, or a link to nothing, which a walk that follows links leaves out
    if stat.S_ISLNK(mode):
        # A link to a folder is not hashed; one to nothing fails when it matches.
        if not os.path.isdir(full):
            yield path
        return
    if not stat.S_ISDIR(mode):
        yield path
        return
    real = os.path.realpath(full)
    if real in chain:
        return
    for name in sorted(os.listdir(full)):
        yield from _walk(workspace, f"{path}/{name}" if path else name, follow, (*chain, real))


def _digest(path: str) -> bytes:
    total = hashlib.sha256()
    with open(path, "rb", opener=_regular) as file:
        while piece := file.read(1 << 20):
            total.update(piece)
    return total.digest()


def _regular(path: str, flags: int) -> int:
    """Open a file that can be read to its end; a pipe would be waited for."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(22, "it is no regular file", path)
    return descriptor

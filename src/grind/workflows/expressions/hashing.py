"""`hashFiles`: the pure part. Which files match, in which order, and how digests are combined.

The runner calls @actions/glob with the patterns in the order given: a file is in when the last
pattern that matches it is not a negated one, files are taken in the order of a walk, and the
answer is the SHA-256 of the files' SHA-256 digests one after another, in hexadecimal; '' when no
file matches. Reading the file system stays with the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from grind.workflows.expressions.errors import EvaluationError

_FOLLOW = "--follow-symbolic-links"
Digest = Callable[[], bytes]


class Patterns:
    """Compiled patterns of one `hashFiles` call, relative to the workspace.

    `follow_symbolic_links` is what the caller's walk has to do. Raises EvaluationError for what
    leaves the workspace (`..`, absolute paths, `~`), for an unknown option and for an empty list.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        rest = list(arguments)
        self.follow_symbolic_links = False
        if rest and rest[0].startswith("--"):
            if rest[0].lower() != _FOLLOW:
                raise EvaluationError(
                    f"Invalid glob option {rest[0]}, available option: '{_FOLLOW}'"
                )
            self.follow_symbolic_links = True
            del rest[0]
        # The runner hands them over joined by line ends: one argument may hold several.
        lines = [line.strip() for text in rest for line in text.splitlines()]
        self._compiled = [_compile(line) for line in lines if line and not line.startswith("#")]

    def match(self, path: str) -> bool:
        """Whether the file at this workspace-relative POSIX path is hashed."""
        chosen = False
        for negated, expression in self._compiled:
            # A pattern that was matched stays so until a negated one matches, and vice versa.
            if chosen is negated and expression.fullmatch(path):
                chosen = not negated
        return chosen


def _compile(line: str) -> tuple[bool, re.Pattern[str]]:
    negated = False
    while line.startswith("!"):
        negated = not negated
        line = line[1:].strip()
    if not line or line.startswith(("/", "~")) or "\\" in line:
        raise EvaluationError(f"hashFiles: a pattern that is not in the workspace: '{line}'")
    segments = [part for part in line.split("/") if part not in ("", ".")]
    if ".." in segments:
        raise EvaluationError(f"hashFiles: a pattern that leaves the workspace: '{line}'")
    # A pattern that names a folder takes all that is in it (implicitDescendants).
    return negated, re.compile(_segments(segments) + r"(?:/.*)?", re.DOTALL)


def _segments(segments: list[str]) -> str:
    if not segments:
        return ".*"
    out: list[str] = []
    for position, segment in enumerate(segments):
        last = position == len(segments) - 1
        if segment == "**":
            out.append(".*" if last else "(?:[^/]+/)*")
        else:
            out.append(_segment(segment) + ("" if last else "/"))
    return "".join(out)


def _segment(segment: str) -> str:
    out = ""
    at = 0
    while at < len(segment):
        char = segment[at]
        if char == "*":
            # Stars side by side mean one; more would make matching slow.
            out += "" if out.endswith("[^/]*") else "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "[":
            raise EvaluationError(f"hashFiles: character sets are not supported: '{segment}'")
        else:
            out += re.escape(char)
        at += 1
    return out


def hash_files(arguments: Sequence[str], files: Iterable[tuple[str, Digest]]) -> str:
    """Combine the digests of the files that match, in the order of @actions/glob's walk.

    `files` are workspace-relative POSIX paths of regular files, each with a callable that gives
    the SHA-256 digest (32 bytes) of its content; it is called for matching files only.
    """
    patterns = Patterns(arguments)
    chosen = [(path, digest) for path, digest in files if patterns.match(path)]
    if not chosen:
        return ""
    total = sha256()
    for _, digest in sorted(chosen, key=lambda item: _walk_order(item[0])):
        total.update(digest())
    return total.hexdigest()


def _walk_order(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))

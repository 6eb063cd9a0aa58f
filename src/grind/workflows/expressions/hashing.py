"""`hashFiles`: the pure part. Which files match, in which order, and how digests are combined.

The runner hands the patterns to @actions/glob, line by line. Each pattern takes in what it matches
and all below it, a negated one (`!`) takes out again, in order. The walk starts at the literal
beginning of each pattern, in the order of the patterns, and goes through a folder's names in byte
order (libuv sorts them). The answer is the SHA-256 of the files' SHA-256 digests one after another,
in hexadecimal; '' when no file matches. Reading the file system stays with the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from grind.workflows.expressions.errors import EvaluationError
from grind.workflows.expressions.numbers import WHITESPACE

_FOLLOW = "--follow-symbolic-links"
_BLANK = WHITESPACE + "\ufeff"
Digest = Callable[[], bytes]


class _Pattern(NamedTuple):
    negated: bool
    segments: tuple[str, ...]
    folders_only: bool  # a trailing slash: what is below it, not a file of that name

    def match(self, parts: tuple[str, ...]) -> bool:
        """Whether it takes a file: by itself, or as something below what it matches."""
        segments = self.segments[:-1] if self.segments[-1:] == ("**",) else self.segments
        lengths = range(len(parts) if self.folders_only else len(parts) + 1)
        return _reaches(segments, parts, lengths)

    def search_path(self) -> tuple[str, ...]:
        """The segments before the first with a wildcard: where the walk starts."""
        path: list[str] = []
        for segment in self.segments:
            if "*" in segment or "?" in segment:
                break
            path.append(segment)
        return tuple(path)


class Patterns:
    """The patterns of one `hashFiles` call, over paths relative to the workspace.

    `follow_symbolic_links` is what the caller's walk has to do. Raises EvaluationError for an
    unknown option, for `.` and `..` inside a pattern (as the runner does), and for what is not
    done here: absolute patterns outside `workspace`, `~`, character sets and backslashes.
    """

    def __init__(self, arguments: Sequence[str], workspace: str | None = None) -> None:
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
        lines = [line.strip(_BLANK) for text in rest for line in text.split("\n")]
        self._patterns = [
            _compile(line, workspace) for line in lines if line and not line.startswith("#")
        ]
        self._roots = _roots([p.search_path() for p in self._patterns if not p.negated])

    @property
    def roots(self) -> tuple[str, ...]:
        """Where the walk starts, relative to the workspace ("" is all of it): no file that is not
        there, or below it, matches."""
        return tuple(_characters("/".join(root)) for root in self._roots)

    def match(self, path: str) -> bool:
        """Whether the file at this workspace-relative POSIX path is hashed."""
        parts = tuple(path.split("/"))
        chosen = False
        for pattern in self._patterns:
            # A pattern of the same sign as what is decided so far changes nothing.
            if chosen is pattern.negated and pattern.match(parts):
                chosen = not pattern.negated
        return chosen

    def order(self, path: str) -> tuple[int, tuple[bytes, ...]]:
        """Give the key that sorts matching paths into the order of the walk."""
        parts = tuple(path.split("/"))
        units = tuple(map(_units, parts))
        root = next(
            (at for at, root in enumerate(self._roots) if units[: len(root)] == root),
            len(self._roots),
        )
        return root, tuple(part.encode("utf-8", "surrogateescape") for part in parts)


def hash_files(
    arguments: Sequence[str],
    files: Iterable[tuple[str, Digest]],
    workspace: str | None = None,
) -> str:
    """Combine the digests of the files that match, in the order of @actions/glob's walk.

    `files` are workspace-relative POSIX paths of regular files, each with a callable that gives
    the SHA-256 digest (32 bytes) of its content; it is called for matching files only.
    `workspace` is the absolute path that patterns may begin with (`github.workspace`).
    """
    from hashlib import sha256  # its import costs more than all the rest of this package

    patterns = Patterns(arguments, workspace)
    chosen = {path: digest for path, digest in files if patterns.match(path)}
    if not chosen:
        return ""
    total = sha256()
    for path in sorted(chosen, key=patterns.order):
        total.update(chosen[path]())
    return total.hexdigest()


def _compile(line: str, workspace: str | None) -> _Pattern:
    negated = False
    while line.startswith("!"):
        negated = not negated
        line = line[1:].strip(_BLANK)
    root = (workspace or "").rstrip("/")
    if root and (line == root or line.startswith(root + "/")):
        line = line[len(root) :].lstrip("/") or "."
    if not line or line.startswith(("/", "~")):
        raise EvaluationError(f"hashFiles: a pattern outside the workspace: '{line}'")
    if "\\" in line or "[" in line:
        raise EvaluationError(f"hashFiles: sets and escapes are not supported: '{line}'")
    segments = [part for part in line.split("/") if part]
    if ".." in segments or "." in segments[1:]:
        raise EvaluationError(
            f"Invalid pattern '{line}'. Relative pathing '.' and '..' is not allowed."
        )
    if segments[0] == ".":
        del segments[0]
    return _Pattern(negated, tuple(map(_units, segments)), line.endswith("/"))


def _roots(paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Leave out the paths below another one, and repetitions."""
    known = set(paths)
    return [
        path
        for path in dict.fromkeys(paths)
        if not any(path[:length] in known for length in range(len(path)))
    ]


def _reaches(segments: Sequence[str], parts: tuple[str, ...], lengths: range) -> bool:
    """Whether the segments match the first N parts for an N of `lengths`.

    One pass over the segments with the set of lengths that they can have matched: no backtracking.
    """
    reached = {0}
    for segment in segments:
        if segment == "**":
            reached = set(range(min(reached), len(parts) + 1)) if reached else reached
        else:
            reached = {
                at + 1 for at in reached if at < len(parts) and _segment(segment, _units(parts[at]))
            }
    return any(length in reached for length in lengths)


def _segment(pattern: str, name: str) -> bool:
    """Match one name; `*` any text, `?` one UTF-16 unit. Linear but for the last star's retries."""
    at = position = mark = 0
    star = -1
    while position < len(name):
        if at < len(pattern) and pattern[at] == "*":
            star, mark = at, position
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", name[position]):
            at += 1
            position += 1
        elif star >= 0:
            mark += 1
            at, position = star + 1, mark
        else:
            return False
    return pattern[at:].strip("*") == ""


def _characters(units: str) -> str:
    """Undo `_units`."""
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _units(text: str) -> str:
    """Spell characters beyond U+FFFF as the two UTF-16 units that JavaScript sees."""
    if text.isascii():
        return text
    return "".join(
        char
        if char <= "\uffff"
        else chr(0xD7C0 + (ord(char) >> 10)) + chr(0xDC00 + (ord(char) & 0x3FF))
        for char in text
    )

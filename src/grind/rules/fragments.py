"""A piece of shell, where each of its bytes came from, and what is known of where it will run."""

from __future__ import annotations

from bisect import bisect_right
from typing import NamedTuple

from grind.rules.shell.model import HOLE


class Context(NamedTuple):
    """Where a fragment runs, and under what shell."""

    host: str = "script"
    """The kind of text it was found in: script, workflow, recipe, make, hook, npm, nix …"""
    machine: str = "local"
    """local, ci, remote (behind ssh), container."""
    python: str = ""
    """What supplies Python there (nix, uv, container …); empty: whatever the PATH has."""
    errexit: bool = False
    pipefail: bool = False
    nounset: bool = False
    dialect: str = "bash"
    info: bool = False
    """Documentation: shown to people, not run by anything here."""
    cwd: str | None = None
    """The folder it starts in, relative to the root, where that is certain."""
    gating: bool = False
    """Its exit code decides a check: a CI step, a recipe, a hook."""
    label: str = ""
    """What a person calls it: a step's name, a recipe."""
    depth: int = 0
    env: frozenset[str] = frozenset()
    """Variables that the surroundings are known to set."""
    secrets: frozenset[str] = frozenset()
    """Those of them that hold secrets."""
    job: str = ""


class Piece(NamedTuple):
    """A run of text that stands in the file as it stands in the fragment."""

    at: int
    source: int
    length: int


class Hole(NamedTuple):
    """A stretch of the fragment that a template fills in later, or that expands elsewhere."""

    start: int
    end: int
    raw: str
    kind: str
    """`github`, `just`, `make`, `nix`, `local` (expanded by the shell that sends the text)."""


class Fragment(NamedTuple):
    """Extracted shell."""

    text: str
    pieces: tuple[Piece, ...]
    context: Context
    holes: tuple[Hole, ...] = ()

    def source_offset(self, at: int) -> int:
        """The offset in the file of an offset in the fragment."""
        index = bisect_right(self.pieces, (at, 1 << 60, 0)) - 1
        if index < 0:
            return self.pieces[0].source if self.pieces else 0
        piece = self.pieces[index]
        return piece.source + min(at - piece.at, piece.length)

    def hole_at(self, start: int, end: int) -> list[Hole]:
        """The holes that touch a span."""
        return [hole for hole in self.holes if hole.start < end and hole.end > start]


class Builder:
    """Collects text, piece by piece, with where it came from."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.length = 0
        self.pieces: list[Piece] = []
        self.holes: list[Hole] = []

    def copy(self, text: str, source: int) -> None:
        """Text that stands in the file at `source` just like this."""
        if not text:
            return
        last = self.pieces[-1] if self.pieces else None
        if last and last.at + last.length == self.length and last.source + last.length == source:
            self.pieces[-1] = Piece(last.at, last.source, last.length + len(text))
        else:
            self.pieces.append(Piece(self.length, source, len(text)))
        self.out.append(text)
        self.length += len(text)

    def replace(self, text: str, source: int) -> None:
        """Text that stands in the file in another form (an escape) at `source`."""
        if text:
            self.pieces.append(Piece(self.length, source, 0))
            self.out.append(text)
            self.length += len(text)

    def hole(self, raw: str, source: int, kind: str) -> None:
        """A template hole: masked with as many marks as it has bytes."""
        self.holes.append(Hole(self.length, self.length + len(raw), raw, kind))
        self.pieces.append(Piece(self.length, source, len(raw)))
        self.out.append(HOLE * len(raw))
        self.length += len(raw)

    def build(self, context: Context) -> Fragment:
        """The fragment so far."""
        return Fragment("".join(self.out), tuple(self.pieces), context, tuple(self.holes))


def whole(text: str, source: int, context: Context) -> Fragment:
    """A fragment that stands in the file as it is."""
    return Fragment(text, (Piece(0, source, len(text)),), context)


def masked(fragment: Fragment, found: list[tuple[int, int, str]]) -> Fragment:
    """The fragment with more holes: `(start, end, kind)` of its text, in order, not overlapping."""
    if not found:
        return fragment
    out: list[str] = []
    holes: list[Hole] = list(fragment.holes)
    at = 0
    for start, end, kind in found:
        out.append(fragment.text[at:start])
        out.append(HOLE * (end - start))
        holes.append(Hole(start, end, fragment.text[start:end], kind))
        at = end
    out.append(fragment.text[at:])
    return fragment._replace(text="".join(out), holes=tuple(sorted(holes)))

"""Read a `run:` text of bash or sh: which commands are in it, and where they stand.

tree-sitter-bash parses in this process. `${{ }}` holes are masked with the same length first, so
places stay true. What the grammar does not understand, what is too deep or too long, is said by
`Script.complete`, and never guessed: a caller then searches the text conservatively.

The reader is bounded: texts above `LIMIT` bytes are not parsed at all, nesting above `DEPTH` is
not followed, and a shell text inside a shell text (`bash -c`) is read `NESTING` levels down.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from grind.workflows.shellmodel import Command, Node, Place, Redirect, Script, Word
from grind.workflows.shelltree import Builder

if TYPE_CHECKING:
    from tree_sitter import Parser

__all__ = [
    "LIMIT",
    "Command",
    "Node",
    "Place",
    "Redirect",
    "Script",
    "Word",
    "make_parser",
    "mask_holes",
    "read_shell",
]

LIMIT = 128 * 1024
"""Bytes. GitHub itself refuses a `run:` with expressions above 21,000 characters."""
NESTING = 4


def make_parser() -> Parser:
    """Return a parser for `read_shell`, for callers that read many texts."""
    import tree_sitter_bash
    from tree_sitter import Language, Parser

    return Parser(Language(tree_sitter_bash.language()))


def read_shell(text: str, parser: Parser | None = None) -> Script:
    """Read `text`. Never raises for any text; what is not understood makes it incomplete."""
    return _read(text, parser or make_parser(), 0)


def _read(text: str, parser: Parser, nesting: int) -> Script:
    source = text.encode("utf-8", "surrogatepass")
    if len(source) > LIMIT or nesting > NESTING or b"\0" in source:
        return Script((), (), False)
    masked, holes = mask_holes(source)
    tree: Any = parser.parse(masked)
    for _ in range(_REPAIRS):
        swallowed = swallowed_newlines(tree.root_node, masked)
        if not swallowed:
            break
        repaired = bytearray(masked)
        for offset in swallowed:
            repaired[offset] = ord(";")
        masked = bytes(repaired)
        tree = parser.parse(masked)
    builder = Builder(source, holes, lambda inner: _read(inner, parser, nesting + 1))
    script = builder.build(tree.root_node)
    if swallowed_newlines(tree.root_node, masked):
        return script._replace(complete=False)
    return script


def swallowed_newlines(root: Any, source: bytes) -> tuple[int, ...]:
    """Offsets of newlines that the grammar took for a space between two words.

    It does so after a pipeline, when the next line has an `&&`: `a | b`, newline, `c && d` becomes
    `a | b c && d`. A newline inside of a command that is neither quoted nor escaped ends it.
    """
    found: list[int] = []
    stack = [root]
    while stack:
        node = stack.pop()
        children = node.children
        stack.extend(children)
        if node.type in _ONE_LINE:
            for left, right in pairwise(children):
                gap = source[left.end_byte : right.start_byte]
                at = gap.find(b"\n")
                if at >= 0 and not gap[:at].endswith(b"\\") and right.type != "heredoc_body":
                    found.append(left.end_byte + at)
    return tuple(found)


_ONE_LINE = frozenset(
    {
        "command",
        "redirected_statement",
        "declaration_command",
        "unset_command",
        "variable_assignments",
    }
)
_REPAIRS = 8


def mask_holes(source: bytes) -> tuple[bytes, tuple[tuple[int, int], ...]]:
    """Return `source` with each `${{ … }}` replaced by as many letters, and where they were.

    A `}}` inside a quoted string of the expression does not end the hole. An unclosed hole is
    left as it is: it makes the text incomplete.
    """
    holes: list[tuple[int, int]] = []
    pieces: list[bytes] = []
    at = 0
    while (start := source.find(b"${{", at)) >= 0:
        end = _hole_end(source, start + 3)
        if end < 0:
            break
        pieces += (source[at:start], b"_" * (end - start))
        holes.append((start, end))
        at = end
    pieces.append(source[at:])
    return b"".join(pieces), tuple(holes)


def _hole_end(source: bytes, start: int) -> int:
    """Return the offset after the `}}` that closes the hole opened before `start`, or -1."""
    at = start
    while True:
        close = source.find(b"}}", at)
        quote = source.find(b"'", at, close if close >= 0 else len(source))
        if close < 0 or quote < 0:
            return close + 2 if close >= 0 else -1
        end = source.find(b"'", quote + 1)
        if end < 0:
            return close + 2
        at = end + 1

"""The one syntax tree that all rules read, whichever parser made it.

Offsets count bytes of the fragment. Texts are "latin-1 views" of the bytes (one character per
byte), so offsets of parsers, of regular expressions and of slices are the same number.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

HOLE = "\x01"
"""One byte of text that is only known later (a template hole, a local expansion)."""

LITERAL, VAR, COMMAND, ARITH, HOLED = "lit", "var", "cmd", "arith", "hole"


class Part(NamedTuple):
    """One piece of a word. `text` is the value of a literal, or the name of a variable."""

    kind: str
    start: int
    end: int
    text: str
    quote: str
    """"" (bare), `'` or `"`: which quotes it stands in."""


class Node:
    """A statement."""

    __slots__ = ("background", "end", "redirects", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.background = False
        self.redirects: list[Redirect] = []


class Assign(NamedTuple):
    """`name=value`, on its own or before a command."""

    name: str
    start: int
    value: Word | None


class Redirect(NamedTuple):
    """One redirection. For a here-document `body` is the span of its text and `quoted` its kind."""

    op: str
    fd: str
    target: Word | None
    body: tuple[int, int] | None = None
    quoted: bool = False


class Simple(Node):
    """A simple command: assignments, words, redirections."""

    __slots__ = ("assigns", "words")

    def __init__(self, start: int, end: int, assigns: list[Assign], words: list[Word]) -> None:
        super().__init__(start, end)
        self.assigns = assigns
        self.words = words


class Pipe(Node):
    """`a | b`, perhaps with `!` before it."""

    __slots__ = ("negated", "stages")

    def __init__(self, start: int, end: int, stages: list[Node], negated: bool) -> None:
        super().__init__(start, end)
        self.stages = stages
        self.negated = negated


class Chain(Node):
    """`a && b || c`: items joined by `&&` and `||`, flat, left to right."""

    __slots__ = ("items", "ops")

    def __init__(self, start: int, end: int, items: list[Node], ops: list[str]) -> None:
        super().__init__(start, end)
        self.items = items
        self.ops = ops


class Compound(Node):
    """What has a body: if, while, until, for, case, subshell, group, function; test, arith."""

    __slots__ = ("blocks", "kind", "name")

    def __init__(
        self, kind: str, start: int, end: int, blocks: list[tuple[str, list[Node]]], name: str = ""
    ) -> None:
        super().__init__(start, end)
        self.kind = kind
        self.blocks = blocks
        self.name = name


class Script:
    """A parsed fragment."""

    __slots__ = ("errors", "parser", "statements", "substitutions", "text")

    def __init__(self, text: str, parser: str) -> None:
        self.text = text
        self.parser = parser
        self.statements: list[Node] = []
        self.substitutions: dict[int, tuple[int, list[Node]]] = {}
        """Where a `$(`, a backtick or a `<(` starts → where it ends, and what is in it."""
        self.errors: list[int] = []


class Word:
    """A word of a command, taken apart only when somebody asks."""

    __slots__ = ("_parts", "end", "script", "start")

    def __init__(self, script: Script, start: int, end: int) -> None:
        self.script = script
        self.start = start
        self.end = end
        self._parts: tuple[Part, ...] | None = None

    @property
    def raw(self) -> str:
        """The word as it is written."""
        return self.script.text[self.start : self.end]

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its pieces, from left to right."""
        if self._parts is None:
            from grind.rules.shell.words import split

            self._parts = tuple(split(self.script, self.start, self.end))
        return self._parts

    @property
    def literal(self) -> str | None:
        """Its value where that is known without running anything, else None."""
        raw = self.raw
        if not any(sign in raw for sign in _SPECIAL):
            return raw
        parts = self.parts
        if all(part.kind == LITERAL for part in parts):
            return "".join(part.text for part in parts)
        return None

    @property
    def text(self) -> str:
        """Its value with every unknown piece replaced by `HOLE`."""
        return "".join(part.text if part.kind == LITERAL else HOLE for part in self.parts)


_SPECIAL = frozenset("'\"\\$`<>" + HOLE)


class Site(NamedTuple):
    """A simple command and where it stands: the lists around it, from the outermost inwards."""

    command: Simple
    trail: tuple[tuple[Node | None, list[Node], int], ...]
    """Each: the node that owns the list (None: the script), the list, the index in it."""

    def inside(self, *kinds: str) -> bool:
        """Whether it stands in a compound of one of these kinds."""
        return any(isinstance(o, Compound) and o.kind in kinds for o, _, _ in self.trail)

    def owners(self) -> Iterator[Node]:
        """The nodes around it, from the innermost outwards."""
        for owner, _, _ in reversed(self.trail):
            if owner is not None:
                yield owner


def sites(script: Script) -> list[Site]:
    """All simple commands of a script, also those inside substitutions, in order of their start."""
    found: list[Site] = []
    _visit(script.statements, (), None, found)
    for _, body in script.substitutions.values():
        owner = Compound("substitution", body[0].start, body[-1].end, []) if body else None
        _visit(body, (), owner, found)
    found.sort(key=lambda site: site.command.start)
    return found


_Trail = tuple[tuple[Node | None, list[Node], int], ...]


def _visit(nodes: list[Node], trail: _Trail, owner: Node | None, found: list[Site]) -> None:
    for index, node in enumerate(nodes):
        here = (*trail, (owner, nodes, index))
        if isinstance(node, Simple):
            found.append(Site(node, here))
        elif isinstance(node, Pipe):
            _visit(node.stages, here, node, found)
        elif isinstance(node, Chain):
            _visit(node.items, here, node, found)
        elif isinstance(node, Compound):
            for _, body in node.blocks:
                _visit(body, here, node, found)

"""The syntax tree: six node types, each with its place in the source, and their text again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from grind.workflows.expressions.values import kind


class Node:
    """A part of an expression; `start` and `end` are offsets into the source.

    Nodes are equal when they mean the same; where they stood does not matter.
    """

    __slots__ = ("end", "start")
    fields: ClassVar[tuple[str, ...]] = ()
    start: int
    end: int

    def children(self) -> tuple[Node, ...]:
        """Give the nodes directly below, in source order."""
        return ()

    def walk(self) -> Iterator[Node]:
        """Give this node and all below it, in source order."""
        stack: list[Node] = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children()))

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            getattr(self, name) == getattr(other, name) for name in self.fields
        )

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in self.fields)))

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.fields)
        return f"{type(self).__name__}({shown})"

    def __str__(self) -> str:
        return unparse(self)


class Literal(Node):
    """null, a boolean, a number or a string."""

    __slots__ = ("value",)
    fields = ("value",)

    def __init__(self, value: bool | float | str | None, start: int = 0, end: int = 0) -> None:
        self.value = value
        self.start = start
        self.end = end

    def __eq__(self, other: object) -> bool:
        # 1 is not true, and NaN is the same literal as NaN.
        return isinstance(other, Literal) and (kind(self.value), repr(self.value)) == (
            kind(other.value),
            repr(other.value),
        )

    def __hash__(self) -> int:
        return hash(repr(self.value))


class Context(Node):
    """A named value: `github`."""

    __slots__ = ("name",)
    fields = ("name",)

    def __init__(self, name: str, start: int = 0, end: int = 0) -> None:
        self.name = name
        self.start = start
        self.end = end


class Index(Node):
    """`target.name`, `target[index]`, or `target.*` when `index` is None."""

    __slots__ = ("index", "target")
    fields = ("target", "index")

    def __init__(self, target: Node, index: Node | None, start: int = 0, end: int = 0) -> None:
        self.target = target
        self.index = index
        self.start = start
        self.end = end

    def children(self) -> tuple[Node, ...]:
        """Give the target and, unless it is a star, the index."""
        return (self.target,) if self.index is None else (self.target, self.index)


class Call(Node):
    """A function call; `name` as it was written."""

    __slots__ = ("args", "name")
    fields = ("name", "args")

    def __init__(self, name: str, args: tuple[Node, ...], start: int = 0, end: int = 0) -> None:
        self.name = name
        self.args = args
        self.start = start
        self.end = end

    def children(self) -> tuple[Node, ...]:
        """Give the arguments."""
        return self.args


class Not(Node):
    """`!operand`."""

    __slots__ = ("operand",)
    fields = ("operand",)

    def __init__(self, operand: Node, start: int = 0, end: int = 0) -> None:
        self.operand = operand
        self.start = start
        self.end = end

    def children(self) -> tuple[Node, ...]:
        """Give the operand."""
        return (self.operand,)


class Binary(Node):
    """A comparison: `==`, `!=`, `<`, `<=`, `>`, `>=`."""

    __slots__ = ("left", "op", "right")
    fields = ("op", "left", "right")

    def __init__(self, op: str, left: Node, right: Node, start: int = 0, end: int = 0) -> None:
        self.op = op
        self.left = left
        self.right = right
        self.start = start
        self.end = end

    def children(self) -> tuple[Node, ...]:
        """Give both sides."""
        return (self.left, self.right)


class Logical(Node):
    """`a && b && …` or `a || b || …`, with all operands of one chain."""

    __slots__ = ("args", "op")
    fields = ("op", "args")

    def __init__(self, op: str, args: tuple[Node, ...], start: int = 0, end: int = 0) -> None:
        self.op = op
        self.args = args
        self.start = start
        self.end = end

    def children(self) -> tuple[Node, ...]:
        """Give the operands."""
        return self.args


def unparse(node: Node) -> str:
    """Write a node as source that parses to an equal node."""
    if isinstance(node, Literal):
        return _literal(node.value)
    if isinstance(node, Context):
        return node.name
    if isinstance(node, Index):
        return _index(node)
    if isinstance(node, Call):
        return f"{node.name}({', '.join(map(unparse, node.args))})"
    if isinstance(node, Not):
        return "!" + _within(node.operand, 4)
    if isinstance(node, Logical):
        level = _level(node)
        return f" {node.op} ".join(_within(arg, level + 1) for arg in node.args)
    assert isinstance(node, Binary)
    level = _level(node)
    return f"{_within(node.left, level)} {node.op} {_within(node.right, level + 1)}"


def _index(node: Index) -> str:
    target = unparse(node.target)
    if not isinstance(node.target, Context | Index | Call):
        target = f"({target})"
    if node.index is None:
        return f"{target}.*"
    return f"{target}[{unparse(node.index)}]"


def _literal(value: bool | float | str | None) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float):
        named = {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}.get(repr(value))
        return named or repr(value)
    return {None: "null", True: "true", False: "false"}[value]


def _level(node: Node) -> int:
    """How tightly a node binds: `||` 0, `&&` 1, equality 2, order 3, the rest 4."""
    if isinstance(node, Logical):
        return 0 if node.op == "||" else 1
    if isinstance(node, Binary):
        return 2 if node.op in ("==", "!=") else 3
    return 4


def _within(node: Node, level: int) -> str:
    text = unparse(node)
    return f"({text})" if _level(node) < level else text

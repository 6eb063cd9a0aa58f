"""What an expression would look at, without evaluating it."""

from __future__ import annotations

from collections.abc import Iterator

from grind.workflows.expressions.access import path_of
from grind.workflows.expressions.nodes import Call, Context, Index, Node
from grind.workflows.expressions.parser import STATUS_FUNCTIONS, parse

Path = tuple[str | None, ...]


def references(source: str | Node) -> tuple[Path, ...]:
    """Give the context paths an expression reads, in source order, each once.

    `steps.x.outputs.y` is ('steps', 'x', 'outputs', 'y'); a star and a computed index are None:
    `env[matrix.key]` is ('env', None) and ('matrix', 'key'). Context names are in lower case, the
    rest as written. Raises LexingError or ParsingError.
    """
    node = _tree(source)
    found: dict[Path, None] = {}
    if node is not None:
        found.update(dict.fromkeys(_paths(node)))
    return tuple(found)


def functions_used(source: str | Node) -> tuple[str, ...]:
    """Name the functions an expression calls, in lower case, in source order, each once."""
    node = _tree(source)
    if node is None:
        return ()
    calls = (part.name.lower() for part in node.walk() if isinstance(part, Call))
    return tuple(dict.fromkeys(calls))


def has_status_function(source: str | Node) -> bool:
    """Whether success(), failure(), always() or cancelled() is called anywhere in it."""
    return not STATUS_FUNCTIONS.isdisjoint(functions_used(source))


def _tree(source: str | Node) -> Node | None:
    return parse(source) if isinstance(source, str) else source


def _paths(node: Node) -> Iterator[Path]:
    """Depth first; an index chain that starts at a context is one path."""
    if isinstance(node, Context):
        yield (node.name.lower(),)
        return
    if isinstance(node, Index):
        path = path_of(node)
        base: Node = node
        inner: list[Node] = []
        while isinstance(base, Index):
            if base.index is not None:
                inner.append(base.index)
            base = base.target
        if isinstance(base, Context):
            yield path
        else:
            yield from _paths(base)
        for index in reversed(inner):
            yield from _paths(index)
        return
    for child in node.children():
        yield from _paths(child)

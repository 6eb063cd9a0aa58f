"""Put pipelines and `&&`/`||` lists of tree-sitter's tree in the order and precedence of the shell.

The grammar reads `a | b && c` as `a | (b && c)`, `a || b > x | c` as `(a || b > x) | c`, hangs what
follows a heredoc's operator on the heredoc, and `! a | b` on `a`. The words stand in the right
order, though: flattened to leaves and operators, they are put together again by the shell's rules
in `shelltree`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

OPERATORS = frozenset({"&&", "||", "|", "|&"})
_CHAINS = frozenset({"list", "pipeline", "negated_command"})
_REDIRECTS = frozenset({"file_redirect", "herestring_redirect", "heredoc_redirect"})
_HEREDOC_OWN = frozenset(
    {"heredoc_start", "heredoc_body", "heredoc_end", "file_descriptor", "comment", "<<", "<<-"}
)
DEPTH = 400


class Item(NamedTuple):
    """A leaf (`node`, which is None for bare redirections, and its redirections), an operator or
    `!`."""

    operator: str = ""
    node: Any = None
    redirects: tuple[Any, ...] = ()


def flatten(node: Any, depth: int = 0) -> list[Item] | None:
    """Return leaves and operators in the order of the text; None when nested beyond measure."""
    if depth > DEPTH:
        return None
    if node.type in _CHAINS:
        items: list[Item] = []
        for child in node.children:
            more = _child(child, depth)
            if more is None:
                return None
            items += more
        return items
    if node.type != "redirected_statement":
        return [Item(node=node)]
    body = node.child_by_field_name("body")
    inner = flatten(body, depth + 1) if body is not None else [Item()]
    if not inner or inner[-1].operator:
        return None
    redirects = tuple(child for child in node.children if child.type in _REDIRECTS)
    inner[-1] = inner[-1]._replace(redirects=inner[-1].redirects + redirects)
    for redirect in redirects:
        if redirect.type == "heredoc_redirect":
            tail = _tail(redirect, depth)
            if tail is None:
                return None
            inner += tail
    return inner


def _child(child: Any, depth: int) -> list[Item] | None:
    if child.type in OPERATORS or child.type == "!":
        return [Item(child.type)]
    if not child.is_named or child.type == "comment":
        return []
    return flatten(child, depth + 1)


def _tail(redirect: Any, depth: int) -> list[Item] | None:
    """What stands between a heredoc's operator and the end of its line, but for its own parts."""
    items: list[Item] = []
    for index, child in enumerate(redirect.children):
        if child.type in _HEREDOC_OWN or child.type in _REDIRECTS:
            continue
        if redirect.field_name_for_child(index) in ("argument", "descriptor"):
            continue
        more = _child(child, depth + 1)
        if more is None:
            return None
        items += more
    return items

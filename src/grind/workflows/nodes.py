"""From syntax nodes to raw templates and to plain values."""

from __future__ import annotations

from typing import Any

from grind.workflows.literals import string_of
from grind.workflows.scope import Scope
from grind.workflows.syntax import Data, Map, Scalar, Seq


def raw(node: Data | None) -> str:
    """Return the template text of a scalar; of anything else, a flat rendering for people.

    A literal that is no string is the text that GitHub makes of it: an unquoted 3.10 is `3.1`.
    """
    if node is None:
        return ""
    if isinstance(node, Scalar):
        return node.text if isinstance(node.value, str) else string_of(node)
    if isinstance(node, Seq):
        return ", ".join(raw(item) for item in node.items)
    return ", ".join(f"{key.text}: {raw(value)}" for key, value in node.entries)


def raw_map(node: Map | Scalar | None) -> dict[str, str]:
    """Return a mapping of templates; a null value is the empty string, as in `env:`."""
    if not isinstance(node, Map):
        return {}
    return {key.text: raw(value) for key, value in node.entries}


def to_value(node: Data, scope: Scope) -> Any:
    """Evaluate every expression in a node and return plain values.

    Raises ExpressionError.
    """
    if isinstance(node, Scalar):
        if isinstance(node.value, str) and "${{" in node.value:
            return scope.value(node.value)
        return node.value
    if isinstance(node, Seq):
        return [to_value(item, scope) for item in node.items]
    return {
        (scope.text(key.text) if "${{" in key.text else key.text): to_value(value, scope)
        for key, value in node.entries
    }

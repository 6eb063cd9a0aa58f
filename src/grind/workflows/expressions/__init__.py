"""GitHub Actions' expression language, whole, in pure Python.

    >>> from grind.workflows.expressions import evaluate
    >>> evaluate("github.ref == 'refs/heads/main'", {"github": {"ref": "refs/heads/main"}})
    True

`evaluate` answers a value or raises an `ExpressionError`: `LexingError`, `ParsingError` or
`EvaluationError`, with a position. Where the answer depends on what is not known yet (`UNKNOWN`)
it raises `UnknownValueError`; where GitHub's own two implementations, the runner (C#) and the
language service (TypeScript), answer differently and nothing published decides, it raises
`DisputedValueError`. It never guesses.

Where they differ and GitHub's documentation or its published test data decides, that is followed:

- `''` inside a string is a quote, each time (the service replaces the first only).
- `case` evaluates its predicates in order and only the value it answers (the service: all).
- Keys and functions named `constructor` or `__proto__` are like any other (the service: lost).
- Positions count from the start of the source (the service: from the start of the line).
- An evaluation may hold 1 MiB (the service: no limit).
"""

from __future__ import annotations

from collections.abc import Mapping

from grind.workflows.expressions.analysis import (
    Path,
    functions_used,
    has_status_function,
    references,
)
from grind.workflows.expressions.conditions import condition, implicit_success
from grind.workflows.expressions.convert import from_python
from grind.workflows.expressions.errors import (
    DisputedValueError,
    EvaluationError,
    ExpressionError,
    LexingError,
    ParsingError,
    UnknownValueError,
)
from grind.workflows.expressions.evaluator import (
    Environment,
    Functions,
    evaluate_node,
    evaluate_source,
)
from grind.workflows.expressions.hashing import Patterns, hash_files
from grind.workflows.expressions.jsontext import from_json, to_json
from grind.workflows.expressions.memory import EXPRESSION_MEMORY, TEMPLATE_MEMORY
from grind.workflows.expressions.nodes import (
    Binary,
    Call,
    Context,
    Index,
    Literal,
    Logical,
    Node,
    Not,
    unparse,
)
from grind.workflows.expressions.parser import parse as _parse
from grind.workflows.expressions.templates import (
    Hole,
    Template,
    evaluate_template,
    parse_template,
    partial,
    unwrapped,
)
from grind.workflows.expressions.values import (
    UNKNOWN,
    Array,
    Object,
    Unknown,
    Value,
    kind,
    to_text,
    truthy,
)

__all__ = [
    "EXPRESSION_MEMORY",
    "TEMPLATE_MEMORY",
    "UNKNOWN",
    "Array",
    "Binary",
    "Call",
    "Context",
    "DisputedValueError",
    "EvaluationError",
    "ExpressionError",
    "Functions",
    "Hole",
    "Index",
    "LexingError",
    "Literal",
    "Logical",
    "Node",
    "Not",
    "Object",
    "ParsingError",
    "Path",
    "Patterns",
    "Template",
    "Unknown",
    "UnknownValueError",
    "Value",
    "condition",
    "evaluate",
    "evaluate_template",
    "from_json",
    "from_python",
    "functions_used",
    "has_status_function",
    "hash_files",
    "implicit_success",
    "kind",
    "parse",
    "parse_template",
    "partial",
    "references",
    "to_json",
    "to_text",
    "truthy",
    "unparse",
]


def parse(source: str) -> Node:
    """Parse an expression, with or without `${{ }}` around it; an empty one is null.

    Positions in the tree and in errors are offsets into `source`, or, when it is wrapped, nodes'
    into the expression inside. Raises LexingError or ParsingError.
    """
    inner, offset = unwrapped(source)
    try:
        node = _parse(inner)
    except ExpressionError as error:
        raise error.moved(offset) from None
    return Literal(None) if node is None else node


def evaluate(
    source: str | Node,
    contexts: Mapping[str, object] | None = None,
    functions: Functions | None = None,
    *,
    memory: int = EXPRESSION_MEMORY,
) -> Value:
    """Evaluate an expression, with or without `${{ }}` around it; an empty one is null.

    `contexts` maps context names to values or plain JSON-like data (`from_python` says which);
    any mapping will do, and one that computes its items is asked for those that are needed only.
    A name that is not in it is a ParsingError, as on GitHub; a value or a key that is not known is
    `UNKNOWN`, and an answer that depends on it is an UnknownValueError.
    `functions` adds to or overrides the built-in ones: success, failure, always, cancelled and
    hashFiles exist only when they are given here. They get values and return one.
    `memory` is how many bytes the evaluation may hold, counted as the runner counts.

    Raises nothing but ExpressionError, in bounded time.
    """
    environment = Environment(contexts, functions, memory=memory)
    if isinstance(source, Node):
        return evaluate_node(source, environment)
    inner, offset = unwrapped(source)
    try:
        return evaluate_source(inner, environment)
    except ExpressionError as error:
        raise error.moved(offset) from None

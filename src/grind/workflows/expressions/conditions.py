"""What the text of an `if:` really evaluates."""

from __future__ import annotations

from grind.workflows.expressions.analysis import has_status_function
from grind.workflows.expressions.errors import ExpressionError, ParsingError
from grind.workflows.expressions.nodes import Call, Literal, Logical, Node
from grind.workflows.expressions.numbers import WHITESPACE
from grind.workflows.expressions.parser import parse
from grind.workflows.expressions.templates import OPEN, parse_template


def condition(text: str) -> Node:
    """Give what an `if:` with this text really evaluates, as a tree.

    Empty: `success()`. Without a hole, the whole text is an expression. With holes, the template
    rules hold, so that `${{ a }} == 'b'` is a text and true. Where no status function is called
    anywhere, `success() &&` goes before it (ConvertToIfCondition in actions/runner).
    Raises LexingError or ParsingError, positions into `text`.
    """
    node = _condition_body(text)
    success = Call("success", ())
    if node is None:
        return success
    if has_status_function(node):
        return node
    args = node.args if isinstance(node, Logical) and node.op == "&&" else (node,)
    return Logical("&&", (success, *args), node.start, node.end)


def _condition_body(text: str) -> Node | None:
    if OPEN in text:
        template = parse_template(text)
        node = template.node()
        if template.is_expression and isinstance(node, Literal) and isinstance(node.value, str):
            # The runner's reader makes it the text x, which it then reads as the expression x.
            raise ParsingError("a quoted text alone in an `if:` has no clear meaning", 0)
        return node
    trimmed = text.strip(WHITESPACE)
    offset = text.find(trimmed)
    try:
        return parse(trimmed)
    except ExpressionError as error:
        raise error.moved(offset) from None


def implicit_success(source: str) -> str:
    """Give what an `if:` really evaluates, as source. See `condition`."""
    return str(condition(source))

"""Text with `${{ }}` holes, scanned, limited and joined as the runner does (TemplateReader.cs).

A hole ends at the first `}}` outside single quotes. A text that is one hole and nothing else keeps
its value's type; any other is turned into `format('…{0}…', hole, …)`, so its holes become text and
the limits of an expression (21,000 characters, 255 arguments, depth 50) hold for the whole text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from grind.workflows.expressions.analysis import Path, references
from grind.workflows.expressions.errors import (
    ExpressionError,
    ParsingError,
    UnknownValueError,
)
from grind.workflows.expressions.evaluator import Environment, Functions, evaluate_node
from grind.workflows.expressions.lexer import MAX_LENGTH, utf16_length
from grind.workflows.expressions.memory import TEMPLATE_MEMORY
from grind.workflows.expressions.nodes import Call, Context, Literal, Node
from grind.workflows.expressions.numbers import WHITESPACE
from grind.workflows.expressions.parser import MAX_DEPTH, SUPPLIED, parse
from grind.workflows.expressions.values import Value, to_text

OPEN = "${{"
CLOSE = "}}"
_MAX_HOLES = 254


class Hole(NamedTuple):
    """A `${{ … }}`: its expression, the offset of the expression's text, and the tree."""

    source: str
    offset: int
    node: Node


class Template:
    """A parsed text: literal strings and holes, in order.

    A literal part is text for good: whatever it holds, it is never read as an expression again.
    """

    __slots__ = ("parts",)

    def __init__(self, parts: tuple[str | Hole, ...]) -> None:
        self.parts = parts

    @property
    def is_literal(self) -> bool:
        """Whether there is no hole in it."""
        return not self.holes

    @property
    def is_expression(self) -> bool:
        """Whether it is exactly one hole, whose value keeps its type."""
        return len(self.parts) == 1 and isinstance(self.parts[0], Hole)

    @property
    def holes(self) -> tuple[Hole, ...]:
        """Give the holes, in order."""
        return tuple(part for part in self.parts if isinstance(part, Hole))

    def references(self) -> tuple[Path, ...]:
        """Give the context paths that the holes read, in order, each once."""
        return tuple(dict.fromkeys(path for hole in self.holes for path in references(hole.node)))

    @property
    def text(self) -> str:
        """Give the literal text; raises ValueError when there are holes."""
        if not self.is_literal:
            raise ValueError("the template has holes")
        return "".join(part for part in self.parts if isinstance(part, str))

    def node(self) -> Node:
        """Give the one expression the runner makes of it: the hole, a literal, or format(…)."""
        if self.is_literal:
            return Literal(self.text)
        if self.is_expression:
            return self.holes[0].node
        return _format_call(self.parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.parts == other.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __repr__(self) -> str:
        return f"Template({self.parts!r})"


def _format_call(parts: tuple[str | Hole, ...]) -> Call:
    pattern: list[str] = []
    args: list[Node] = []
    for part in parts:
        if isinstance(part, str):
            pattern.append(part.replace("{", "{{").replace("}", "}}"))
        else:
            pattern.append(f"{{{len(args)}}}")
            args.append(part.node)
    return Call("format", (Literal("".join(pattern)), *args))


def parse_template(text: str) -> Template:
    """Parse a text with holes. Raises LexingError or ParsingError, positions into `text`."""
    parts: list[str | Hole] = []
    at = 0
    while (start := text.find(OPEN, at)) >= 0:
        if start > at:
            parts.append(text[at:start])
        end = _closing(text, start + len(OPEN))
        if end is None:
            raise ParsingError(
                "The expression is not closed. An unescaped ${{ sequence was found, "
                "but the closing }} sequence was not found",
                start,
            )
        parts.append(_hole(text[start + len(OPEN) : end - len(CLOSE)], start + len(OPEN)))
        at = end
    if at < len(text):
        parts.append(text[at:])
    _check_limits(parts)
    return Template(tuple(parts))


def _closing(text: str, at: int) -> int | None:
    """Find the offset behind the `}}` that closes a hole whose expression begins at `at`."""
    quoted = False
    while True:
        brace = text.find(CLOSE, at)
        if brace < 0:
            return None
        if text.count("'", at, brace) % 2:
            quoted = not quoted
        if not quoted:
            return brace + len(CLOSE)
        at = text.find("'", brace)
        if at < 0:
            return None


def _hole(source: str, offset: int) -> Hole:
    trimmed = source.strip(WHITESPACE + "\u0085")
    offset += source.find(trimmed) if trimmed else 0
    if not trimmed:
        raise ParsingError("An expression was expected", offset)
    try:
        node = parse(trimmed)
    except ExpressionError as error:
        raise error.moved(offset) from None
    assert node is not None
    return Hole(trimmed, offset, node)


def _check_limits(parts: list[str | Hole]) -> None:
    """Hold the `format(…)` that the runner writes to the limits of an expression."""
    holes = [part for part in parts if isinstance(part, Hole)]
    if not holes or len(parts) == 1:
        return
    if len(holes) > _MAX_HOLES:
        raise ParsingError("Too many parameters supplied: 'format'", holes[_MAX_HOLES].offset)
    length = len("format('')")
    for part in parts:
        if isinstance(part, str):
            length += utf16_length(part) + sum(map(part.count, "{}'"))
    for number, hole in enumerate(holes):
        length += len(f"{{{number}}}, ") + utf16_length(hole.source)
    if length > MAX_LENGTH:
        raise ParsingError(f"Exceeded max expression length {MAX_LENGTH}", 0)
    for hole in holes:
        if _height(hole.node) >= MAX_DEPTH:
            raise ParsingError(f"Exceeded max expression depth {MAX_DEPTH}", hole.offset)


def _height(node: Node) -> int:
    return 1 + max(map(_height, node.children()), default=0)


def evaluate_template(
    template: Template | str,
    contexts: Mapping[str, object] | None = None,
    functions: Functions | None = None,
    *,
    memory: int = TEMPLATE_MEMORY,
) -> Value:
    """Evaluate a template: the value of its one hole, or the text it becomes.

    Raises nothing but ExpressionError; positions are offsets into the template's text.
    """
    if isinstance(template, str):
        template = parse_template(template)
    environment = Environment(contexts, functions, memory=memory)
    if template.is_expression:
        return _fill(template.holes[0], environment)
    texts: list[str] = []
    for part in template.parts:
        text = part if isinstance(part, str) else _fill_text(part, environment)
        environment.meter.start()
        environment.meter.add(0, text)
        texts.append(text)
    return "".join(texts)


def partial(
    template: Template | str,
    contexts: Mapping[str, object] | None = None,
    functions: Functions | None = None,
    *,
    memory: int = TEMPLATE_MEMORY,
) -> Template:
    """Put in the holes that are known and keep those that depend on an UNKNOWN value.

    What is put in is text for good, whatever it holds. A template that is exactly one hole becomes
    its text too: ask `evaluate_template` first where the type matters. Raises ExpressionError for
    a hole that fails for any other reason.
    """
    if isinstance(template, str):
        template = parse_template(template)
    environment = Environment(contexts, functions, memory=memory)
    parts: list[str | Hole] = []
    for part in template.parts:
        kept: str | Hole
        if isinstance(part, str):
            kept = part
        else:
            try:
                kept = _fill_text(part, environment)
            except UnknownValueError:
                kept = part
        if isinstance(kept, str) and parts and isinstance(parts[-1], str):
            parts[-1] += kept
        elif kept != "":
            parts.append(kept)
    return Template(tuple(parts))


def _fill(hole: Hole, environment: Environment) -> Value:
    try:
        _check_names(hole, environment)
        return evaluate_node(hole.node, environment)
    except ExpressionError as error:
        raise error.moved(hole.offset) from None


def _fill_text(hole: Hole, environment: Environment) -> str:
    value = _fill(hole, environment)
    try:
        return to_text(value)
    except ExpressionError as error:
        error.position = hole.offset
        raise


def _check_names(hole: Hole, environment: Environment) -> None:
    """Refuse an unknown name even where it would not be evaluated, as GitHub's parser does."""
    names, functions = environment.names(), environment.functions
    for part in hole.node.walk():
        unknown_name = isinstance(part, Context) and part.name.lower() not in names
        unknown_call = isinstance(part, Call) and part.name.lower() in SUPPLIED.keys() - functions
        if unknown_name or unknown_call:
            parse(hole.source, names, functions)  # which raises the error, worded and placed


def unwrapped(source: str) -> tuple[str, int]:
    """Take the expression out of a source that may stand in `${{ }}`, and give its offset.

    Text around a hole, or two holes, are no expression: such a source is given back as it is, and
    its `${{` is a LexingError.
    """
    trimmed = source.lstrip(WHITESPACE)
    if not trimmed.startswith(OPEN):
        return source, 0
    offset = len(source) - len(trimmed) + len(OPEN)
    end = _closing(source, offset)
    if end is None or source[end:].strip(WHITESPACE):
        return source, 0
    return source[offset : end - len(CLOSE)], offset

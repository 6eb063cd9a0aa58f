"""Which expressions may stand where: their syntax, and the contexts and functions they may use.

The tables of rules say for each key which contexts and special functions GitHub offers there; a key
has those of the keys around it too. Anything else is an error there that GitHub reports before
anything runs, and so is it here.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final, NamedTuple

from grind.core.errors import Problem
from grind.workflows.action import Action
from grind.workflows.conform import Problems, TooManyProblemsError, quote
from grind.workflows.expressions import Call, Context, Node, parse, parse_template
from grind.workflows.expressions.errors import ExpressionError
from grind.workflows.expressions.parser import BUILTINS
from grind.workflows.literals import string_of
from grind.workflows.rule import Rule, Shape
from grind.workflows.schema import WORKFLOW
from grind.workflows.schema_action import ACTION
from grind.workflows.syntax import Data, Map, Mark, Scalar, Workflow

_INSERT: Final = "insert"


class Use(NamedTuple):
    """A context that an expression reads, or a function that it calls (`name()`), lower case."""

    name: str
    offset: int


Parse = Callable[[str, bool], tuple[Use, ...]]
"""Gives the uses in a text with `${{ }}`, or (True) in a condition, which may do without them.

Raises ExpressionError, with a position into the text where one is known.
"""


def uses_of(text: str, condition: bool) -> tuple[Use, ...]:
    """Find what a template or a condition uses; the `Parse` of this package."""
    if "${{" not in text:
        return tuple(_uses(parse(text), 0)) if condition and text.strip() else ()
    found: list[Use] = []
    for hole in parse_template(text).holes:
        found.extend(_uses(hole.node, hole.offset))
    return tuple(found)


def check_expressions(source: Workflow | Action, parse: Parse = uses_of) -> tuple[Problem, ...]:
    """Check every expression of a workflow or an action that `read_…` has read.

    A problem's place is the expression's line, also within a block; the column is that of the
    whole value, or None within a block, whose indentation is not kept.
    """
    problems = Problems(source.path)
    if source.root is not None:
        rules, start = (
            (WORKFLOW, "workflow") if isinstance(source, Workflow) else (ACTION, "action")
        )
        walk = _Walk(rules, problems, parse)
        with suppress(TooManyProblemsError):
            walk.node(source.root, rules[start], frozenset())
    return problems.all()


class _Walk:
    def __init__(self, rules: dict[str, Rule], problems: Problems, parse: Parse) -> None:
        self._rules, self._problems, self._parse = rules, problems, parse
        # What aliases repeat is one object and is looked at once: a bomb stays small.
        self._seen: set[tuple[int, bool, frozenset[str]]] = set()

    def node(self, data: Data, rule: Rule, allowed: frozenset[str]) -> None:
        if rule.contexts:
            allowed = allowed.union(rule.contexts)
        if isinstance(data, Scalar):
            if rule.condition or "${{" in data.text:
                self._scalar(data, rule, allowed)
        elif isinstance(data, Map):
            shape = _shape(data, rule)
            for key, value in data.entries:
                if "${{" in key.text:
                    self._key(key, allowed)
                name = shape.keys.get(key.text, shape.value) or "any"
                self.node(value, self._rules[name], allowed)
        else:
            item = self._rules[rule.item or "any"]
            for entry in data.items:
                self.node(entry, item, allowed)

    def _key(self, key: Scalar, allowed: frozenset[str]) -> None:
        inner = key.text.strip().removeprefix("${{").removesuffix("}}").strip()
        if inner != _INSERT:
            self._scalar(key, self._rules["text"], allowed)

    def _scalar(self, data: Scalar, rule: Rule, allowed: frozenset[str]) -> None:
        if not allowed:
            return  # the reader says that no expression may stand here
        mine = (id(data), rule.condition, allowed)
        if mine in self._seen:
            return
        self._seen.add(mine)
        text = string_of(data)
        try:
            uses = self._parse(text, rule.condition)
        except ExpressionError as error:
            line, column = _place(data, text, error.position)
            self._problems.take(Problem(self._problems.path, line, column, error.message))
            return
        lower = {name.lower() for name in allowed}
        for use in uses:
            if use.name in lower or (use.name.endswith("()") and use.name[:-2] in BUILTINS):
                continue
            what = "function" if use.name.endswith("()") else "context"
            line, column = _place(data, text, use.offset)
            message = f"the {what} {quote(use.name)} is not available here"
            expected = "one of " + ", ".join(sorted(allowed))
            self._problems.take(Problem(self._problems.path, line, column, message, expected))


def _shape(data: Map, rule: Rule) -> Shape:
    for shape in rule.shapes:
        if not shape.when or data.get(shape.when) is not None:
            return shape
    return rule.shapes[0] if rule.shapes else Shape({})


def _place(data: Scalar, text: str, offset: int | None) -> tuple[int, int | None]:
    mark: Mark = data.mark
    if data.block is None:
        return mark.line, mark.column
    if data.folded or offset is None:
        return data.block, None
    return data.block + text.count("\n", 0, offset), None


def _uses(node: Node, offset: int) -> list[Use]:
    found: list[Use] = []
    for part in node.walk():
        if isinstance(part, Context):
            found.append(Use(part.name.lower(), offset + part.start))
        elif isinstance(part, Call):
            found.append(Use(part.name.lower() + "()", offset + part.start))
    return found

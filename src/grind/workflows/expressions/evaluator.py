"""A syntax tree and contexts to a value.

Arguments of functions are evaluated before the call, as the language service does; the runner
leaves some of them alone (`format`'s unused ones), so an error or an unknown value in one of those
is an error here and not there: a refusal. `case` is lazy, as its documentation and the runner say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from grind.workflows.expressions.access import from_each, item_at, path_of, star
from grind.workflows.expressions.compare import equals, greater, less
from grind.workflows.expressions.convert import from_python, settled
from grind.workflows.expressions.errors import (
    EvaluationError,
    ExpressionError,
    ParsingError,
    UnknownValueError,
)
from grind.workflows.expressions.functions import BUILTIN_FUNCTIONS, check_predicate
from grind.workflows.expressions.memory import EXPRESSION_MEMORY, Meter
from grind.workflows.expressions.nodes import (
    Binary,
    Call,
    Context,
    Index,
    Literal,
    Logical,
    Node,
    Not,
)
from grind.workflows.expressions.parser import parse
from grind.workflows.expressions.values import (
    Array,
    FilteredArray,
    Object,
    Unknown,
    Value,
    is_primitive,
    to_text,
    truthy,
)

Functions = Mapping[str, Callable[..., object]]


class Environment:
    """What an evaluation may look at. Contexts are asked for by name, each at most once."""

    __slots__ = ("_contexts", "_names", "_values", "functions", "meter")

    def __init__(
        self,
        contexts: Mapping[str, object] | None = None,
        functions: Functions | None = None,
        *,
        memory: int = EXPRESSION_MEMORY,
    ) -> None:
        self._contexts = contexts if contexts is not None else {}
        self._names = {name.lower(): name for name in self._contexts}
        self._values: dict[str, Value | Unknown] = {}
        self.functions = {name.lower(): call for name, call in (functions or {}).items()}
        self.meter = Meter(memory)

    def names(self) -> frozenset[str]:
        """Name the contexts there are, in lower case."""
        return frozenset(self._names)

    def context(self, name: str) -> Value | Unknown:
        """Give a context's value; it stays the same object for the whole evaluation."""
        lower = name.lower()
        if lower not in self._values:
            if lower not in self._names:
                raise ParsingError(f"Unrecognized named-value: '{name}'")
            self._values[lower] = from_python(self._contexts[self._names[lower]])
        return self._values[lower]


def evaluate_node(node: Node, environment: Environment) -> Value:
    """Evaluate a parsed expression. Raises nothing but ExpressionError."""
    try:
        return settled(_evaluate(node, environment, 0))
    except ExpressionError as error:
        if error.position is None:
            error.position = node.start
        raise
    except (RecursionError, MemoryError, OverflowError) as error:
        raise EvaluationError(
            f"too large to evaluate: {error}", node.start, disputed=True
        ) from None


def evaluate_source(source: str, environment: Environment) -> Value:
    """Parse and evaluate an expression without `${{ }}`; null when it is empty."""
    node = parse(source, environment.names(), environment.functions)
    return None if node is None else evaluate_node(node, environment)


def _evaluate(node: Node, env: Environment, level: int) -> Value:
    return _EVALUATORS[type(node)](node, env, level)


def _literal(node: Literal, _env: Environment, _level: int) -> Value:
    return node.value


def _context(node: Context, env: Environment, level: int) -> Value:
    value = env.context(node.name)
    if isinstance(value, Unknown):
        raise UnknownValueError((node.name.lower(),), node.start)
    if isinstance(value, str):
        env.meter.add(level, value)
    return value


def _not(node: Not, env: Environment, level: int) -> Value:
    value = not truthy(_evaluate(node.operand, env, level + 1))
    env.meter.trim(level)
    return value


def _binary(node: Binary, env: Environment, level: int) -> Value:
    left = _evaluate(node.left, env, level + 1)
    right = _evaluate(node.right, env, level + 1)
    try:
        value = _OPERATORS[node.op](left, right)
    except ExpressionError as error:
        _place(error, node)
        raise
    env.meter.trim(level)
    return value


def _logical(node: Logical, env: Environment, level: int) -> Value:
    stop = node.op == "||"
    value: Value = None
    for arg in node.args:
        value = _evaluate(arg, env, level + 1)
        if truthy(value) is stop:
            break
    if not isinstance(value, Array | Object):
        env.meter.trim(level)
        if isinstance(value, str):
            env.meter.add(level, value)
    return value


def _call(node: Call, env: Environment, level: int) -> Value:
    name = node.name.lower()
    given = env.functions.get(name)
    if given is None and name == "case":
        return _case(node, env, level)
    args = tuple([_evaluate(arg, env, level + 1) for arg in node.args])
    try:
        if given is not None:
            value = _supplied(given, node, args)
        else:
            builtin = BUILTIN_FUNCTIONS.get(name)
            if builtin is None:
                raise ParsingError(f"Unrecognized function: '{node.name}'")
            env.meter.start()
            value = builtin(args, env.meter)
    except ExpressionError as error:
        _place(error, node)
        raise
    if not isinstance(value, Array | Object):
        env.meter.trim(level)
        if isinstance(value, str):
            env.meter.add(level, value)
    return value


def _supplied(call: Callable[..., object], node: Call, args: tuple[Value, ...]) -> Value:
    value = from_python(call(*args))
    if isinstance(value, Unknown):
        raise UnknownValueError((f"{node.name}()",), node.start)
    return value


def _case(node: Call, env: Environment, level: int) -> Value:
    """Only the predicates up to the first true one, and the value beside it, are evaluated."""
    for predicate, result in zip(node.args[0:-1:2], node.args[1:-1:2], strict=True):
        holds = _evaluate(predicate, env, level + 1)
        try:
            chosen = check_predicate(holds)
        except ExpressionError as error:
            _place(error, predicate)
            raise
        if chosen:
            return _evaluate(result, env, level + 1)
    return _evaluate(node.args[-1], env, level + 1)


def _index(node: Index, env: Environment, level: int) -> Value:
    key = _evaluate(node.index, env, level + 1) if node.index is not None else None
    target = _evaluate(node.target, env, level + 1)
    try:
        if node.index is None:
            value: Value | Unknown = star(target, env.meter)
        elif isinstance(target, FilteredArray):
            value = from_each(target, key)
        elif isinstance(target, Object):
            value = target.get(to_text(key)) if is_primitive(key) else None
        elif isinstance(target, Array):
            value = item_at(target, key)
        else:
            value = None
    except UnknownValueError as error:
        raise UnknownValueError(error.path or path_of(node), node.start) from None
    except ExpressionError as error:
        _place(error, node)
        raise
    if isinstance(value, Unknown):
        raise UnknownValueError(path_of(node), node.start)
    if isinstance(value, str):
        env.meter.add(level, value)
    return value


def _place(error: ExpressionError, node: Node) -> None:
    if error.position is None:
        error.position = node.start


def _greater_or_equal(left: Value, right: Value) -> bool:
    return equals(left, right) or greater(left, right)


def _less_or_equal(left: Value, right: Value) -> bool:
    return equals(left, right) or less(left, right)


def _different(left: Value, right: Value) -> bool:
    return not equals(left, right)


_OPERATORS: Final[dict[str, Callable[[Value, Value], bool]]] = {
    "==": equals,
    "!=": _different,
    ">": greater,
    ">=": _greater_or_equal,
    "<": less,
    "<=": _less_or_equal,
}

# Any: each evaluator takes its own node type, which the key guarantees.
_EVALUATORS: Final[dict[type[Node], Callable[..., Value]]] = {
    Literal: _literal,
    Context: _context,
    Index: _index,
    Call: _call,
    Not: _not,
    Binary: _binary,
    Logical: _logical,
}

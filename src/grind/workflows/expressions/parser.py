"""Tokens to a syntax tree, with GitHub's precedence, limits and errors.

Two depths are held to 50: the one the language service counts while it parses (parentheses count)
and the one the runner counts in the finished tree (a chain of `==` counts). What either refuses
is refused here.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from grind.workflows.expressions.errors import ParsingError, located
from grind.workflows.expressions.lexer import END, LITERAL, NAME, NUMBER, STRING, Token, lex
from grind.workflows.expressions.nodes import Binary, Call, Context, Index, Literal, Logical, Node
from grind.workflows.expressions.nodes import Not as NotNode

MAX_DEPTH = 50

# Smallest and largest number of arguments (ExpressionConstants.cs and the runner's own).
BUILTINS: Final[dict[str, tuple[int, int]]] = {
    "case": (3, 255),
    "contains": (2, 2),
    "endswith": (2, 2),
    "format": (1, 255),
    "fromjson": (1, 1),
    "join": (1, 2),
    "startswith": (2, 2),
    "tojson": (1, 1),
}
STATUS_FUNCTIONS: Final = frozenset(("always", "cancelled", "failure", "success"))
SUPPLIED: Final[dict[str, tuple[int, int]]] = {
    **dict.fromkeys(sorted(STATUS_FUNCTIONS), (0, 0)),
    "hashfiles": (1, 255),
}
_LEVELS: Final = {"==": 1, "!=": 1, "<": 2, "<=": 2, ">": 2, ">=": 2}


def parse(
    source: str,
    contexts: Collection[str] | None = None,
    functions: Collection[str] | None = None,
) -> Node | None:
    """Parse one expression, without `${{ }}`; None when it is empty.

    `contexts` and `functions` are the names there are, in any case; the built-in functions are
    always there. Without `contexts` every name is taken; without `functions`, the runner's five
    (`success`, `failure`, `always`, `cancelled`, `hashFiles`) are.
    Raises LexingError or ParsingError.
    """
    known = None if contexts is None else frozenset(name.lower() for name in contexts)
    extra = SUPPLIED if functions is None else _supplied(functions)
    try:
        return _Parser(source, lex(source), known, extra).parse()
    except RecursionError:
        # 50 levels need some 400 frames; a caller may have left fewer.
        raise ParsingError("too deep for what is left of the stack", 0, disputed=True) from None


def _supplied(functions: Collection[str]) -> dict[str, tuple[int, int]]:
    return {
        lower: SUPPLIED.get(lower) or BUILTINS.get(lower) or (0, 255)
        for lower in (name.lower() for name in functions)
    }


class _Parser:
    """Recursive descent over the tokens; answers a node and its height in the tree."""

    def __init__(
        self,
        source: str,
        tokens: list[Token],
        contexts: frozenset[str] | None,
        functions: dict[str, tuple[int, int]],
    ) -> None:
        self.source = source
        self.tokens = tokens
        self.contexts = contexts
        self.functions = functions
        self.at = 0
        self.depth = 0

    def parse(self) -> Node | None:
        if self.tokens[0].kind == END:
            return None
        node, height = self.expression()
        if self.tokens[self.at].kind != END:
            raise self.unexpected()
        if height > MAX_DEPTH:
            # Only the runner measures the tree.
            raise ParsingError(f"Exceeded max expression depth {MAX_DEPTH}", 0, disputed=True)
        return node

    def expression(self) -> tuple[Node, int]:
        self.deeper()
        node, height = self.logical("||")
        self.depth -= 1
        return node, height

    def logical(self, op: str) -> tuple[Node, int]:
        node, height = self.comparison(0) if op == "&&" else self.logical("&&")
        if self.tokens[self.at].kind != op:
            return node, height
        self.deeper()
        chain = _Chain(op, node, height)
        while self.tokens[self.at].kind == op:
            self.at += 1
            chain.add(*(self.comparison(0) if op == "&&" else self.logical("&&")))
        self.depth -= 1
        return chain.node()

    def comparison(self, floor: int) -> tuple[Node, int]:
        """`==` binds weaker than `<`; both from left to right."""
        node, height = self.unary()
        while True:
            op = self.tokens[self.at].kind
            level = _LEVELS.get(op, 0)
            if level <= floor:
                return node, height
            self.at += 1
            right, right_height = self.comparison(level)
            node = Binary(op, node, right, node.start, right.end)
            height = max(height, right_height) + 1

    def unary(self) -> tuple[Node, int]:
        starts: list[int] = []
        while self.tokens[self.at].kind == "!":
            starts.append(self.tokens[self.at].start)
            self.at += 1
            self.deeper()
        node, height = self.postfix()
        self.depth -= len(starts)
        for start in reversed(starts):
            node = NotNode(node, start, node.end)
        return node, height + len(starts)

    def postfix(self) -> tuple[Node, int]:
        first = self.tokens[self.at]
        node, height = self.primary()
        if first.kind not in (NAME, "("):
            return node, height
        indexes = 0
        while (op := self.tokens[self.at].kind) in (".", "["):
            self.at += 1
            index, index_height = self.bracket() if op == "[" else self.property_name()
            self.deeper()
            indexes += 1
            node = Index(node, index, first.start, self.tokens[self.at - 1].end)
            height = max(height, index_height) + 1
        self.depth -= indexes
        return node, height

    def bracket(self) -> tuple[Node | None, int]:
        index: Node | None = None
        height = 1
        if self.tokens[self.at].kind == "*":
            self.at += 1
        else:
            index, height = self.expression()
        self.consume("]")
        return index, height

    def property_name(self) -> tuple[Node | None, int]:
        # The service counts the level before it looks at the name.
        token = self.tokens[self.at]
        if self.depth >= MAX_DEPTH:
            self.deeper()
        if token.kind not in (NAME, "*"):
            raise self.unexpected()
        self.at += 1
        if token.kind == "*":
            return None, 1
        return Literal(str(token.value), token.start, token.end), 1

    def primary(self) -> tuple[Node, int]:
        token = self.tokens[self.at]
        kind = token.kind
        if kind == NAME:
            self.at += 1
            return self.call(token) if self.tokens[self.at].kind == "(" else self.named(token)
        if kind in (LITERAL, NUMBER, STRING):
            self.at += 1
            value = token.value
            assert value is None or isinstance(value, bool | float | str)
            return Literal(value, token.start, token.end), 1
        if kind != "(":
            raise self.unexpected()
        self.at += 1
        inside = self.expression()
        self.consume(")")
        return inside

    def named(self, token: Token) -> tuple[Node, int]:
        name = str(token.value)
        if self.contexts is not None and name.lower() not in self.contexts:
            raise self.error("Unrecognized named-value", token)
        return Context(name, token.start, token.end), 1

    def call(self, token: Token) -> tuple[Node, int]:
        self.at += 1
        args: list[Node] = []
        height = 0
        while self.tokens[self.at].kind != ")":
            arg, arg_height = self.expression()
            args.append(arg)
            height = max(height, arg_height)
            if self.tokens[self.at].kind == ")":
                break
            self.consume(",")
            # The service takes a comma before the parenthesis; the runner does not.
            if self.tokens[self.at].kind == ")":
                error = self.unexpected()
                error.disputed = True
                raise error
        self.at += 1
        self.check_function(token, len(args))
        end = self.tokens[self.at - 1].end
        return Call(str(token.value), tuple(args), token.start, end), height + 1

    def check_function(self, token: Token, count: int) -> None:
        name = str(token.value).lower()
        limits = self.functions.get(name) or BUILTINS.get(name)
        if limits is None:
            raise self.error("Unrecognized function", token)
        if count < limits[0]:
            raise self.error("Too few parameters supplied", token)
        if count > limits[1]:
            error = self.error("Too many parameters supplied", token)
            error.disputed = name == "case"  # which the service lets have any number
            raise error
        if name == "case" and count % 2 == 0:
            raise self.error(
                "Even number of parameters supplied, requires an odd number of parameters", token
            )

    def consume(self, kind: str) -> None:
        if self.tokens[self.at].kind != kind:
            raise self.unexpected()
        self.at += 1

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            at = self.tokens[self.at].start
            raise ParsingError(f"Exceeded max expression depth {MAX_DEPTH}", at)

    def unexpected(self) -> ParsingError:
        token = self.tokens[self.at]
        if token.kind == END:
            return self.error("Unexpected end of expression", self.tokens[self.at - 1])
        return self.error("Unexpected symbol", token)

    def error(self, description: str, token: Token) -> ParsingError:
        symbol = self.source[token.start : token.end]
        return ParsingError(located(description, symbol, token.start, self.source), token.start)


class _Chain:
    """The operands of one `&&` or `||`; a nested chain of the same kind is flattened."""

    def __init__(self, op: str, node: Node, height: int) -> None:
        self.op = op
        self.args: list[Node] = []
        self.height = 0
        self.add(node, height)

    def add(self, node: Node, height: int) -> None:
        if isinstance(node, Logical) and node.op == self.op:
            self.args.extend(node.args)
            height -= 1
        else:
            self.args.append(node)
        self.height = max(self.height, height)

    def node(self) -> tuple[Node, int]:
        args = tuple(self.args)
        return Logical(self.op, args, args[0].start, args[-1].end), self.height + 1

"""tree-sitter-bash → the model. In process, about a millisecond for a hundred lines."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from grind.rules.shell.model import (
    Assign,
    Chain,
    Compound,
    Node,
    Pipe,
    Redirect,
    Script,
    Simple,
    Word,
)

if TYPE_CHECKING:
    import tree_sitter

MAX_DEPTH = 150
_LEAVES = frozenset(("word", "number", "raw_string", "simple_expansion", "variable_name"))
_QUIET = frozenset((";", "\n", "comment", ";;", ";&", ";;&", "{", "}", "(", ")", "{ ", "((", "))"))
_REDIRECTS = frozenset(("file_redirect", "heredoc_redirect", "herestring_redirect"))


class TooDeepError(ValueError):
    """The text nests deeper than anything a person writes."""


@cache
def _parser() -> tree_sitter.Parser:
    import tree_sitter
    import tree_sitter_bash

    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_bash.language()))


def parse(text: str) -> Script:
    """Parse; what could not be understood is in `errors`, the rest is there all the same.

    Raises TooDeepError.
    """
    tree = _parser().parse(text.encode("latin-1"))
    return _Builder(text).run(tree.root_node)


class _Builder:
    def __init__(self, text: str) -> None:
        self.script = Script(text, "tree-sitter")
        self.depth = 0

    def run(self, root: tree_sitter.Node) -> Script:
        if root.has_error:
            self.script.errors.append(_first_error(root))
        self.script.statements = self.many(root.children)
        return self.script

    def many(self, nodes: list[tree_sitter.Node]) -> list[Node]:
        out: list[Node] = []
        for node in nodes:
            kind = node.type
            if kind == "&":
                if out:
                    out[-1].background = True
            elif kind not in _QUIET:
                made = self.one(node)
                if made is not None:
                    out.append(made)
        return out

    def one(self, node: tree_sitter.Node) -> Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeepError
        try:
            build = _BUILD.get(node.type)
            if build is not None:
                return build(self, node)
            if node.type == "ERROR":
                return Compound(
                    "group", node.start_byte, node.end_byte, [("body", self.many(node.children))]
                )
            if not node.is_named:
                return None
            self.look_inside(node)
            return Compound("other", node.start_byte, node.end_byte, [])
        finally:
            self.depth -= 1

    def word(self, node: tree_sitter.Node) -> Word:
        if node.type not in _LEAVES:
            self.look_inside(node)
        return Word(self.script, node.start_byte, node.end_byte)

    def look_inside(self, node: tree_sitter.Node) -> None:
        """Find the command substitutions inside something that is not taken apart here."""
        if node.type in ("command_substitution", "process_substitution"):
            body = self.many(node.children[1:-1])
            self.script.substitutions[node.start_byte] = (node.end_byte, body)
            return
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TooDeepError
        for child in node.children:
            if child.type not in _LEAVES:
                self.look_inside(child)
        self.depth -= 1

    def assign(self, node: tree_sitter.Node) -> Assign:
        name = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        text = self.script.text[name.start_byte : name.end_byte] if name is not None else ""
        return Assign(text, node.start_byte, self.word(value) if value is not None else None)

    def simple(self, node: tree_sitter.Node) -> Simple:
        assigns: list[Assign] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        strays: list[Word] = []
        for child in node.children:
            kind = child.type
            if kind == "variable_assignment":
                assigns.append(self.assign(child))
            elif kind in _REDIRECTS:
                redirects.append(self.redirect(child, strays))
            elif kind == "subshell":
                self.look_inside(child)
            elif kind == "command_name":
                self.look_inside(child)
                words.append(Word(self.script, child.start_byte, child.end_byte))
            elif kind != "comment" and child.end_byte > child.start_byte:
                self.append(words, child)
        words.extend(strays)
        made = Simple(node.start_byte, node.end_byte, assigns, words)
        made.redirects = redirects
        return made

    def append(self, words: list[Word], node: tree_sitter.Node) -> None:
        """Add a word; tree-sitter sometimes cuts one (`"$a"/$b`) in pieces that touch."""
        word = self.word(node)
        if words and words[-1].end == word.start:
            words[-1] = Word(self.script, words[-1].start, word.end)
        else:
            words.append(word)

    def redirect(self, node: tree_sitter.Node, strays: list[Word]) -> Redirect:
        """A redirection; words that tree-sitter wrongly counts to it go to `strays`."""
        op, fd, target = "", "", None
        body: tuple[int, int] | None = None
        quoted = False
        for child in node.children:
            kind = child.type
            if kind == "file_descriptor":
                fd = self.script.text[child.start_byte : child.end_byte]
            elif kind == "heredoc_start":
                target = Word(self.script, child.start_byte, child.end_byte)
                quoted = any(sign in target.raw for sign in "'\"\\")
            elif kind == "heredoc_body":
                begin = self.script.text.rfind("\n", 0, child.start_byte) + 1
                body = (max(begin, 0), child.end_byte)
                self.look_inside(child)
            elif not child.is_named and not op:
                op = kind
            elif child.is_named and node.type != "heredoc_redirect":
                if target is None:
                    target = self.word(child)
                elif target.end == child.start_byte and not strays:
                    self.look_inside(child)
                    target = Word(self.script, target.start, child.end_byte)
                else:  # `echo >&2 text`: words after the target are the command's
                    self.append(strays, child)
        if node.type == "heredoc_redirect":
            body = self.heredoc_span(node, body)
        return Redirect(op, fd, target, body, quoted)

    def heredoc_span(
        self, node: tree_sitter.Node, body: tuple[int, int] | None
    ) -> tuple[int, int] | None:
        """From the line after the command to the start of the line that ends the text."""
        if body is None:
            return None
        close = next((c for c in node.children if c.type == "heredoc_end"), None)
        stop = close.start_byte if close is not None else body[1]
        line = self.script.text.rfind("\n", 0, stop) + 1
        return (body[0], max(line, body[0]))

    def redirected(self, node: tree_sitter.Node) -> Node:
        made: Node | None = None
        redirects: list[Redirect] = []
        strays: list[Word] = []
        tail: list[tree_sitter.Node] = []
        for child in node.children:
            if child.type in _REDIRECTS:
                redirects.append(self.redirect(child, strays))
                if child.type == "heredoc_redirect":
                    tail = self.heredoc_rest(child, redirects, strays)
            elif child.is_named and made is None and child.type != "comment":
                made = self.one(child)
        if made is None:
            made = Simple(node.start_byte, node.end_byte, [], [])
        target = _rightmost(made)
        target.redirects.extend(redirects)
        if isinstance(target, Simple):
            target.words.extend(strays)
        return self.with_rest(made, tail)

    def heredoc_rest(
        self, node: tree_sitter.Node, redirects: list[Redirect], strays: list[Word]
    ) -> list[tree_sitter.Node]:
        """What tree-sitter hangs below a here-document although it follows the command."""
        rest: list[tree_sitter.Node] = []
        for child in node.children:
            if child.type in _REDIRECTS:
                redirects.append(self.redirect(child, strays))
            elif child.type in ("pipeline", "&&", "||") or (rest and child.is_named):
                if child.type not in ("heredoc_body", "heredoc_end"):
                    rest.append(child)
            elif child.type not in ("<<", "<<-") and not child.type.startswith("heredoc"):
                self.stray(child)
        return rest

    def stray(self, node: tree_sitter.Node) -> None:
        """`cmd <<EOF arg` and the like: leave it to the other parser."""
        if node.is_named and node.type != "file_descriptor":
            self.script.errors.append(node.start_byte)

    def with_rest(self, made: Node, rest: list[tree_sitter.Node]) -> Node:
        at = 0
        while at < len(rest):
            node = rest[at]
            if node.type == "pipeline":
                made = _join_pipe(made, self.many([c for c in node.children if c.type[0] != "|"]))
            elif at + 1 < len(rest):
                right = self.one(rest[at + 1])
                at += 1
                if right is not None:
                    made = _join(made, node.type, right)
            at += 1
        return made

    def chain(self, node: tree_sitter.Node) -> Node:
        items: list[Node] = []
        ops: list[str] = []
        for child in node.children:
            if child.type in ("&&", "||"):
                ops.append(child.type)
            elif child.is_named and child.type != "comment":
                made = self.one(child)
                if isinstance(made, Chain) and not made.redirects and not items:
                    items, ops = list(made.items), list(made.ops)
                elif made is not None:
                    items.append(made)
        return Chain(node.start_byte, node.end_byte, items, ops)

    def pipe(self, node: tree_sitter.Node) -> Node:
        stages: list[Node] = []
        for child in node.children:
            if child.is_named and child.type != "comment":
                made = self.one(child)
                if isinstance(made, Pipe) and stages == [] and not made.negated:
                    stages = list(made.stages)
                elif made is not None:
                    stages.append(made)
        negated = False
        if stages and isinstance(stages[0], Pipe) and len(stages[0].stages) == 1:
            negated = stages[0].negated
            stages[0] = stages[0].stages[0]
        return Pipe(node.start_byte, node.end_byte, stages, negated)

    def negated(self, node: tree_sitter.Node) -> Node:
        return Pipe(node.start_byte, node.end_byte, self.many(node.children[1:]), True)

    def blocks(self, node: tree_sitter.Node, kind: str) -> Compound:
        """if, elif, else, while and until: conditions and bodies by the keywords between them."""
        made = Compound(kind, node.start_byte, node.end_byte, [])
        role, run = "body", list[Node]()

        def flush() -> None:
            if run:
                made.blocks.append((role, list(run)))
                run.clear()

        for child in node.children:
            kind = child.type
            if kind in ("if", "elif", "while", "until"):
                role = "cond"
            elif kind in ("then", "else", "do"):
                flush()
                role = "body"
            elif kind in ("elif_clause", "else_clause", "do_group"):
                flush()
                made.blocks.extend(self.blocks(child, kind).blocks)
            elif kind == "&":
                if run:
                    run[-1].background = True
            elif kind not in _QUIET and kind not in ("fi", "done"):
                one = self.one(child)
                if one is not None:
                    run.append(one)
        flush()
        return made

    def conditional(self, node: tree_sitter.Node) -> Node:
        first = node.children[0].type
        return self.blocks(node, "if" if first == "if" else first)

    def loop(self, node: tree_sitter.Node) -> Node:
        made = Compound("for", node.start_byte, node.end_byte, [])
        for child in node.children:
            if child.type == "do_group":
                made.blocks.extend(self.blocks(child, "do").blocks)
            elif child.type == "compound_statement":
                made.blocks.append(("body", self.many(child.children)))
            elif child.type == "variable_name":
                made.name = self.script.text[child.start_byte : child.end_byte]
            elif child.is_named:
                self.look_inside(child)
        return made

    def case(self, node: tree_sitter.Node) -> Node:
        made = Compound("case", node.start_byte, node.end_byte, [])
        for child in node.children:
            if child.type == "case_item":
                inner = child.children
                close = next((i for i, c in enumerate(inner) if c.type == ")"), -1)
                made.blocks.append(("body", self.many(inner[close + 1 :])))
            elif child.is_named:
                self.look_inside(child)
        return made

    def function(self, node: tree_sitter.Node) -> Node:
        name = node.child_by_field_name("name")
        body = node.child_by_field_name("body")
        made = self.one(body) if body is not None else None
        text = self.script.text[name.start_byte : name.end_byte] if name is not None else ""
        blocks = [("body", [made])] if made is not None else []
        return Compound("function", node.start_byte, node.end_byte, blocks, text)

    def group(self, node: tree_sitter.Node) -> Node:
        if node.children and node.children[0].type == "((":
            self.look_inside(node)
            return Compound("arith", node.start_byte, node.end_byte, [])
        kind = "subshell" if node.type == "subshell" else "group"
        body = self.many(node.children)
        return Compound(kind, node.start_byte, node.end_byte, [("body", body)])

    def test(self, node: tree_sitter.Node) -> Node:
        self.look_inside(node)
        return Compound("test", node.start_byte, node.end_byte, [])

    def assignment(self, node: tree_sitter.Node) -> Node:
        nodes = [node] if node.type == "variable_assignment" else node.children
        assigns = [self.assign(n) for n in nodes if n.type == "variable_assignment"]
        return Simple(node.start_byte, node.end_byte, assigns, [])


_Make = Callable[[_Builder, "tree_sitter.Node"], Node]
_BUILD: dict[str, _Make] = {
    "command": _Builder.simple,
    "declaration_command": _Builder.simple,
    "unset_command": _Builder.simple,
    "redirected_statement": _Builder.redirected,
    "list": _Builder.chain,
    "pipeline": _Builder.pipe,
    "negated_command": _Builder.negated,
    "if_statement": _Builder.conditional,
    "while_statement": _Builder.conditional,
    "for_statement": _Builder.loop,
    "c_style_for_statement": _Builder.loop,
    "case_statement": _Builder.case,
    "function_definition": _Builder.function,
    "compound_statement": _Builder.group,
    "subshell": _Builder.group,
    "test_command": _Builder.test,
    "variable_assignment": _Builder.assignment,
    "variable_assignments": _Builder.assignment,
}


def _rightmost(node: Node) -> Node:
    """The command that a trailing redirection belongs to."""
    while True:
        if isinstance(node, Chain) and node.items:
            node = node.items[-1]
        elif isinstance(node, Pipe) and node.stages:
            node = node.stages[-1]
        else:
            return node


def _join(left: Node, op: str, right: Node) -> Node:
    items, ops = ([left], [op])
    if isinstance(left, Chain):
        items, ops = [*left.items], [*left.ops, op]
    if isinstance(right, Chain):
        return Chain(left.start, right.end, [*items, *right.items], [*ops, *right.ops])
    return Chain(left.start, right.end, [*items, right], ops)


def _join_pipe(left: Node, rest: list[Node]) -> Node:
    """`left | rest`, where `rest` may have swallowed the `&&` that follows the pipeline."""
    chain = rest[-1] if rest else None
    if isinstance(chain, Chain):
        rest.pop()
        rest.append(chain.items[0])
        head = _join_pipe(left, rest)
        return Chain(left.start, chain.end, [head, *chain.items[1:]], chain.ops)
    if isinstance(left, Chain) and left.items:
        last = _join_pipe(left.items[-1], rest)
        return Chain(left.start, last.end, [*left.items[:-1], last], left.ops)
    stages = left.stages if isinstance(left, Pipe) else [left]
    return Pipe(left.start, rest[-1].end if rest else left.end, [*stages, *rest], False)


def _first_error(root: tree_sitter.Node) -> int:
    """Where the parser first lost its way."""
    node = root
    while True:
        if node.is_missing or node.type == "ERROR":
            return node.start_byte
        inner = next((c for c in node.children if c.has_error or c.is_missing), None)
        if inner is None:
            return node.start_byte
        node = inner

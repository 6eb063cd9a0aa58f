"""shfmt's JSON → the model. The bytes come from a caller: this package starts no process."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

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

_Json = dict[str, Any]


def read(text: str, tree: bytes) -> Script:
    """The model of `text`, from what `shfmt --to-json` printed for it."""
    builder = _Builder(text)
    document: _Json = json.loads(tree)
    builder.script.statements = builder.many(document.get("Stmts"))
    return builder.script


def _start(node: _Json) -> int:
    return int(node["Pos"]["Offset"])


def _end(node: _Json) -> int:
    return int(node["End"]["Offset"])


_PLACES = frozenset(
    ("Pos", "End", "ValuePos", "ValueEnd", "OpPos", "Left", "Right", "Dollar", "Rbrace", "Position")
)


class _Builder:
    def __init__(self, text: str) -> None:
        self.script = Script(text, "shfmt")

    def many(self, statements: list[_Json] | None) -> list[Node]:
        return [self.statement(s) for s in statements or ()]

    def statement(self, node: _Json) -> Node:
        command = node.get("Cmd")
        redirects = [self.redirect(r) for r in node.get("Redirs") or ()]
        if command is None:
            made: Node = Simple(_start(node), _end(node), [], [])
        else:
            build = _BUILD.get(command["Type"])
            made = build(self, command) if build else self.other(command)
        made.redirects.extend(redirects)
        if node.get("Negated"):
            if isinstance(made, Pipe) and not made.negated:
                made.negated = True
            else:
                made = Pipe(_start(node), made.end, [made], True)
        made.background = bool(node.get("Background"))
        return made

    def word(self, node: _Json) -> Word:
        self.look_inside(node.get("Parts") or ())
        return Word(self.script, _start(node), _end(node))

    def look_inside(self, value: Any) -> None:
        """Register every command substitution below this value."""
        if isinstance(value, dict):
            if value.get("Type") in ("CmdSubst", "ProcSubst"):
                body = self.many(value.get("Stmts"))
                self.script.substitutions[_start(value)] = (_end(value), body)
                return
            if value.get("Type") in ("Lit", "SglQuoted"):
                return
            for key, inner in value.items():
                if isinstance(inner, dict | list) and key not in _PLACES:
                    self.look_inside(inner)
        elif isinstance(value, list | tuple):
            for inner in value:
                self.look_inside(inner)

    def redirect(self, node: _Json) -> Redirect:
        fd = (node.get("N") or {}).get("Value", "")
        target = self.word(node["Word"]) if node.get("Word") else None
        op = str(node.get("Op"))
        if op not in ("<<", "<<-"):
            return Redirect(op, fd, target)
        text = node.get("Hdoc")
        quoted = target is not None and any(sign in target.raw for sign in "'\"\\")
        if text is None:
            return Redirect(op, fd, target, None, quoted)
        self.look_inside(text.get("Parts") or ())
        begin = self.script.text.rfind("\n", 0, _start(text)) + 1
        return Redirect(op, fd, target, (begin, self.before_delimiter(begin, _end(text))), quoted)

    def before_delimiter(self, begin: int, end: int) -> int:
        """Shfmt counts the closing word as part of the text; the text ends with the line before."""
        if self.script.text[end - 1 : end] == "\n":
            return end
        return max(begin, self.script.text.rfind("\n", 0, end) + 1)

    def assigns(self, nodes: list[_Json] | None) -> list[Assign]:
        out: list[Assign] = []
        for node in nodes or ():
            if node.get("Array"):
                self.look_inside(node["Array"])
            name = (node.get("Name") or {}).get("Value", "")
            value = node.get("Value")
            out.append(Assign(name, _start(node), self.word(value) if value else None))
        return out

    def call(self, node: _Json) -> Node:
        words = [self.word(w) for w in node.get("Args") or ()]
        if words and words[0].raw == "[":
            return Compound("test", _start(node), _end(node), [])
        return Simple(_start(node), _end(node), self.assigns(node.get("Assigns")), words)

    def declare(self, node: _Json) -> Node:
        variant = node["Variant"]
        words = [Word(self.script, _start(variant), _end(variant))]
        named: list[_Json] = []
        for arg in node.get("Args") or ():
            if arg.get("Name") and not arg.get("Naked"):
                named.append(arg)
            elif arg.get("Value"):
                words.append(self.word(arg["Value"]))
            else:
                words.append(Word(self.script, _start(arg), _end(arg)))
        return Simple(_start(node), _end(node), self.assigns(named), words)

    def binary(self, node: _Json) -> Node:
        left, right = self.statement(node["X"]), self.statement(node["Y"])
        op = str(node["Op"])
        if op in ("|", "|&"):
            stages = left.stages if isinstance(left, Pipe) and not left.negated else [left]
            negated = False
            if isinstance(left, Pipe) and left.negated:
                stages, negated = left.stages, True
            return Pipe(_start(node), _end(node), [*stages, right], negated)
        items, ops = ([left], [op])
        if isinstance(left, Chain) and not left.redirects:
            items, ops = [*left.items], [*left.ops, op]
        return Chain(_start(node), _end(node), [*items, right], ops)

    def conditional(self, node: _Json) -> Node:
        made = Compound("if", _start(node), _end(node), [])
        branch: _Json | None = node
        while branch is not None:
            condition = self.many(branch.get("Cond"))
            if condition:
                made.blocks.append(("cond", condition))
            made.blocks.append(("body", self.many(branch.get("Then"))))
            branch = branch.get("Else")
        return made

    def loop(self, node: _Json) -> Node:
        kind = "until" if node.get("Until") else "while"
        blocks = [("cond", self.many(node.get("Cond"))), ("body", self.many(node.get("Do")))]
        return Compound(kind, _start(node), _end(node), blocks)

    def each(self, node: _Json) -> Node:
        loop = node.get("Loop") or {}
        self.look_inside(loop)
        name = (loop.get("Name") or {}).get("Value", "")
        body = [("body", self.many(node.get("Do")))]
        return Compound("for", _start(node), _end(node), body, name)

    def case(self, node: _Json) -> Node:
        self.look_inside(node.get("Word"))
        items = [("body", self.many(item.get("Stmts"))) for item in node.get("Items") or ()]
        return Compound("case", _start(node), _end(node), items)

    def function(self, node: _Json) -> Node:
        name = (node.get("Name") or {}).get("Value", "")
        body = [("body", [self.statement(node["Body"])])]
        return Compound("function", _start(node), _end(node), body, name)

    def group(self, node: _Json) -> Node:
        kind = "subshell" if node["Type"] == "Subshell" else "group"
        return Compound(kind, _start(node), _end(node), [("body", self.many(node.get("Stmts")))])

    def test(self, node: _Json) -> Node:
        self.look_inside(node.get("X"))
        kind = "test" if node["Type"] == "TestClause" else "arith"
        return Compound(kind, _start(node), _end(node), [])

    def timed(self, node: _Json) -> Node:
        inner = node.get("Stmt")
        return self.statement(inner) if inner else Simple(_start(node), _end(node), [], [])

    def other(self, node: _Json) -> Node:
        self.look_inside({k: v for k, v in node.items() if k != "Type"})
        return Compound("other", _start(node), _end(node), [])


_BUILD: dict[str, Callable[[_Builder, _Json], Node]] = {
    "CallExpr": _Builder.call,
    "DeclClause": _Builder.declare,
    "BinaryCmd": _Builder.binary,
    "IfClause": _Builder.conditional,
    "WhileClause": _Builder.loop,
    "ForClause": _Builder.each,
    "CaseClause": _Builder.case,
    "FuncDecl": _Builder.function,
    "Block": _Builder.group,
    "Subshell": _Builder.group,
    "TestClause": _Builder.test,
    "ArithmCmd": _Builder.test,
    "TimeClause": _Builder.timed,
    "CoprocClause": _Builder.timed,
}

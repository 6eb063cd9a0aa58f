"""From tree-sitter's tree of a shell text to `Script`. Part of `grind.workflows.shellread`."""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator
from typing import Any

from grind.workflows.commandline import row
from grind.workflows.shellchain import Item, flatten
from grind.workflows.shellmodel import Command, Node, Place, Redirect, Script, Word
from grind.workflows.shellwrap import SHELLS, unwrap

DEPTH = 120
"""Nesting of constructs that is followed; Python's own stack bounds it."""

_EXPANSIONS = frozenset(
    {
        "simple_expansion",
        "expansion",
        "command_substitution",
        "process_substitution",
        "arithmetic_expansion",
        "brace_expression",
    }
)
_SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution"})
_TESTS = frozenset({"test_command", "binary_expression", "unary_expression"})
_RESERVED = frozenset(
    row(
        "{ } ! if then elif else fi for while until do done case esac in function select [[ ]] "
        "(( ))"
    )
)
_VARIABLE = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:\[[@*]\])?\})", re.ASCII)
_ESCAPE = re.compile(r"\\(\n|.)", re.DOTALL)
_QUOTED_ESCAPE = re.compile(r"\\([$`\"\\\n])")


class Builder:
    """Walks one tree. `nested` reads the text of a `bash -c` and its kin."""

    def __init__(
        self,
        source: bytes,
        holes: tuple[tuple[int, int], ...],
        nested: Callable[[str], Script],
    ) -> None:
        self._source = source
        self._holes = holes
        self._hole_ends = [end for _, end in holes]
        self._lines = [0, *(m.end() for m in re.finditer(rb"\n", source))]
        self._nested = nested
        self._commands: list[Command] = []
        self._variables: dict[str, str | None] = {}
        self._complete = True

    def build(self, root: Any) -> Script:
        """Return the script of the whole tree."""
        if root.has_error:
            self._complete = False
        body = self._body(root.children, Place(), 0)
        commands = tuple(sorted(self._commands, key=lambda command: command.line))
        return Script(commands, body, self._complete)

    # --- places -----------------------------------------------------------------------------

    def _line(self, node: Any) -> int:
        return bisect.bisect_right(self._lines, node.start_byte) - 1

    def _text(self, node: Any) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "surrogatepass")

    def _has_hole(self, node: Any) -> bool:
        index = bisect.bisect_right(self._hole_ends, node.start_byte)
        return index < len(self._holes) and self._holes[index][0] < node.end_byte

    # --- statements -------------------------------------------------------------------------

    def _body(self, children: list[Any], place: Place, depth: int) -> tuple[Node, ...]:
        """Return the statements among `children`; `&` puts the one before it in background."""
        nodes: list[Node] = []
        for index, child in enumerate(children):
            if not child.is_named or child.type in ("comment", "heredoc_body", "heredoc_end"):
                continue
            following = children[index + 1] if index + 1 < len(children) else None
            if following is not None and following.type == "&":
                inner = self._statement(child, place._replace(background=True), depth + 1)
                nodes.append(Node("background", self._line(child), ((inner,),)))
            else:
                nodes.append(self._statement(child, place, depth + 1))
        return tuple(nodes)

    def _statement(self, node: Any, place: Place, depth: int) -> Node:
        if depth > DEPTH:
            self._complete = False
            return Node("unknown", self._line(node))
        method = getattr(self, f"_on_{node.type}", None)
        if method is not None:
            result: Node = method(node, place, depth)
            return result
        if node.type in _TESTS:
            self._substitutions(node, node.type, place, depth)
            return Node("test", self._line(node))
        self._complete = False
        # A part that is not understood may still hold commands; a reader wants to see them.
        parts = self._body(node.children, place, depth) if node.type == "ERROR" else ()
        return Node("unknown", self._line(node), (parts,) if parts else ())

    def _on_command(self, node: Any, place: Place, depth: int) -> Node:
        return self._simple(node, place, (), None, depth)

    def _on_word(self, node: Any, place: Place, depth: int) -> Node:
        """A word where a statement is expected: only inside of what was not understood."""
        command = Command((self._word(node, place, depth, ""),), self._line(node), place)
        self._commands.append(command)
        self._complete = False
        return Node("unknown", self._line(node))

    def _on_variable_assignment(self, node: Any, place: Place, depth: int) -> Node:
        name, word = self._assignment(node, place, depth)
        command = Command((), self._line(node), place, assignments=((name, word),))
        self._commands.append(command)
        return Node("assign", self._line(node), (), command)

    def _on_variable_assignments(self, node: Any, place: Place, depth: int) -> Node:
        pairs = tuple(self._assignment(child, place, depth) for child in node.named_children)
        command = Command((), self._line(node), place, assignments=pairs)
        self._commands.append(command)
        return Node("assign", self._line(node), (), command)

    def _on_declaration_command(self, node: Any, place: Place, depth: int) -> Node:
        words = [Word(self._text(node.children[0]))]
        pairs = []
        for child in node.named_children:
            if child.type == "variable_assignment":
                pairs.append(self._assignment(child, place, depth))
            else:
                words.append(self._word(child, place, depth, words[0].text))
        command = Command(tuple(words), self._line(node), place, assignments=tuple(pairs))
        self._commands.append(command)
        return Node("command", self._line(node), (), command)

    def _on_unset_command(self, node: Any, place: Place, depth: int) -> Node:
        return self._on_declaration_command(node, place, depth)

    def _chain(self, node: Any, place: Place, depth: int) -> Node:
        """A pipeline, a list, or a statement with redirections (see `shellchain`)."""
        items = flatten(node)
        if items is None:
            self._complete = False
            return Node("unknown", self._line(node))
        result: Node | None = None
        joined = ""
        start = 0
        for index in range(len(items) + 1):
            operator = items[index].operator if index < len(items) else "&&"
            if operator not in ("&&", "||"):
                continue
            inner = place._replace(after=joined) if joined else place
            part = self._pipeline(items[start:index], node, inner, depth)
            kind = "and" if joined == "&&" else "or"
            result = part if result is None else Node(kind, result.line, ((result,), (part,)))
            joined, start = operator, index + 1
        return result or Node("unknown", self._line(node))

    _on_list = _on_pipeline = _on_negated_command = _on_redirected_statement = _chain

    def _pipeline(self, items: list[Item], node: Any, place: Place, depth: int) -> Node:
        """`! a | b`: the `!` may only stand first, and negates the whole."""
        negations = 0
        while negations < len(items) and items[negations].operator == "!":
            negations += 1
        leaves = [item for item in items[negations:] if not item.operator]
        if not leaves or any(item.operator == "!" for item in items[negations:]):
            self._complete = False
        place = place._replace(negated=negations % 2 == 1) if negations else place
        start = len(self._commands)
        length = len(leaves)
        parts = tuple(
            (self._leaf(leaf, node, place._replace(pipe=i, pipe_length=length), depth + 1),)
            for i, leaf in enumerate(leaves)
        )
        if length > 1:
            self._fed(self._commands[start:])
        line = parts[0][0].line if parts else self._line(node)
        result = Node("pipeline", line, parts) if length > 1 else parts[0][0] if parts else None
        if result is None:
            return Node("unknown", line)
        return Node("not", line, ((result,),)) if negations % 2 else result

    def _leaf(self, leaf: Item, node: Any, place: Place, depth: int) -> Node:
        redirects: list[Redirect] = []
        extra: list[Word] = []
        heredoc: str | None = None
        for child in leaf.redirects:
            if child.type == "heredoc_redirect":
                heredoc = self._heredoc(child, redirects, extra, place, depth)
            else:
                self._redirect(child, redirects, extra, place, depth)
        if leaf.node is not None and leaf.node.type == "command":
            return self._simple(leaf.node, place, tuple(redirects), heredoc, depth, tuple(extra))
        line = self._line(leaf.node if leaf.node is not None else node)
        if leaf.node is None or redirects:
            command = Command((), line, place, redirects=tuple(redirects))
            self._commands.append(command)
            if leaf.node is None:
                return Node("command", line, (), command)
        return self._statement(leaf.node, place, depth)

    def _fed(self, commands: list[Command]) -> None:
        """Read what is piped into a shell, where it stands in the text (`cat <<E | sh`)."""
        if not any(c.name in SHELLS and c.place.pipe and len(c.words) < 3 for c in commands):
            return
        for command in commands:
            text = command.heredoc
            if text is None and command.name == "echo":
                text = " ".join(command.argv[1:])
            if text is not None:
                self._inner(text, command.line, command.place, command.wrappers)

    def _on_subshell(self, node: Any, place: Place, depth: int) -> Node:
        body = self._body(node.children, place._replace(subshell=True), depth)
        return Node("subshell", self._line(node), (body,))

    def _on_compound_statement(self, node: Any, place: Place, depth: int) -> Node:
        if node.children and node.children[0].type == "((":
            self._substitutions(node, "((", place, depth)
            return Node("test", self._line(node))
        return Node("group", self._line(node), (self._body(node.children, place, depth),))

    def _on_do_group(self, node: Any, place: Place, depth: int) -> Node:
        return Node("group", self._line(node), (self._body(node.children, place, depth),))

    def _on_if_statement(self, node: Any, place: Place, depth: int) -> Node:
        parts: list[tuple[Node, ...]] = []
        condition: list[Any] = []
        body: list[Any] = []
        current = condition
        clauses: list[Any] = []
        for child in node.children:
            if child.type == "then":
                current = body
            elif child.type in ("elif_clause", "else_clause"):
                clauses.append(child)
            elif child.type not in ("if", "elif", "fi"):
                current.append(child)
        parts.append(self._body(condition, place._replace(condition=True), depth))
        parts.append(self._body(body, place, depth))
        for clause in clauses:
            if clause.type == "elif_clause":
                parts += self._on_if_statement(clause, place, depth).parts
            else:
                parts.append(self._body(clause.children, place, depth))
        return Node("if", self._line(node), tuple(parts))

    def _on_while_statement(self, node: Any, place: Place, depth: int) -> Node:
        body = node.child_by_field_name("body")
        condition = [c for c in node.children if body is None or c.start_byte < body.start_byte]
        first = self._body(condition, place._replace(condition=True), depth)
        second = self._body(body.children if body else [], place._replace(loop=True), depth)
        kind = "until" if node.children and node.children[0].type == "until" else "while"
        return Node(kind, self._line(node), (first, second))

    def _on_for_statement(self, node: Any, place: Place, depth: int) -> Node:
        body = node.child_by_field_name("body")
        for child in node.children:
            if child.is_named and (body is None or child.start_byte < body.start_byte):
                self._substitutions(child, "for", place, depth)
        nodes = self._body(body.children if body else [], place._replace(loop=True), depth)
        return Node("for", self._line(node), (nodes,))

    def _on_c_style_for_statement(self, node: Any, place: Place, depth: int) -> Node:
        return self._on_for_statement(node, place, depth)

    def _on_case_statement(self, node: Any, place: Place, depth: int) -> Node:
        parts = []
        for child in node.named_children:
            if child.type == "case_item":
                children, after = [], False
                for part in child.children:
                    if after:
                        children.append(part)
                    after = after or part.type == ")"
                parts.append(self._body(children, place, depth))
            else:
                self._substitutions(child, "case", place, depth)
        return Node("case", self._line(node), tuple(parts))

    def _on_function_definition(self, node: Any, _place: Place, depth: int) -> Node:
        name_node = node.child_by_field_name("name")
        name = self._text(name_node) if name_node else ""
        body = node.child_by_field_name("body")
        inner = self._body([body] if body else [], Place(function=name), depth)
        return Node("function", self._line(node), (inner,), None, name)

    # --- commands ---------------------------------------------------------------------------

    def _simple(
        self,
        node: Any,
        place: Place,
        redirects: tuple[Redirect, ...],
        heredoc: str | None,
        depth: int,
        extra: tuple[Word, ...] = (),
    ) -> Node:
        words: list[Word] = []
        pairs: list[tuple[str, Word]] = []
        own = list(redirects)
        name = ""
        for child in node.children:
            if child.type == "variable_assignment":
                pairs.append(self._assignment(child, place, depth, keep=False))
            elif child.type in ("file_redirect", "herestring_redirect"):
                self._redirect(child, own, words, place, depth)
            elif child.type == "command_name":
                inner = child.named_children
                words += self._expanded(inner[0] if inner else child, place, depth)
                name = words[0].text.rpartition("/")[2] if words else ""
                # A keyword in the place of a program: the grammar lost its way without saying so.
                if self._text(child) in _RESERVED:
                    self._complete = False
            elif child.type == "comment":
                continue
            elif child.is_named or words:
                words.append(self._word(child, place, depth, name))
        line = self._line(node)
        return self._emit(
            Command((*words, *extra), line, place, (), tuple(pairs), tuple(own), heredoc)
        )

    def _emit(self, command: Command) -> Node:
        line = command.line
        found = unwrap(command.words)
        wrappers = command.wrappers + found.wrappers
        for words in found.also:
            self._commands.append(Command(words, line, command.place, (*wrappers, "find")))
        if found.script is not None:
            outer = command._replace(wrappers=wrappers, words=())
            self._commands.append(outer)
            inner = self._inner(found.script, line, command.place, wrappers)
            return Node("nested", line, (inner,), outer, wrappers[-1])
        final = command._replace(words=found.words, wrappers=wrappers)
        self._commands.append(final)
        if final.name in SHELLS and final.heredoc is not None:
            inner = self._inner(final.heredoc, line, command.place, wrappers)
            return Node("nested", line, (inner,), final, final.name)
        return Node("command", line, (), final)

    def _inner(
        self, text: str, line: int, place: Place, wrappers: tuple[str, ...]
    ) -> tuple[Node, ...]:
        script = self._nested(text)
        self._complete = self._complete and script.complete
        for command in script.commands:
            inner = command.place
            if place.substitution is not None and inner.substitution is None:
                inner = inner._replace(substitution=place.substitution)
            if place.function is not None and inner.function is None:
                inner = inner._replace(function=place.function)
            self._commands.append(
                command._replace(
                    line=command.line + line, wrappers=wrappers + command.wrappers, place=inner
                )
            )
        return script.body

    def _assignment(
        self, node: Any, place: Place, depth: int, *, keep: bool = True
    ) -> tuple[str, Word]:
        name_node = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        name = self._text(name_node) if name_node else ""
        if value is None:
            word = Word("")
        elif value.type == "array":
            words = [self._word(child, place, depth, "=") for child in value.named_children]
            word = Word(" ".join(w.text for w in words), all(w.literal for w in words))
        else:
            word = self._word(value, place, depth, "=")
        if keep:
            known = self._variables.get(name, word.text)
            self._variables[name] = word.text if word.text == known else None
        return name, word

    def _expanded(self, node: Any, place: Place, depth: int) -> list[Word]:
        """The command's own name: `$KUBECTL apply` is read with what the text assigned to it."""
        word = self._word(node, place, depth, "")
        match = _VARIABLE.fullmatch(word.text)
        value = self._variables.get(match[1] or match[2]) if match else None
        if not value:
            return [word]
        return [Word(part) for part in value.split()] or [word]

    def _redirect(
        self, node: Any, redirects: list[Redirect], extra: list[Word], place: Place, depth: int
    ) -> None:
        operator = next((c.type for c in node.children if c.type[:1] in "<>&"), ">")
        targets = node.children_by_field_name("destination") or [
            c for c in node.named_children if c.type != "file_descriptor"
        ]
        words = [self._word(target, place, depth, "redirect") for target in targets]
        if words:
            redirects.append(Redirect(operator, words[0]))
        # The grammar takes the arguments after a redirection for further targets of it.
        extra += words[1:]

    def _heredoc(
        self, node: Any, redirects: list[Redirect], extra: list[Word], place: Place, depth: int
    ) -> str:
        body = ""
        for index, child in enumerate(node.children):
            if child.type == "heredoc_body":
                body = self._text(child)
                self._substitutions(child, "heredoc", place, depth)
            elif child.type in ("file_redirect", "herestring_redirect"):
                self._redirect(child, redirects, extra, place, depth)
            elif node.field_name_for_child(index) == "argument":
                extra.append(self._word(child, place, depth, ""))
        return body

    # --- words ------------------------------------------------------------------------------

    def _word(self, node: Any, place: Place, depth: int, owner: str) -> Word:
        self._substitutions(node, owner, place, depth)
        text, literal = self._plain(node, 0)
        return Word(text, literal and not self._has_hole(node))

    def _plain(self, node: Any, depth: int) -> tuple[str, bool]:
        """The text of a word with its quotes removed, and whether it is literal."""
        kind = node.type
        if kind == "raw_string":
            return self._text(node)[1:-1], True
        if kind == "string":
            inner = self._source[node.start_byte + 1 : max(node.end_byte - 1, node.start_byte + 1)]
            text = _QUOTED_ESCAPE.sub(
                lambda m: "" if m[1] == "\n" else m[1], inner.decode("utf-8", "surrogatepass")
            )
            return text, not any(c.type in _EXPANSIONS for c in node.children)
        if kind == "ansi_c_string":
            return self._text(node)[2:-1], "\\" not in self._text(node)
        if kind == "concatenation" and depth < 4:
            parts = [self._plain(child, depth + 1) for child in node.children]
            return "".join(t for t, _ in parts), all(ok for _, ok in parts)
        text = self._text(node)
        if kind in _EXPANSIONS:
            return text, False
        if kind in ("word", "extglob_pattern"):
            return _ESCAPE.sub(lambda m: "" if m[1] == "\n" else m[1], text), True
        return text, not any(c.type in _EXPANSIONS for c in node.children)

    def _substitutions(self, node: Any, owner: str, place: Place, depth: int) -> None:
        """Read the commands of every `$( )`, backtick and `<( )` in `node`."""
        for found in self._find(node):
            inner = Place(
                substitution=place.substitution or owner or "command",
                function=place.function,
            )
            if depth > DEPTH:
                self._complete = False
                return
            self._body(found.children, inner, depth + 1)

    def _find(self, node: Any) -> Iterator[Any]:
        stack = [node]
        while stack:
            current = stack.pop()
            if current.type in _SUBSTITUTIONS:
                yield current
            else:
                stack.extend(reversed(current.children))

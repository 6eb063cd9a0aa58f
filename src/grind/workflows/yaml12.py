"""YAML as GitHub reads it: the 1.2 core schema over PyYAML's C parser, with a place for every node.

Facts, from GitHub's own parser (`actions/runner`, `src/Sdk/WorkflowParser`): plain scalars follow
the core schema, so `on`, `yes` and `off` are strings and `0o17` is a number; numbers are doubles;
anchors and aliases are allowed and bounded by the number of nodes after expansion; `<<` is no merge
but an ordinary key, which no part of the schema takes, so it is refused here by name; keys are
compared without case when looking for duplicates; one document per file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from grind.core.errors import Problem
from grind.workflows.literals import core_value, fold, literal_hole, string_of
from grind.workflows.syntax import Data, Map, Mark, Scalar, Seq

if TYPE_CHECKING:
    from collections.abc import Callable

    from yaml.events import AliasEvent, Event, NodeEvent, ScalarEvent

MAX_CHARACTERS: Final = 1024 * 1024
"""GitHub's limit for one file (`ParseOptions.MaxFileSize`)."""

MAX_NODES: Final = 50_000
"""GitHub's limit for parsing events, counted again each time an alias repeats them."""

MAX_DEPTH: Final = 50
"""GitHub's limit for nested sequences and mappings (`ParseOptions.MaxDepth`)."""

_TAG: Final = "tag:yaml.org,2002:"
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    "bool": (bool,),
    "int": (int, float),
    "float": (int, float),
    "null": (type(None),),
}
_UNPRINTABLE: Final = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
)
"""What is none of YAML's `c-printable`, and the byte order mark (YAML 1.2, 5.1 and 5.2). Named one by one:
a set of all that is printable takes ten times as long to compile, which each plan begins with."""


class Parsed(NamedTuple):
    """A YAML document, or None when it could not be read at all, and what is wrong with it."""

    data: Data | None
    problems: tuple[Problem, ...]


class _Refused(Exception):  # noqa: N818 - it never leaves this module
    """The document cannot be read any further."""

    def __init__(self, mark: Mark, message: str, expected: str = "") -> None:
        super().__init__(message)
        self.mark, self.message, self.expected = mark, message, expected


def parse_yaml(path: str, source: bytes) -> Parsed:
    """Read one YAML document. Never raises for bad input; time and memory are bounded.

    `path` is only named in problems. A leading byte order mark is ignored.
    """
    try:
        text = source.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8")
        line, column = _place(before, len(before))
        problem = Problem(path, line, column, "the file is not UTF-8 text", "UTF-8")
        return Parsed(None, (problem,))
    text = text.removeprefix("\ufeff")
    if len(text) > MAX_CHARACTERS:
        message = f"the file has {len(text)} characters; GitHub reads at most {MAX_CHARACTERS}"
        return Parsed(None, (Problem(path, 1, 1, message),))
    if found := _UNPRINTABLE.search(text):
        line, column = _place(text, found.start())
        message = f"control character U+{ord(found[0]):04X} is not allowed in YAML"
        return Parsed(None, (Problem(path, line, column, message),))
    builder = _Builder(path, text)
    try:
        data = builder.build()
    except _Refused as refusal:
        problem = Problem(path, *refusal.mark, refusal.message, refusal.expected)
        return Parsed(None, (*builder.problems, problem))
    return Parsed(data, tuple(builder.problems))


def _place(text: str, index: int) -> tuple[int, int]:
    line = text.count("\n", 0, index) + 1
    return line, index - text.rfind("\n", 0, index)


class _Open:
    """A sequence or mapping that has begun and not yet ended."""

    __slots__ = ("anchor", "began", "height", "is_map", "items", "key", "mark", "pairs", "seen")

    def __init__(self, mark: Mark, anchor: str | None, began: int, is_map: bool) -> None:
        self.mark, self.anchor, self.began, self.is_map = mark, anchor, began, is_map
        self.items: list[Data] = []
        self.pairs: list[tuple[Scalar, Data]] = []
        self.seen: set[str] = set()
        self.key: Data | None = None
        self.height = 1


class _Anchored(NamedTuple):
    node: Data
    nodes: int
    height: int


class _Builder:
    """Turns parsing events into nodes with a stack of its own, so that depth cannot hurt."""

    def __init__(self, path: str, text: str) -> None:
        self.problems: list[Problem] = []
        self._path, self._text = path, text
        self._anchors: dict[str, _Anchored | None] = {}  # None: begun, not ended
        self._stack: list[_Open] = []
        self._count = 0
        self._root: Data | None = None

    def build(self) -> Data:
        from yaml import events
        from yaml._yaml import CParser
        from yaml.error import YAMLError

        parser = CParser(self._text)
        handlers: dict[type, Callable[[Any], None]] = {
            events.ScalarEvent: self._on_scalar,
            events.MappingStartEvent: self._on_mapping,
            events.SequenceStartEvent: self._on_sequence,
            events.MappingEndEvent: self._on_end,
            events.SequenceEndEvent: self._on_end,
            events.AliasEvent: self._on_alias,
            events.DocumentStartEvent: self._on_document,
        }
        get, handler_of = parser.get_event, handlers.get
        try:
            while (event := get()) is not None:
                if (handler := handler_of(type(event))) is not None:
                    handler(event)
        except YAMLError as error:
            raise self._syntax(error) from error
        if self._root is None:
            raise _Refused(Mark(1, 1), "the file is empty", "a mapping")
        return self._root

    def _syntax(self, error: Exception) -> _Refused:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        context = getattr(error, "context", None)
        message = f"not valid YAML: {what}" + (f" {context}" if context else "")
        return _Refused(Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1), message)

    def _spend(self, nodes: int, mark: Mark) -> None:
        self._count += nodes
        if self._count > MAX_NODES:
            raise _Refused(mark, f"more than {MAX_NODES} YAML nodes, aliases expanded")

    def _on_document(self, event: Event) -> None:
        if self._root is not None:
            raise _Refused(_mark(event), "a second YAML document in one file", "one document")

    def _on_scalar(self, event: ScalarEvent) -> None:
        mark, style, text = _mark(event), event.style, event.value
        self._spend(1, mark)
        tag = event.tag
        value = self._tagged(event, mark, tag) if tag else text
        if not tag and not style:
            value = self._plain(text, mark)
        if (literal := literal_hole(text)) is not None:
            value = literal
        block = None
        if style in ("|", ">"):
            header = mark.line if not (tag or event.anchor) else self._header_line(event)
            block = header + 1
        node = Scalar(value, text, mark, block, style == ">")
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(node, 1, 0)
        self._add(node, 0)

    def _plain(self, text: str, mark: Mark) -> bool | int | float | str | None:
        try:
            return core_value(text)
        except OverflowError:
            message = f"the number '{text}' is out of range"
            raise _Refused(mark, message, "at most 32 bits") from None

    def _tagged(self, event: ScalarEvent, mark: Mark, tag: str) -> bool | int | float | str | None:
        kind = tag.removeprefix(_TAG)
        if kind == "str" and tag != kind:
            return event.value
        if tag == kind or kind not in _TYPES:
            raise _Refused(mark, f"the tag '{tag}' is not known to GitHub", "no tag, or !!str")
        value = self._plain(event.value, mark)
        fits = isinstance(value, _TYPES[kind]) and (kind == "bool" or not isinstance(value, bool))
        if event.style or not fits:
            raise _Refused(mark, f"'{event.value}' is not valid for the tag '!!{kind}'")
        return value

    def _header_line(self, event: ScalarEvent) -> int:
        """Return the line of the `|` or `>` of a block that has an anchor or a tag before it."""
        index = event.start_mark.index if event.start_mark else 0
        header = re.compile(r"(?:[&!][^\s]*|\s+|#[^\n]*)*[|>]").match(self._text, index)
        return _place(self._text, header.end() - 1 if header else index)[0]

    def _on_mapping(self, event: NodeEvent) -> None:
        self._open(event, is_map=True)

    def _on_sequence(self, event: NodeEvent) -> None:
        self._open(event, is_map=False)

    def _open(self, event: NodeEvent, *, is_map: bool) -> None:
        mark = _mark(event)
        if len(self._stack) >= MAX_DEPTH:
            raise _Refused(mark, f"nested more than {MAX_DEPTH} levels deep")
        self._spend(1, mark)
        if event.anchor:
            self._anchors[event.anchor] = None
        self._stack.append(_Open(mark, event.anchor, self._count, is_map))

    def _on_end(self, _event: Event) -> None:
        done = self._stack.pop()
        self._spend(1, done.mark)
        node: Map | Seq
        if done.is_map:
            node = Map(tuple(done.pairs), done.mark)
        else:
            node = Seq(tuple(done.items), done.mark)
        if done.anchor:
            nodes = self._count - done.began + 1
            self._anchors[done.anchor] = _Anchored(node, nodes, done.height)
        self._add(node, done.height)

    def _on_alias(self, event: AliasEvent) -> None:
        name, mark = event.anchor, _mark(event)
        if name not in self._anchors:
            raise _Refused(mark, f"the alias '*{name}' names no anchor above it")
        anchored = self._anchors[name]
        if anchored is None:
            raise _Refused(mark, f"the alias '*{name}' stands inside its own anchor")
        if len(self._stack) + anchored.height > MAX_DEPTH:
            raise _Refused(mark, f"nested more than {MAX_DEPTH} levels deep")
        self._spend(anchored.nodes, mark)
        self._add(anchored.node, anchored.height)

    def _add(self, node: Data, height: int) -> None:
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1]
        if height >= parent.height:
            parent.height = height + 1
        if not parent.is_map:
            parent.items.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            key, parent.key = parent.key, None
            self._pair(parent, key, node)

    def _pair(self, parent: _Open, key: Data, value: Data) -> None:
        if not isinstance(key, Scalar):
            self._problem(key.mark, "a key must be a single value", "a string")
            return
        if not isinstance(key.value, str):
            key = Scalar(key.value, string_of(key), key.mark)
        name = key.text
        if name == "<<":
            self._problem(key.mark, "merge keys (<<) are not supported by GitHub Actions")
            return
        if "${{" not in name:
            folded = fold(name)
            if folded in parent.seen:
                self._problem(key.mark, f"'{name}' is already defined", "each key once")
                return
            parent.seen.add(folded)
        parent.pairs.append((key, value))

    def _problem(self, mark: Mark, message: str, expected: str = "") -> None:
        self.problems.append(Problem(self._path, *mark, message, expected))


def _mark(event: Event) -> Mark:
    start = event.start_mark
    return Mark(start.line + 1, start.column + 1) if start else Mark(1, 1)

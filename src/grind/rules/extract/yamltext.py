"""YAML scalars with the place of every character of their value."""

from __future__ import annotations

from typing import Any

import yaml

from grind.rules.extract.problems import ExtractError
from grind.rules.fragments import Builder
from grind.rules.source import Source

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def compose(source: Source) -> yaml.Node | None:
    """The node tree, with marks. Raises ExtractError with the place of what is no YAML."""
    try:
        document = source.data.decode("utf-8")
        node: yaml.Node | None = yaml.compose(document, Loader=_LOADER)
    except UnicodeDecodeError as error:
        raise ExtractError("not UTF-8", error.start) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = offset_of(source, mark.line, mark.column) if mark else 0
        raise ExtractError(f"not YAML: {error.problem or error.context}", place) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ExtractError(f"not YAML: {type(error).__name__}", 0) from None
    return node


def offset_of(source: Source, line: int, column: int) -> int:
    """The byte offset of a mark (0-based line, 0-based column in characters)."""
    if line >= len(source.starts):
        return len(source.text)
    start = source.starts[line]
    raw = source.data[start : source.starts[line + 1] if line + 1 < len(source.starts) else None]
    if raw.isascii():
        return start + min(column, len(raw))
    return start + len(raw.decode("utf-8", "replace")[:column].encode("utf-8"))


def start_of(source: Source, node: yaml.Node) -> int:
    """Where a node starts; for a quoted scalar, its first character."""
    at = offset_of(source, node.start_mark.line, node.start_mark.column)
    style = getattr(node, "style", None)
    return at + 1 if style in ("'", '"') else at


def read(source: Source, node: yaml.ScalarNode) -> Builder:
    """The value of a scalar, piece by piece."""
    value = node.value.encode("utf-8", "replace").decode("latin-1")
    if node.style == "|":
        built = _literal_block(source, node, value)
        if built is not None:
            return built
    begin = offset_of(source, node.start_mark.line, node.start_mark.column)
    end = offset_of(source, node.end_mark.line, node.end_mark.column)
    if node.style in ("|", ">"):
        begin = source.text.find("\n", begin) + 1
    elif node.style in ("'", '"'):
        begin, end = begin + 1, end - 1
    return _aligned(source.text, begin, end, value)


def _literal_block(source: Source, node: yaml.ScalarNode, value: str) -> Builder | None:
    """A `|` block: its lines without their indentation. None when that is not what YAML read."""
    number = node.start_mark.line + 1
    lines = value.split("\n")
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return None
    shown = _line(source, number + first)
    indent = len(shown) - len(lines[first])
    if indent < 0 or shown[indent:] != lines[first]:
        return None
    builder = Builder()
    for index, line in enumerate(lines):
        if number + index >= len(source.starts):
            return builder if not any(lines[index:]) else None
        shown = _line(source, number + index)
        if shown[indent:] != line and (line or shown.strip()):
            return builder if not any(lines[index:]) else None
        start = source.starts[number + index]
        builder.copy(line, start + indent)
        if index + 1 < len(lines):
            builder.copy("\n", start + len(shown))
    return builder


def _line(source: Source, number: int) -> str:
    begin = source.starts[number]
    end = source.text.find("\n", begin)
    return source.text[begin : len(source.text) if end < 0 else end].rstrip("\r")


def _aligned(text: str, at: int, end: int, value: str) -> Builder:
    """Walk value and source together; where they differ (folds, escapes), take the value's word."""
    builder = Builder()
    index = 0
    while index < len(value):
        if at < end and text[at] == value[index]:
            stop = index
            start = at
            while stop < len(value) and at < end and text[at] == value[stop]:
                stop += 1
                at += 1
            builder.copy(value[index:stop], start)
            index = stop
        elif value[index] in " \n" and at < end and text[at] in " \t\r\n":
            builder.replace(value[index], at)
            while at < end and text[at] in " \t\r\n":
                at += 1
            index += 1
        elif at < end and text[at] in " \t\r\n":  # folded away
            at += 1
        else:  # an escape: `''`, `\"`, `\n`, `\x41`
            builder.replace(value[index], at)
            at += _escape_length(text, at)
            index += 1
    return builder


def _escape_length(text: str, at: int) -> int:
    if text[at : at + 1] != "\\":
        return 1
    wide = {"x": 4, "u": 6, "U": 10}
    return wide.get(text[at + 1 : at + 2], 2)

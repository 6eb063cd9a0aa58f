"""How a workflow command is written: `::name key=value,…::text`, or `##[name key=value;…]text`. Pure.

Source: ActionCommand.TryParseV2 and TryParse in `actions/runner`. The second form is the older one;
it counts anywhere in a line, and setup actions still print it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple


class Command(NamedTuple):
    """A command that was read; `name` and the names of `properties` are lower case."""

    name: str
    properties: dict[str, str]
    value: str


def parse_command(line: str, names: Collection[str]) -> Command | None:
    """Read a line that is a command of one of these (lower-case) names; anything else is None."""
    return _double_colon(line.lstrip(), names) or _bracket(line, names)


def _double_colon(line: str, names: Collection[str]) -> Command | None:
    if not line.startswith("::"):
        return None
    head, separator, value = line[2:].partition("::")
    name, _, rest = head.partition(" ")
    if not separator or name.lower() not in names:
        return None
    pairs = {key: _property(text) for key, text in _pairs(rest.strip(), ",")}
    return Command(name.lower(), pairs, _data(value))


def _bracket(line: str, names: Collection[str]) -> Command | None:
    _, found, rest = line.partition("##[")
    head, closed, value = rest.partition("]")
    name, _, properties = head.partition(" ")
    if not found or not closed or name.lower() not in names:
        return None
    pairs = {key: _old(text) for key, text in _pairs(properties.strip(), ";")}
    return Command(name.lower(), pairs, _old(value))


def _pairs(text: str, separator: str) -> list[tuple[str, str]]:
    pairs = (pair.partition("=") for pair in text.split(separator))
    return [(key.lower(), value) for key, equals, value in pairs if equals]


def _data(text: str) -> str:
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def _property(text: str) -> str:
    text = text.replace("%0D", "\r").replace("%0A", "\n")
    return text.replace("%3A", ":").replace("%2C", ",").replace("%25", "%")


def _old(text: str) -> str:
    text = text.replace("%3B", ";").replace("%0D", "\r").replace("%0A", "\n")
    return text.replace("%5D", "]").replace("%25", "%")

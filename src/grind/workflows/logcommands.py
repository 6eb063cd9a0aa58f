"""Workflow commands in a step's output (`::error file=a.py::text`), and masking. Pure, incremental.

Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
Text is handed on line by line; a line that is longer than a piece is handed on in pieces, so that
memory stays flat whatever a step prints.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import NamedTuple

_PIECE = 64 * 1024
_COMMANDS = frozenset(
    {
        "add-mask",
        "add-matcher",
        "remove-matcher",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "save-state",
        "set-output",
        "stop-commands",
        "warning",
    }
)
_SHOWN = frozenset({"debug", "endgroup", "error", "group", "notice", "warning"})
"""Commands that a reader of the log should see; the faces say what they mean."""


class Text(NamedTuple):
    """Output to show, masked."""

    text: str


class Command(NamedTuple):
    """A command that was read; `properties` are unescaped."""

    name: str
    properties: dict[str, str]
    value: str


class CommandReader:
    """Reads one step's output. Masks and what they hide are shared by a job's steps."""

    def __init__(self, masks: set[str]) -> None:
        self.masks = masks
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._long = False
        self._stop: str | None = None

    def feed(self, data: bytes, *, final: bool = False) -> Iterator[Text | Command]:
        """Take output; yield text to show and commands, in order."""
        lines = (self._rest + self._decoder.decode(data, final)).split("\n")
        self._rest = lines.pop()
        shown: list[str] = []
        for line in lines:
            command = None if self._long else self._command(line)
            if command is None or command.name in _SHOWN:
                shown.append(line + "\n")
            if command is not None:
                if shown:
                    yield Text(self.mask("".join(shown)))
                    shown = []
                yield from self._apply(command)
            self._long = False
        if len(self._rest) > _PIECE:
            keep = max((len(mask) for mask in self.masks), default=1) - 1
            cut = len(self._rest) - keep
            shown.append(self._rest[:cut])
            self._rest, self._long = self._rest[cut:], True
        if final and self._rest:
            command = None if self._long else self._command(self._rest)
            if command is None or command.name in _SHOWN:
                shown.append(self._rest)
            if command is not None:
                if shown:
                    yield Text(self.mask("".join(shown)))
                    shown = []
                yield from self._apply(command)
            self._rest = ""
        if shown:
            yield Text(self.mask("".join(shown)))

    def mask(self, text: str) -> str:
        """Return the text with every masked value replaced by `***`."""
        for value in sorted(self.masks, key=len, reverse=True):
            if value in text:
                text = text.replace(value, "***")
        return text

    def _command(self, line: str) -> Command | None:
        line = line.rstrip("\r")
        stripped = line.lstrip()
        if not stripped.startswith("::"):
            return None
        head, separator, value = stripped[2:].partition("::")
        if not separator:
            return None
        name, _, rest = head.partition(" ")
        if self._stop is not None:
            return Command("resume", {}, "") if head == self._stop else None
        if name.lower() not in _COMMANDS:
            return None
        properties = {}
        for pair in rest.split(","):
            key, equals, text = pair.strip().partition("=")
            if equals:
                properties[key] = _unescape(text, property_=True)
        return Command(name.lower(), properties, _unescape(value))

    def _apply(self, command: Command) -> Iterator[Text | Command]:
        if command.name == "stop-commands":
            self._stop = command.value
        elif command.name == "resume":
            self._stop = None
        elif command.name == "add-mask":
            self.masks.update(v for v in (command.value, *command.value.splitlines()) if v)
        else:
            yield command


def _unescape(text: str, *, property_: bool = False) -> str:
    text = text.replace("%0D", "\r").replace("%0A", "\n")
    if property_:
        text = text.replace("%3A", ":").replace("%2C", ",")
    return text.replace("%25", "%")

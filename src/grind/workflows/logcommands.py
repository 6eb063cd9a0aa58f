"""Workflow commands in a step's output (`::error file=a.py::text`), and masking. Pure, incremental.

Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
Text is handed on line by line; a line that is longer than a piece is handed on in pieces, so that
memory stays flat whatever a step prints.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection, Iterator
from typing import NamedTuple

_PIECE = 64 * 1024
_MOST = 4 * _PIECE
"""What is held back at most, however masked values overlap."""
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
            cut = _safe_cut(self._rest, self.masks)
            shown.append(self._rest[:cut])
            self._rest, self._long = self._rest[cut:], True
            if len(self._rest) > _MOST:  # masked values without an end between them
                shown.append("***")
                self._rest = ""
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
        return hide(text, self.masks)

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
            self.masks.update(
                value for value in (command.value, *command.value.splitlines()) if value.strip()
            )
        else:
            yield command


def hide(text: str, masks: Collection[str]) -> str:
    """Return the text with every masked value replaced by `***`.

    Values that overlap are replaced together, so that no end of one is left over.
    """
    spans = _spans(text, masks)
    if not spans:
        return text
    parts: list[str] = []
    done = 0
    for start, end in spans:
        parts += (text[done:start], "***")
        done = end
    return "".join((*parts, text[done:]))


def _spans(text: str, masks: Collection[str]) -> list[tuple[int, int]]:
    """Where masked values stand, in order, those that touch joined to one."""
    found: list[tuple[int, int]] = []
    for mask in masks:
        at = text.find(mask)
        while at >= 0:
            found.append((at, at + len(mask)))
            at = text.find(mask, at + 1)
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _safe_cut(text: str, masks: Collection[str]) -> int:
    """Return where a text that goes on can be cut: in no masked value, nor in the begin of one."""
    cut = len(text)
    for mask in masks:
        at = text.find(mask[0], max(0, len(text) - len(mask) + 1))
        while 0 <= at < cut and not mask.startswith(text[at:]):
            at = text.find(mask[0], at + 1)
        cut = at if 0 <= at < cut else cut
    for start, end in reversed(_spans(text, masks)):
        if start < cut < end:
            cut = start
    return cut


def _unescape(text: str, *, property_: bool = False) -> str:
    text = text.replace("%0D", "\r").replace("%0A", "\n")
    if property_:
        text = text.replace("%3A", ":").replace("%2C", ",")
    return text.replace("%25", "%")

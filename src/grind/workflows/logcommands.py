"""Workflow commands in a step's output (`::error file=a.py::text`), and masking. Pure, incremental.

Source: https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
and ActionCommandManager in `actions/runner`.
Text is handed on line by line; a line that is longer than a piece is handed on in pieces, so that
memory stays flat whatever a step prints.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import NamedTuple

from grind.workflows.commandsyntax import Command, parse_command
from grind.workflows.masking import hide, masks_of, safe_cut

_PIECE = 64 * 1024
_MOST = 4 * _PIECE
"""What is held back at most, however masked values overlap."""
_TALK = frozenset({"endgroup", "error", "group", "notice", "warning"})
"""Commands that a reader of the log always sees; the faces say what they mean."""
_ECHOED = frozenset({"add-matcher", "echo", "remove-matcher", "save-state", "set-output"})
"""Commands that are shown after `::echo::on`."""
_DISABLED = frozenset({"add-path", "set-env"})
_COMMANDS = _TALK | _ECHOED | _DISABLED | {"add-mask", "debug", "stop-commands"}


class Text(NamedTuple):
    """Output to show, masked."""

    text: str


class Fault(NamedTuple):
    """A command that could not be carried out: GitHub fails the step for it. Not masked yet."""

    reason: str


Item = Text | Command | Fault


class CommandReader:
    """Reads one step's output. Masks and what they hide are shared by a job's steps."""

    def __init__(self, masks: set[str], *, debug: bool = False) -> None:
        """`debug` shows `::debug::` lines, as step debug logging does on GitHub."""
        self.masks = masks
        self._debug = debug
        self._echo = debug
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._long = False
        self._stop: str | None = None

    def feed(self, data: bytes, *, final: bool = False) -> Iterator[Item]:
        """Take output; yield text to show and commands, in order."""
        lines = (self._rest + self._decoder.decode(data, final)).split("\n")
        self._rest = lines.pop()
        shown: list[str] = []
        for line in lines:
            yield from self._line(line, "\n", shown)
        if len(self._rest) > _PIECE:
            cut = safe_cut(self._rest, self.masks)
            shown.append(self._rest[:cut])
            self._rest, self._long = self._rest[cut:], True
            if len(self._rest) > _MOST:  # masked values without an end between them
                shown.append("***")
                self._rest = ""
        if final and self._rest:
            rest, self._rest = self._rest, ""
            yield from self._line(rest, "", shown)
        if shown:
            yield Text(self.mask("".join(shown)))

    def mask(self, text: str) -> str:
        """Return the text with every masked value replaced by `***`."""
        return hide(text, self.masks)

    def _line(self, line: str, end: str, shown: list[str]) -> Iterator[Item]:
        """Take a whole line, or the end of a long one, which is no command."""
        command = None if self._long else self._command(line.rstrip("\r"))
        self._long = False
        if command is None or self._shows(command):
            shown.append(line + end)
        if command is not None:
            if shown:
                yield Text(self.mask("".join(shown)))
                shown.clear()
            yield from self._apply(command, line.strip())

    def _shows(self, command: Command) -> bool:
        if command.name == "debug":
            return self._debug
        return command.name in _TALK or (self._echo and command.name in _ECHOED)

    def _command(self, line: str) -> Command | None:
        if self._stop is None:
            return parse_command(line, _COMMANDS)
        resumed = parse_command(line, (self._stop,))
        return None if resumed is None else Command("resume", {}, "")

    def _apply(self, command: Command, line: str) -> Iterator[Item]:
        problem = ""
        match command.name:
            case "stop-commands" if command.value and command.value.lower() not in _COMMANDS:
                self._stop = command.value.lower()
            case "stop-commands":
                problem = f"'{command.value}' is no token to stop with"
            case "resume":
                self._stop = None
            case "add-mask":
                self.masks.update(masks_of(command.value))
            case "echo" if command.value.strip().lower() in ("on", "off"):
                self._echo = command.value.strip().lower() == "on"
            case "echo":
                problem = "echo is 'on' or 'off'"
            case "set-output" | "save-state" if not command.properties.get("name"):
                problem = "Required field 'name' is missing"
            case "set-env" | "add-path":
                problem = f"The `{command.name}` command is disabled; write to an environment file"
            case _:
                yield command
        if problem:
            yield fault(line, problem)


def is_command(line: str) -> bool:
    """Whether a line of output is a command, and so nothing that a problem matcher looks at."""
    return parse_command(line.rstrip("\r"), _COMMANDS) is not None


def fault(line: str, problem: str) -> Fault:
    """Return why a command could not be carried out, in the runner's words."""
    return Fault(f"Unable to process command '{line}' successfully. {problem}")

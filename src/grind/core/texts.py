"""Foreign text made safe to show: what a step prints may not move the cursor, retitle the window,
reverse the reading direction, or pass for something that grind says.

Only colours and weights (a subset of SGR) survive, and only when asked for. Workflow commands
(`::group::`, `::error file=…::`) become what they mean; a line with a secret to mask is dropped.
"""

from __future__ import annotations

import codecs
import re

RESET = "\x1b[0m"

_ODD = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
_SEQUENCE = re.compile(
    "\x1b\\[([0-?]*)([ -/]*[@-~])"
    "|\x9b[0-?]*[ -/]*[@-~]"
    "|(?:\x1b[\\]PX^_k]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\\\|\x9c)?"
    "|\x1b[ -/]*[0-~]?"
)
_UNFINISHED = re.compile(
    "(?:\x1b(?:\\[[0-?]*[ -/]*|[ -/]*|[\\]PX^_k][^\x07\x1b\x9c\n]*\x1b?)"
    "|\x9b[0-?]*[ -/]*"
    "|[\x90\x98\x9d-\x9f][^\x07\x1b\x9c\n]*\x1b?)\\Z"
)
_PARTS_AT_MOST = 16
_SGR_AT_MOST = 4 * _PARTS_AT_MOST + 2
"""Characters of the longest sequence that is kept."""
_HELD_AT_MOST = 4096
"""Characters of an unfinished sequence to wait for; a longer one is a lie and is dropped."""


def _colours(parameters: str) -> str:
    """Return the SGR sequence with only colours and weights left: nothing conceals or blinks."""
    kept: list[str] = []
    numbers = iter(parameters.replace(":", ";").split(";"))
    for text in numbers:
        number = int(text) if text.isdigit() and len(text) < 4 else 0 if not text else -1
        if number in (38, 48, 58):
            kind = next(numbers, "")
            rest = [next(numbers, "") for _ in range({"5": 1, "2": 3}.get(kind, 0))]
            if rest and number != 58 and all(part.isdigit() and len(part) < 4 for part in rest):
                kept += [text, kind, *rest]
        elif (
            number in (0, 1, 2, 3, 4, 7, 22, 23, 24, 27)
            or 30 <= number <= 49
            or (90 <= number <= 107)
        ):
            kept.append(text)
    return f"\x1b[{';'.join(kept)}m" if 0 < len(kept) <= _PARTS_AT_MOST else ""


def _keep_colour(match: re.Match[str]) -> str:
    return _colours(match[1]) if match[2] == "m" else ""


def _odd(match: re.Match[str]) -> str:
    character = match.group()
    if character in "\x1b\r":
        return character
    if "\ud800" <= character <= "\udfff":
        return "\ufffd"
    return " " if character in "\u2028\u2029" else ""


def _washed(text: str, *, colour: bool) -> str:
    """Return text without sequences and odd characters; carriage returns stay."""
    if not _ODD.search(text):
        return text
    plain = _ODD.sub(_odd, _SEQUENCE.sub("", text))
    if not colour or "\x1b[" not in text:
        return plain.replace("\x1b", "")
    parts: list[str] = []
    end = 0
    for match in _SEQUENCE.finditer(text):
        parts.append(_ODD.sub(_odd, text[end : match.start()]))
        parts.append(_keep_colour(match))
        end = match.end()
    parts.append(_ODD.sub(_odd, text[end:]))
    return "".join(parts)


def clean(text: str, *, colour: bool = False) -> str:
    """Return text that can only be read: lines, tabs, printable characters; colours if asked."""
    return _washed(text, colour=colour).replace("\r\n", "\n").replace("\r", "\n")


def one_line(text: str) -> str:
    """Return foreign text as one clean line: for names, reasons and paths inside a sentence."""
    washed = clean(text)
    return washed if washed.isprintable() else " ".join(washed.split())


_COMMAND = re.compile(r"\s*(?:::([A-Za-z][\w-]*)(?: ((?:(?!::).)*))?::|##\[([\w-]+)\])(.*)")
_SILENT = frozenset({"add-mask", "endgroup", "stop-commands"})
_LEVELS = frozenset({"error", "warning", "notice", "debug"})


def tidy(line: str) -> list[str]:
    """Return what a workflow command says, or the line itself.

    A value that `::add-mask::` names is not repeated. Source: "Workflow commands for GitHub
    Actions" in GitHub's documentation; `##[…]` is the older spelling, still in use.
    """
    if "::" not in line and "##[" not in line:
        return [line]
    match = _COMMAND.fullmatch(line)
    if match is None:
        return [line]
    name = (match[1] or match[3]).lower()
    if name in _SILENT:
        return []
    if name not in _LEVELS and name not in ("group", "section", "command"):
        return [line]
    lines = _unescaped(match[4]).split("\n")
    if name in _LEVELS:
        place = _place(match[2] or "")
        lines[0] = f"{name}: {place}{lines[0]}"
    elif name == "group":
        lines[0] = f"▸ {lines[0]}"
    return lines


def _unescaped(data: str) -> str:
    return (
        data.replace("%0D%0A", "\n").replace("%0D", "\n").replace("%0A", "\n").replace("%25", "%")
    )


def _place(properties: str) -> str:
    pairs = dict(pair.strip().partition("=")[::2] for pair in properties.split(",") if "=" in pair)
    pairs = {key: _unescaped(v.replace("%3A", ":").replace("%2C", ",")) for key, v in pairs.items()}
    place = ":".join(pairs[key] for key in ("file", "line", "col") if pairs.get(key))
    return one_line(place) + ": " if place else ""


class LogText:
    """Turns the pieces of a step's output into clean lines, in memory that does not grow.

    A carriage return starts its line again, as on a terminal: of a progress bar only the last state
    is left. A line longer than `limit` characters is given out in parts.
    """

    def __init__(self, *, colour: bool = False, limit: int = 16384) -> None:
        self._colour = colour
        self._limit = limit
        self._held = ""
        self._line = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    @property
    def partial(self) -> str:
        """The line that has no end yet."""
        return _overwritten(self._line)

    def feed_bytes(self, piece: bytes) -> list[str]:
        """Take a piece of a log file; what is not UTF-8 becomes replacement characters."""
        return self.feed(self._decoder.decode(piece))

    def feed(self, piece: str) -> list[str]:
        """Take a piece of output; return the lines that it completes."""
        text = self._held + piece
        self._held = ""
        unfinished = _UNFINISHED.search(text, max(0, len(text) - _HELD_AT_MOST))
        if unfinished is not None:
            self._held = text[unfinished.start() :]
            text = text[: unfinished.start()]
        return self._take(text)

    def finish(self) -> list[str]:
        """Return what is left: a last line without a newline."""
        lines = self._take(self._decoder.decode(b"", True) + self._held)
        self._held = ""
        last, self._line = self.partial, ""
        return lines + (self._shown(last) if last else [])

    def _take(self, text: str) -> list[str]:
        *ended, rest = (self._line + _washed(text, colour=self._colour)).split("\n")
        lines: list[str] = []
        for line in ended:
            lines += self._shown(_overwritten(line))
        if len(rest) > self._limit:
            rest = _overwritten(rest)
            while len(rest) > self._limit:
                cut = _cut(rest, self._limit)
                lines += self._shown(rest[:cut])
                rest = rest[cut:]
        self._line = rest
        return lines

    def _shown(self, line: str) -> list[str]:
        return [f"{text}{RESET}" if "\x1b" in text else text for text in tidy(line)]


def _cut(line: str, limit: int) -> int:
    """Return where to cut a long line: at the limit, or before a sequence that stands across it."""
    start = line.rfind("\x1b", max(0, limit - _SGR_AT_MOST), limit)
    return start if start > 0 and "m" not in line[start:limit] else limit


def _overwritten(line: str) -> str:
    if "\r" not in line:
        return line
    return next((part for part in reversed(line.split("\r")) if part), "")

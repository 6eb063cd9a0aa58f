"""Problem matchers: JSON files of regular expressions that turn output into annotations. Pure.

Source: https://github.com/actions/toolkit/blob/main/docs/problem-matchers.md, and IssueMatcher and
OutputManager in `actions/runner`. Differences, none of which decides anything: a matcher that takes
longer than a second for a line is dropped at once (the runner tries three times), and whether a
file that a match names exists is not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from posixpath import dirname, isabs, join, normpath
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct, field

_SECONDS = 1.0
_COLOURS = re.compile("\x1b\\[[0-9;]*m?")
_LEVELS = ("error", "warning", "notice")
_FIELDS = ("file", "line", "column", "severity", "code", "message", "from_path")


class Pattern(Struct, frozen=True, kw_only=True):
    """One regular expression, and which of its groups say what."""

    regexp: str = ""
    file: int | None = None
    line: int | None = None
    column: int | None = None
    severity: int | None = None
    code: int | None = None
    message: int | None = None
    from_path: int | None = field(default=None, name="fromPath")
    loop: bool = False


class MatcherConfig(Struct, frozen=True):
    """One matcher: its name, and patterns for lines that follow each other."""

    owner: str = ""
    severity: str = ""
    pattern: tuple[Pattern, ...] = ()


class _File(Struct, frozen=True):
    matchers: tuple[MatcherConfig, ...] = field(default=(), name="problemMatcher")


class Found(NamedTuple):
    """What a matcher found in a line."""

    level: str
    message: str
    file: str
    """Relative to the workspace; empty when it is not in it."""
    line: int
    column: int
    code: str


class Dropped(NamedTuple):
    """A matcher that is not asked any more."""

    owner: str


def read_matchers(data: bytes) -> tuple[MatcherConfig, ...]:
    """Read a file of matchers.

    Raises ValueError, in the runner's words, for what the runner fails a step for.
    """
    try:
        text = data.decode("utf-8-sig")
        configs = msgspec.json.decode(text, type=_File, strict=False).matchers
    except (UnicodeDecodeError, msgspec.DecodeError) as error:
        raise ValueError(f"it is no file of problem matchers: {error}") from None
    owners: set[str] = set()
    for config in configs:
        _check(config)
        if config.owner.lower() in owners:
            raise ValueError(f"Duplicate owner name '{config.owner}'")
        owners.add(config.owner.lower())
    return configs


def _check(config: MatcherConfig) -> None:
    if not config.owner:
        raise ValueError("Owner must not be empty")
    if config.severity.lower() not in ("", *_LEVELS):
        message = f"contains unexpected default severity '{config.severity}'"
        raise ValueError(f"Matcher '{config.owner}' {message}")
    if not config.pattern:
        raise ValueError(f"Matcher '{config.owner}' does not contain any patterns")
    told: set[str] = set()
    for place, pattern in enumerate(config.pattern):
        last = place == len(config.pattern) - 1
        if pattern.loop and (place == 0 or not last):
            raise ValueError("Only the last pattern in a multiline matcher may set 'loop'")
        if pattern.loop and pattern.message is None:
            raise ValueError("The loop pattern must set 'message'")
        groups = _compiled(pattern.regexp).groups
        for name in _FIELDS:
            number = getattr(pattern, name)
            if number is None:
                continue
            if name in told:
                raise ValueError(f"The property '{name}' is set twice")
            if not 0 <= number <= groups:
                raise ValueError(f"The property '{name}' is set to {number} which is out of range")
            told.add(name)
    if "message" not in told:
        raise ValueError("At least one pattern must set 'message'")


def _compiled(regexp: str) -> Any:
    import regex  # the standard library's has no time limit, and these are foreign

    try:
        return regex.compile(regexp, regex.ASCII)
    except regex.error as error:
        raise ValueError(f"Invalid pattern '{regexp}': {error}") from None


class MatcherSet:
    """The matchers of a job, which its steps add and remove."""

    def __init__(self) -> None:
        self.configs: tuple[MatcherConfig, ...] = ()

    def add(self, configs: Iterable[MatcherConfig]) -> None:
        """Add matchers; one of the same name is replaced."""
        for config in configs:
            self.remove((config.owner,))
            self.configs = (config, *self.configs)

    def remove(self, owners: Iterable[str]) -> None:
        """Remove matchers by name."""
        gone = {owner.lower() for owner in owners}
        self.configs = tuple(c for c in self.configs if c.owner.lower() not in gone)


class Matching:
    """Looks at the lines of one step."""

    def __init__(self, matchers: MatcherSet, workspace: str) -> None:
        self._matchers = matchers
        self._workspace = workspace
        self._known: dict[MatcherConfig, _Matcher] = {}

    def look(self, line: str) -> Iterator[Found | Dropped]:
        """Yield what a line says, once; and matchers that were dropped over it."""
        if not self._matchers.configs:
            return
        line = _COLOURS.sub("", line.rstrip("\r"))
        configs = self._matchers.configs
        self._known = {c: self._known.get(c) or _Matcher(c) for c in configs}
        for config, matcher in tuple(self._known.items()):
            try:
                values = matcher.match(line)
            except TimeoutError:
                self._matchers.remove((config.owner,))
                yield Dropped(config.owner)
                continue
            if values is None:
                continue
            for other in self._known.values():
                if other is not matcher:
                    other.reset()
            found = self._found(values, config.severity)
            if found is not None:
                yield found
                return

    def _found(self, values: dict[str, str], default: str) -> Found | None:
        level = (values["severity"] or default or "error").lower()
        if not values["message"].strip() or level not in _LEVELS:
            return None
        return Found(
            level,
            values["message"],
            self._file(values["file"], values["from_path"]),
            _number(values["line"]),
            _number(values["column"]),
            values["code"].strip(),
        )

    def _file(self, file: str, from_path: str) -> str:
        if not file.strip():
            return ""
        if from_path.strip() and not isabs(file):
            file = join(dirname(from_path), file)
        return within(normpath(join(self._workspace, file)), self._workspace)


class _Matcher:
    """The state of one matcher over the lines of a step."""

    def __init__(self, config: MatcherConfig) -> None:
        self._patterns = config.pattern
        self._regexps = [_compiled(pattern.regexp) for pattern in config.pattern]
        self.reset()

    def reset(self) -> None:
        self._state: list[dict[str, str] | None] = [None] * (len(self._patterns) - 1)

    def match(self, line: str) -> dict[str, str] | None:
        """Return what the patterns say in all when the last of them matches. Raises TimeoutError."""
        last = len(self._patterns) - 1
        for place in range(last, -1, -1):
            running = self._state[place - 1] if place else {}
            if running is None:
                continue
            match = self._regexps[place].search(line, timeout=_SECONDS)
            values = None if match is None else _values(self._patterns[place], match, running)
            if place < last:
                self._state[place] = values
            elif values is not None:
                self.reset()
                if self._patterns[place].loop:
                    self._state[place - 1] = running
                return values
            elif place:
                self._state[place - 1] = None
        return None


def _values(pattern: Pattern, match: Any, running: dict[str, str]) -> dict[str, str]:
    values = {}
    for name in _FIELDS:
        number = getattr(pattern, name)
        values[name] = running.get(name) or (
            match.group(number) or "" if number is not None else ""
        )
    return values


def within(path: str, folder: str) -> str:
    """Return an absolute path relative to a folder; empty when it is not in it."""
    inside = path.removeprefix(folder.rstrip("/") + "/")
    return inside if inside != path else ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

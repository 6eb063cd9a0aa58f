"""Recipes of a Makefile: lines after a tab, `$$` for the shell's `$`, make's `$( )` as holes."""

from __future__ import annotations

import re
from typing import NamedTuple

from grind.rules.extract.shells import SHELLS, flags
from grind.rules.fragments import Builder, Context, Fragment
from grind.rules.source import Source

_RULE = re.compile(r"^([^\t#=:][^=#:]*?)\s*(&?:{1,2})(?![=:])")
_ASSIGN = re.compile(r"^\s*(?:export\s+|override\s+)*([.\w-]+)\s*[:?+]?:?=\s*(.*)$")


class Header(NamedTuple):
    """The line that a rule begins with."""

    name: str
    line: int
    needs: tuple[str, ...]


def headers(source: Source) -> list[Header]:
    """One per target of each rule with a plain name, in the order of the file."""
    found: list[Header] = []
    at = 1
    for line, _ in _logical_lines(source.text):
        rule = None if line.startswith("\t") or _ASSIGN.match(line) else _RULE.match(line)
        if rule is not None:
            rest = line[rule.end() :].replace("\\\n", " ").partition("#")[0].partition(";")[0]
            needs = tuple(word for word in rest.split() if word != "|" and "=" not in word)
            for name in rule[1].split():
                if not name.startswith(".") and "%" not in name and "$" not in name:
                    found.append(Header(name, at, needs))
        at += line.count("\n") + 1
    return found


def literals(source: Source) -> dict[str, str]:
    """The variables whose value is one literal, set once."""
    found: dict[str, str] = {}
    for line, _ in _logical_lines(source.text):
        match = None if line.startswith("\t") else _ASSIGN.match(line)
        if match is None:
            continue
        value = match[2].partition(" #")[0].strip()
        if match[1] in found or "$" in value or "+=" in line or "\n" in value:
            found[match[1]] = "$"
        else:
            found[match[1]] = value
    return {name: value for name, value in found.items() if value != "$"}


def extract(source: Source) -> list[Fragment]:
    """One fragment per recipe line (with its continuations), or per recipe under `.ONESHELL`."""
    return _Reader(source).run()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.text = source.text
        # What is there to be included runs where the including one stands.
        included = source.path.endswith(".mk")
        self.folder = None if included else source.path.rpartition("/")[0]
        self.out: list[Fragment] = []
        self.shell = ["/bin/sh", "-c"]
        self.oneshell = bool(re.search(r"^\.ONESHELL\s*:", self.text, re.MULTILINE))
        self.target = ""
        self.recipe: Builder | None = None
        self.prefix = "\t"

    def run(self) -> list[Fragment]:
        at = 0
        in_define = False
        for line, length in _logical_lines(self.text):
            if in_define:
                in_define = not re.match(r"\s*endef\b", line)
            elif re.match(r"\s*define\b", line):
                in_define = True
            elif line.startswith(self.prefix):
                if self.target:
                    self.command(line, at)
            else:
                self.directive(line)
            at += length
        self.finish()
        return self.out

    def directive(self, line: str) -> None:
        assign = _ASSIGN.match(line)
        if assign:
            self.setting(assign.group(1), assign.group(2))
        elif match := _RULE.match(line):
            self.finish()
            self.target = match.group(1).strip()
            if "SHELL" in line and (own := re.search(r":\s*SHELL\s*:?=\s*(\S.*)$", line)):
                self.setting("SHELL", own.group(1))

    def setting(self, name: str, value: str) -> None:
        value = value.split(" #")[0].strip()
        if name == "SHELL":
            self.shell[:1] = value.split() or ["/bin/sh"]
            if len(self.shell) == 1:
                self.shell.append("-c")
        elif name == ".SHELLFLAGS":
            self.shell[1:] = value.split()
        elif name == ".RECIPEPREFIX" and value:
            self.prefix = value[0]

    def context(self, ignored: bool) -> Context:
        words = [w.rsplit("/", 1)[-1] for w in self.shell]
        dialect = next((SHELLS[w] for w in words if w in SHELLS), "sh")
        errexit, pipefail, nounset = flags(self.shell[1:])
        return Context(
            host="make",
            dialect=dialect,
            errexit=errexit,
            pipefail=pipefail,
            nounset=nounset,
            gating=not ignored,
            label=self.target,
            cwd=self.folder,
        )

    def command(self, line: str, at: int) -> None:
        body = len(line) - len(line[len(self.prefix) :].lstrip(" \t"))
        signs = re.match(r"[@+-]*\s*", line[body:])
        skip = body + (signs.end() if signs else 0)
        ignored = "-" in line[body:skip]
        if self.oneshell:
            if self.recipe is None:
                self.recipe = Builder()
            _fill(self.recipe, line, skip, at)
            return
        if not line[skip:].strip() or line[skip:].lstrip().startswith("#"):
            return
        builder = Builder()
        _fill(builder, line, skip, at)
        self.out.append(builder.build(self.context(ignored)))

    def finish(self) -> None:
        if self.recipe is not None:
            self.out.append(self.recipe.build(self.context(False)))
            self.recipe = None


def _logical_lines(text: str) -> list[tuple[str, int]]:
    """Lines joined where a backslash ends them; each with its length including its end."""
    out: list[tuple[str, int]] = []
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        while end < len(text) and _continues(text, at, end):
            following = text.find("\n", end + 1)
            end = len(text) if following < 0 else following
        out.append((text[at:end], end - at + 1))
        at = end + 1
    return out


def _continues(text: str, start: int, end: int) -> bool:
    """An odd number of backslashes before the line's end."""
    line = text[start:end].rstrip("\r")
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _fill(builder: Builder, line: str, at: int, base: int) -> None:
    """Copy a recipe line from `at`, with make's `$` undone."""
    run = at
    while at < len(line):
        if line[at] == "\r":
            builder.copy(line[run:at], base + run)
            at += 1
            run = at
        elif line[at] == "\n" and line[at + 1 : at + 2] == "\t":
            builder.copy(line[run : at + 1], base + run)
            at += 2
            run = at
        elif line[at] == "$":
            builder.copy(line[run:at], base + run)
            at = _dollar(builder, line, at, base)
            run = at
        else:
            at += 1
    builder.copy(line[run:], base + run)
    builder.replace("\n", base + len(line))


def _dollar(builder: Builder, line: str, at: int, base: int) -> int:
    following = line[at + 1 : at + 2]
    if following == "$":
        builder.replace("$", base + at)
        return at + 2
    if following in ("(", "{"):
        end = _matching(line, at + 1)
        builder.hole(line[at:end], base + at, "make")
        return end
    end = min(at + 2, len(line))
    builder.hole(line[at:end], base + at, "make")
    return end


def _matching(line: str, at: int) -> int:
    opens, closes = line[at], ")" if line[at] == "(" else "}"
    depth = 0
    while at < len(line):
        if line[at] == opens:
            depth += 1
        elif line[at] == closes:
            depth -= 1
            if depth == 0:
                return at + 1
        at += 1
    return len(line)

"""Recipes of a Justfile: `set shell` honoured, shebang recipes whole, `{{ }}` as holes."""

from __future__ import annotations

import re
from typing import NamedTuple

from grind.rules.extract.shells import with_shell
from grind.rules.fragments import Builder, Context, Fragment
from grind.rules.source import Source

_RECIPE = re.compile(
    r"^@?([A-Za-z_][\w-]*)((?:\s+[*+$]*[\w-]+(?:\s*=\s*\S+)?|\s+[*+$]*[\w-]+=\S+)*)\s*:(?!=)"
)
_SHELL = re.compile(r"^set\s+shell\s*:=\s*\[(.*)\]\s*$")
_ASSIGN = re.compile(r"^(?:export\s+)?[A-Za-z_][\w-]*\s*:=\s*(.*)$")
_STRINGS = re.compile(r"""'([^']*)'|"((?:[^"\\]|\\.)*)\"""")
_ATTRIBUTE = re.compile(r"^\[(.+)\]\s*$")
_PARAMETER = re.compile(r"([*+]?)\$?([\w-]+)(?:\s*=\s*(\S+))?")
_DEPENDENCY = re.compile(r"\(\s*([\w-]+)[^)]*\)|(&&)|([A-Za-z_][\w-]*)")
_ALIAS = re.compile(r"^alias\s+([\w-]+)\s*:=\s*([\w-]+)\s*$")
_LITERAL = re.compile(r"""^(?:export\s+)?([A-Za-z_][\w-]*)\s*:=\s*(?:'([^']*)'|"([^"\\]*)")\s*$""")


class Header(NamedTuple):
    """The line that a recipe begins with."""

    name: str
    line: int
    parameters: tuple[tuple[str, str | None, bool], ...]
    """Name, default where it is a literal, and whether it takes all that is left."""
    needs: tuple[str, ...]
    after: tuple[str, ...]
    """What runs after it: dependencies behind `&&`."""
    body: bool
    """Whether it has a body."""


def headers(source: Source) -> list[Header]:
    """All recipes in the order of the file, and aliases as recipes that only need theirs."""
    lines = source.text.split("\n")
    found: list[Header] = []
    for at, line in enumerate(lines):
        alias = _ALIAS.match(line.rstrip())
        if alias:
            found.append(Header(alias[1], at + 1, (), (alias[2],), (), False))
            continue
        recipe = _RECIPE.match(line)
        if recipe is None or line.startswith("set "):
            continue
        following = next((ln for ln in lines[at + 1 :] if ln.strip()), "")
        needs, after = _dependencies(line[recipe.end() :])
        parameters = tuple(map(_parameter, _PARAMETER.finditer(recipe[2])))
        found.append(
            Header(recipe[1], at + 1, parameters, needs, after, following[:1] in (" ", "\t"))
        )
    return found


def literals(source: Source) -> dict[str, str]:
    """The variables whose value is one literal."""
    found = (_LITERAL.match(line.rstrip()) for line in source.text.split("\n"))
    return {match[1]: match[2] or match[3] or "" for match in found if match}


def _parameter(match: re.Match[str]) -> tuple[str, str | None, bool]:
    default = match[3]
    if default is not None:
        quoted = re.fullmatch(r"""'([^']*)'|"([^"\\]*)\"""", default)
        default = (quoted[1] or quoted[2] or "") if quoted else None
    rest = match[1] != ""
    return match[2], "" if match[1] == "*" and default is None else default, rest


def _dependencies(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    before: list[str] = []
    behind: list[str] = []
    into = before
    for match in _DEPENDENCY.finditer(text.partition("#")[0]):
        if match[2]:
            into = behind
        else:
            into.append(match[1] or match[3])
    return tuple(before), tuple(behind)


def extract(source: Source) -> list[Fragment]:
    """One fragment per recipe line, or per shebang recipe; also the backticks of assignments."""
    return _Reader(source).run()


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.lines = source.text.split("\n")
        self.starts = source.starts
        self.folder = source.path.rpartition("/")[0]
        self.out: list[Fragment] = []
        self.shell = self.find_shell()

    def find_shell(self) -> str:
        for line in self.lines:
            found = _SHELL.match(line.rstrip())
            if found:
                return " ".join(a or b for a, b in _STRINGS.findall(found.group(1)))
        return "sh -cu"

    def base(self, name: str, cwd: str | None) -> Context:
        return Context(host="recipe", gating=True, label=name, cwd=cwd)

    def run(self) -> list[Fragment]:
        at = 0
        attributes: list[str] = []
        while at < len(self.lines):
            line = self.lines[at].rstrip("\r")
            attribute = _ATTRIBUTE.match(line)
            recipe = _RECIPE.match(line)
            if attribute:
                attributes.append(attribute.group(1))
            elif recipe and not line.startswith("set "):
                stop = self.body_end(at + 1)
                self.recipe(recipe.group(1), at + 1, stop, " ".join(attributes))
                attributes = []
                at = stop
                continue
            elif line.strip() and not line.lstrip().startswith("#"):
                attributes = []
                self.assignment(line, at)
            at += 1
        return self.out

    def body_end(self, at: int) -> int:
        """The first line that is neither indented nor empty."""
        while at < len(self.lines) and (
            self.lines[at][:1] in (" ", "\t") or not self.lines[at].strip()
        ):
            at += 1
        return at

    def assignment(self, line: str, at: int) -> None:
        match = _ASSIGN.match(line)
        if not match:
            return
        for tick in re.finditer(r"`([^`]*)`", match.group(1)):
            context = with_shell(self.base("", self.folder), self.shell)
            if context is not None:
                builder = Builder()
                start = match.start(1) + tick.start(1)
                builder.copy(tick.group(1), self.starts[at] + start)
                self.out.append(builder.build(context._replace(gating=False)))

    def recipe(self, name: str, begin: int, end: int, attributes: str) -> None:
        while begin < end and not self.lines[begin].strip():
            begin += 1
        if begin >= end:
            return
        first = self.lines[begin].strip()
        cwd: str | None = self.folder
        if "no-cd" in attributes or "working-directory" in attributes:
            cwd = None
        context = self.base(name, cwd)
        script = re.search(r"\bscript(?:\(([^)]*)\))?", attributes)
        if first.startswith("#!") or script:
            command = first[2:] if first.startswith("#!") else ""
            if script and not command:
                said = " ".join(a or b for a, b in _STRINGS.findall(script.group(1) or ""))
                command = said or "sh -eu"
            chosen = with_shell(context, command)
            if chosen is not None:
                self.whole(begin, end, chosen)
            return
        chosen = with_shell(context, self.shell)
        if chosen is not None:
            self.by_line(begin, end, chosen)

    def whole(self, begin: int, end: int, context: Context) -> None:
        filled = [ln for ln in self.lines[begin:end] if ln.strip()]
        indent = min(len(ln) - len(ln.lstrip(" \t")) for ln in filled)
        builder = Builder()
        for at in range(begin, end):
            line = self.lines[at].rstrip("\r")
            if line.strip():
                _fill(builder, line, indent, self.starts[at])
            if at + 1 < len(self.lines):
                builder.copy("\n", self.starts[at] + len(self.lines[at]))
        self.out.append(builder.build(context))

    def by_line(self, begin: int, end: int, context: Context) -> None:
        at = begin
        while at < end:
            builder = Builder()
            line = self.lines[at].rstrip("\r")
            body = len(line) - len(line.lstrip(" \t"))
            signs = re.match(r"[@-]*\s*", line[body:])
            skip = body + (signs.end() if signs else 0)
            ignored = "-" in line[body:skip]
            comment = line[skip:].startswith("#")
            _fill(builder, line, skip, self.starts[at])
            while line.endswith("\\") and at + 1 < end and not comment:
                builder.copy("\n", self.starts[at] + len(line))
                at += 1
                line = self.lines[at].rstrip("\r")
                _fill(builder, line, len(line) - len(line.lstrip(" \t")), self.starts[at])
            builder.replace("\n", self.starts[at] + len(line))
            at += 1
            fragment = builder.build(context._replace(gating=not ignored))
            if fragment.text.strip() and not comment:
                self.out.append(fragment)


def _fill(builder: Builder, line: str, at: int, base: int) -> None:
    """Copy a line from `at`; `{{ … }}` becomes a hole, `{{{{` a literal `{{`."""
    while at < len(line):
        brace = line.find("{{", at)
        if brace < 0:
            builder.copy(line[at:], base + at)
            return
        builder.copy(line[at:brace], base + at)
        if line.startswith("{{{{", brace):
            builder.replace("{{", base + brace)
            at = brace + 4
            continue
        close = line.find("}}", brace)
        close = len(line) if close < 0 else close + 2
        builder.hole(line[brace:close], base + brace, "just")
        at = close

"""Shell in Nix strings: phases, hooks, systemd units, `writeShellScript*`, `runCommand`.

A small lexer, not a parser: it knows comments, both kinds of strings and interpolation, and looks
at the few words before a string to say whether it is shell.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from grind.rules.fragments import Builder, Context, Fragment
from grind.rules.source import Source

_KEY = re.compile(
    r"([\w'.-]+|\"[^\"]*\")\s*=\s*(?:\(?(?:lib\.)?mk(?:Force|Default|Before|After)\s+)?$"
)
_WRITER = re.compile(r"\b(writeShellScript(?:Bin)?)\s+(?:\"[^\"]*\"|[\w.]+|\([^()]*\))\s*$")
_RUN = re.compile(r"\brunCommand\w*\s+(?:\"[^\"]*\"|[\w.-]+)\s+(?:\{[^{}]*\}|\w+|\([^()]*\))\s*$")
_EXEC_LIST = re.compile(r"\bExec\w+\s*=\s*\[[^\]]*$")
_PHASE = re.compile(
    r"^(\w*Phase|buildCommand|(pre|post)(Unpack|Patch|Configure|Build|Check|Install|InstallCheck|Fixup|Dist"
    r"|Fetch|ShellHook|Hook|VM|Bootstrap|Rebuild))$"
)
_UNIT_SCRIPT = frozenset(("script", "preStart", "postStart", "preStop", "postStop", "reload"))
_UNIT = re.compile(r"systemd|serviceConfig|wantedBy|launchd|ExecStart")
_ACTIVATION = re.compile(r"(^|\.)activationScripts\.[\w-]+(\.text)?$")
_COMMENT = re.compile(r"#[^\n]*|/\*.*?\*/", re.DOTALL)
_BASE = Context(host="nix", errexit=True)


class _String(NamedTuple):
    """A string literal: where its inside starts and ends, and whether it is an indented one."""

    start: int
    end: int
    indented: bool


def extract(source: Source) -> list[Fragment]:
    """One fragment per string that is shell."""
    out: list[Fragment] = []
    text = source.text
    for string in _strings(text):
        if string.end - string.start < 2:
            continue
        quote = string.start - (2 if string.indented else 1)
        context = _context(text, quote)
        if context is not None:
            fragment = _decode(text, string, context)
            if fragment.text.strip():
                out.append(fragment)
    return out


def code_only(text: str) -> str:
    """The text with strings and comments blanked out, every byte at its place."""
    out: list[str] = []
    at = 0
    for string in _strings(text):
        out.append(_COMMENT.sub(_blank, text[at : string.start]))
        out.append(" " * (string.end - string.start))
        at = string.end
    out.append(_COMMENT.sub(_blank, text[at:]))
    return "".join(out)


def _blank(match: re.Match[str]) -> str:
    return " " * len(match.group())


def _strings(text: str) -> list[_String]:
    """The outermost string literals; those inside interpolations belong to them."""
    out: list[_String] = []
    at = 0
    token = re.compile(r"#|/\*|''|\"|[\w.-]+''?")
    while found := token.search(text, at):
        sign = found.group()
        if sign == "#":
            at = text.find("\n", found.end())
        elif sign == "/*":
            at = text.find("*/", found.end())
        elif sign == '"':
            end = _string_end(text, found.end(), '"')
            out.append(_String(found.end(), end, False))
            at = end + 1
        elif sign == "''":
            end = _string_end(text, found.end(), "''")
            out.append(_String(found.end(), end, True))
            at = end + 2
        else:  # a name that ends in primes: x' or x''
            at = found.end()
        if at <= 0 or at >= len(text):
            break
    return out


def _string_end(text: str, at: int, quote: str) -> int:
    """Where the string whose inside starts at `at` ends."""
    while at < len(text):
        if text.startswith("${", at) and text[at - 1 : at] != "$":
            at = _interpolation_end(text, at + 2)
        elif quote == '"':
            if text[at] == "\\":
                at += 2
            elif text[at] == '"':
                return at
            else:
                at += 1
        elif text.startswith("''", at):
            if text.startswith("''\\", at):
                at += 4
            elif text[at + 2 : at + 3] in ("$", "'"):
                at += 3
            else:
                return at
        else:
            at += 1
    return len(text)


def _interpolation_end(text: str, at: int) -> int:
    depth = 1
    while at < len(text):
        if text[at] == "{":
            depth += 1
        elif text[at] == "}":
            depth -= 1
            if depth == 0:
                return at + 1
        elif text[at] == '"':
            at = _string_end(text, at + 1, '"')
        elif text.startswith("''", at):
            at = _string_end(text, at + 2, "''") + 1
        at += 1
    return len(text)


def _context(text: str, quote: int) -> Context | None:
    """What the words before a string say of it."""
    before = text[max(0, quote - 300) : quote]
    writer = _WRITER.search(before)
    if writer:
        return _BASE._replace(errexit=False, label=writer.group(1))
    if _RUN.search(before):
        return _BASE._replace(pipefail=True, python="nix", label="runCommand")
    if _EXEC_LIST.search(before):
        return _BASE._replace(errexit=False, label="Exec")
    key = _KEY.search(before)
    if not key:
        return None
    return _for_key(text, quote, key.group(1))


def _for_key(text: str, quote: int, dotted: str) -> Context | None:
    name = dotted.rsplit(".", 1)[-1]
    near = text[max(0, quote - 1500) : quote + 1500]
    if name == "shellHook":
        return _BASE._replace(errexit=False, python="nix", label=name)
    if re.match(r"Exec(Start|Stop|Reload|Condition)(Pre|Post)?$", name):
        return _BASE._replace(errexit=False, label=name)
    if name == "text" and _inside_application(text, quote):
        supplied = "nix" if re.search(r"runtimeInputs\s*=[^;]*python", near) else ""
        return _BASE._replace(pipefail=True, nounset=True, python=supplied, label="text")
    if _ACTIVATION.search(dotted):
        return _BASE._replace(errexit=False, label=name)
    if name in _UNIT_SCRIPT and _UNIT.search(near):
        supplied = "nix" if re.search(r"\bpath\s*=[^;]*python", near) else ""
        return _BASE._replace(python=supplied, label=name)
    if _PHASE.match(name):
        return _BASE._replace(pipefail=True, python="nix", label=name)
    return None


def _inside_application(text: str, at: int) -> bool:
    """Whether the attribute set around an offset is an argument of writeShellApplication."""
    depth = 0
    for index in range(at - 1, max(0, at - 2000), -1):
        if text[index] == "}":
            depth += 1
        elif text[index] == "{":
            if depth == 0:
                return bool(re.search(r"writeShellApplication\s*$", text[:index]))
            depth -= 1
    return False


def _decode(text: str, string: _String, context: Context) -> Fragment:
    builder = Builder()
    at = string.start
    if context.label.startswith("Exec"):
        while at < string.end and text[at] in "@-:+!":
            at += 1
    indent = _indent(text, string) if string.indented else 0
    if string.indented:
        blank = re.compile(r"[ \t]*\r?\n").match(text, at, string.end)
        at = _skip_indent(text, blank.end(), string.end, indent) if blank else at
    run = at
    while at < string.end:
        step = _special(text, at, string)
        if step is not None:
            value, length, hole = step
            builder.copy(text[run:at], run)
            if hole:
                builder.hole(text[at : at + length], at, "nix")
            else:
                builder.replace(value, at)
            at += length
            run = at
        elif text[at] == "\n" and string.indented:
            builder.copy(text[run : at + 1].replace("\r", " "), run)
            at = _skip_indent(text, at + 1, string.end, indent)
            run = at
        else:
            at += 1
    builder.copy(text[run : string.end], run)
    return builder.build(context)


def _special(text: str, at: int, string: _String) -> tuple[str, int, bool] | None:
    """An escape (its value, its length, False) or an interpolation ("", its length, True)."""
    if text.startswith("${", at) and text[at - 1 : at] != "$":
        return "", min(_interpolation_end(text, at + 2), string.end) - at, True
    if string.indented:
        if text.startswith("''$", at):
            return "$", 3, False
        if text.startswith("'''", at):
            return "''", 3, False
        if text.startswith("''\\", at):
            return {"n": "\n", "t": "\t", "r": "\r"}.get(text[at + 3], text[at + 3]), 4, False
    elif text[at] == "\\" and at + 1 < string.end:
        return {"n": "\n", "t": "\t", "r": "\r"}.get(text[at + 1], text[at + 1]), 2, False
    return None


def _indent(text: str, string: _String) -> int:
    lines = text[string.start : string.end].split("\n")
    widths = [len(ln) - len(ln.lstrip(" ")) for ln in lines[1:-1] if ln.strip()]
    last = lines[-1]
    if len(lines) > 1 and last.strip():
        widths.append(len(last) - len(last.lstrip(" ")))
    return min(widths, default=0)


def _skip_indent(text: str, at: int, end: int, indent: int) -> int:
    stop = at
    while stop < end and stop - at < indent and text[stop] == " ":
        stop += 1
    return stop

"""Fences marked as shell in Markdown. Information only: nothing here runs them."""

from __future__ import annotations

import re

from grind.rules.fragments import Builder, Context, Fragment
from grind.rules.source import Source

_OPEN = re.compile(r"^( {0,3})(`{3,}|~{3,})[ \t]*\{?\.?([\w+-]*)[^\n`]*$")
_SHELL = frozenset(("sh", "bash", "shell", "zsh"))
_SESSION = frozenset(("console", "shell-session", "sh-session", "terminal"))
_CONTEXT = Context(host="markdown", info=True, dialect="bash")


def extract(source: Source) -> list[Fragment]:
    """One fragment per fence; of a session only what follows the prompt."""
    out: list[Fragment] = []
    builder: Builder | None = None
    fence, language = "", ""
    at = 0
    for line in source.text.split("\n"):
        bare = line.strip(" \t\r")
        if fence:
            if bare.startswith(fence) and not bare.strip(fence[0]):
                if builder is not None and builder.length:
                    out.append(builder.build(_CONTEXT))
                fence, builder = "", None
            elif builder is not None:
                _take(builder, line.rstrip("\r"), at, language in _SESSION)
        elif match := _OPEN.match(line.rstrip("\r")):
            fence, language = match.group(2), match.group(3).lower()
            builder = Builder() if language in _SHELL | _SESSION else None
        at += len(line) + 1
    return out


def _take(builder: Builder, line: str, at: int, session: bool) -> None:
    if session:
        prompt = re.match(r"\s*(\[[^\]]*\])?[$>#%] ", line)
        if not prompt:
            return
        builder.copy(line[prompt.end() :], at + prompt.end())
    else:
        prompt = re.match(r"\s*\$ ", line)
        skip = prompt.end() if prompt else 0
        builder.copy(line[skip:], at + skip)
    builder.copy("\n", at + len(line))

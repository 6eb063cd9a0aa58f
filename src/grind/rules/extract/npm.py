"""`scripts` of a package.json, with the place of every character."""

from __future__ import annotations

import re

from grind.rules.extract.problems import ExtractError
from grind.rules.fragments import Builder, Context, Fragment
from grind.rules.source import Source

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\]:,]|[^\s"{}\[\]:,]+')
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)|[^\\]+", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


def extract(source: Source) -> list[Fragment]:
    """One fragment per script. Raises ExtractError where the text is no JSON object."""
    out: list[Fragment] = []
    path: list[str] = []
    key = ""
    tokens = list(_TOKEN.finditer(source.text))
    if not tokens:
        return []
    if tokens[0].group() != "{":
        raise ExtractError("package.json is not a JSON object", 0)
    for index, token in enumerate(tokens):
        text = token.group()
        if text in "{[":
            path.append(key if text == "{" else "[]")
            key = ""
        elif text in "}]":
            if not path:
                raise ExtractError("package.json closes more than it opens", token.start())
            path.pop()
        elif text.startswith('"'):
            follows = tokens[index + 1].group() if index + 1 < len(tokens) else ""
            if follows == ":":
                key = text[1:-1]
            elif path[1:] == ["scripts"] and not key.startswith("//"):
                out.append(_script(text[1:-1], token.start() + 1, key))
    return out


def _script(raw: str, at: int, name: str) -> Fragment:
    builder = Builder()
    for match in _ESCAPE.finditer(raw):
        escape = match.group(1)
        if escape is None:
            builder.copy(match.group(), at + match.start())
        elif escape[0] == "u" and len(escape) == 5:
            char = chr(int(escape[1:], 16)).encode("utf-8", "replace").decode("latin-1")
            builder.replace(char, at + match.start())
        else:
            builder.replace(_SIMPLE.get(escape, escape), at + match.start())
    return builder.build(Context(host="npm", dialect="sh", label=name, gating=True))

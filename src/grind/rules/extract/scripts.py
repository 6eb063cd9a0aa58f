"""Shell files: by extension, by shebang, git hooks."""

from __future__ import annotations

import re

from grind.rules.extract.shells import with_shell
from grind.rules.fragments import Builder, Context, Fragment, whole
from grind.rules.source import Source

_HOOK = re.compile(r"(^|/)(\.githooks|\.husky|git-hooks|hooks)/[\w-]+$")
_OTHER = re.compile(r"#!.*\b(python|perl|ruby|node|zsh|fish|awk|tclsh|expect|nu|pwsh|php|lua)")
_NIX_SHELL = re.compile(r"^#!\s*nix-shell\b(.*)$", re.MULTILINE)


def extract(source: Source) -> list[Fragment]:
    """The whole file as one fragment, or nothing when its first line names another language."""
    text = source.text
    first = text.split("\n", 1)[0].rstrip("\r")
    hook = bool(_HOOK.search(source.path))
    context = Context(host="hook" if hook else "script", gating=hook)
    if first.startswith("#!"):
        chosen = _from_shebang(context, first, text)
        if chosen is None:
            return []
        context = chosen
    elif not source.path.endswith((".sh", ".bash", ".ksh", ".envrc")) and not hook:
        return []
    if "\r" in text:
        return [_without_returns(text, context)]
    return [whole(text, 0, context)]


def _from_shebang(context: Context, first: str, text: str) -> Context | None:
    if "nix-shell" in first:
        found = " ".join(m.group(1) for m in _NIX_SHELL.finditer(text[:2000]))
        runs = re.search(r"-i\s+(\S+)", found)
        base = with_shell(context, runs.group(1) if runs else "bash")
        return base._replace(python="nix") if base and "python" in found else base
    if _OTHER.match(first) and not re.search(r"\b(ba|da|k)?sh\b", first):
        return None
    return with_shell(context, first[2:])


def _without_returns(text: str, context: Context) -> Fragment:
    """The same text with plain line ends, every byte still knowing its place."""
    builder = Builder()
    at = 0
    for line in text.split("\n"):
        end = at + len(line)
        builder.copy(line[:-1] if line.endswith("\r") else line, at)
        if end < len(text):
            builder.copy("\n", end)
        at = end + 1
    return builder.build(context)

"""Which words of a command name a file of the repository."""

from __future__ import annotations

import posixpath
import re

from grind.rules.shell.model import Word
from grind.rules.shell.programs import Call

_INTERPRETERS = frozenset(
    (
        "bash sh zsh dash ksh python python3 node deno bun ruby perl nu pwsh source . php lua"
        " Rscript"
    ).split()
)
_EXTENSION = re.compile(r"\.(sh|bash|py|js|mjs|cjs|ts|pl|rb|nu|ps1|bats|fish|zsh|lua|php)$")
_PLAIN = re.compile(r"[\w.@+-]+(/[\w.@+-]+)*/?$")


def named_path(call: Call) -> Word | None:
    """The word that names the script which this call runs; None where it names none."""
    if _relative(call.head) and "/" in (call.head.literal or ""):
        return call.head
    if call.name not in _INTERPRETERS:
        return None
    for word in call.arguments:
        text = word.text
        if text.startswith(("-", "+")):
            if text[1:2] != "-" and re.search(r"[cemr]$", text) and call.name not in ("bash", "sh"):
                return None
            if call.name in ("bash", "sh") and ("c" in text or text.endswith("s")):
                return None
            if text in ("-o", "+o", "-O"):
                return None
            continue
        if call.name in ("node", "deno", "bun") and not _EXTENSION.search(text):
            return None
        return word if _relative(word) and ("/" in text or _EXTENSION.search(text)) else None
    return None


def _relative(word: Word) -> bool:
    literal = word.literal
    if not literal or literal.startswith(("/", "~", "-")):
        return False
    return bool(_PLAIN.match(literal.removeprefix("./"))) or literal.startswith("../")


def has_extension(path: str) -> bool:
    """Whether a path ends like a script."""
    return bool(_EXTENSION.search(path))


def join(folder: str, path: str) -> str:
    """A normalised path relative to the root; "" is the root, `../x` leaves it."""
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined

"""Path patterns: GitHub's filter globs, and .gitignore."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache


@lru_cache(maxsize=2048)
def github(pattern: str) -> re.Pattern[str]:
    """A filter pattern of `on.<event>.paths` as a regular expression for whole paths.

    Source: GitHub's "Workflow syntax", filter pattern cheat sheet: `*` stays within a folder, `**`
    does not, `?` and `+` repeat the sign before them, `[]` is a class.
    """
    out: list[str] = []
    at = 0
    while at < len(pattern):
        sign = pattern[at]
        if pattern.startswith("**/", at):
            out.append("(?:.*/)?")
            at += 3
            continue
        if pattern.startswith("**", at):
            out.append(".*")
            at += 2
            continue
        if sign == "*":
            out.append("[^/]*")
        elif sign in "?+":
            out.append(sign if out else re.escape(sign))
        elif sign == "[" and "]" in pattern[at:]:
            close = pattern.index("]", at)
            out.append("[" + pattern[at + 1 : close].replace("\\", "\\\\") + "]")
            at = close
        elif sign == "\\" and at + 1 < len(pattern):
            at += 1
            out.append(re.escape(pattern[at]))
        else:
            out.append(re.escape(sign))
        at += 1
    try:
        return re.compile("".join(out) + r"\Z", re.DOTALL)
    except re.error:
        return re.compile(re.escape(pattern) + r"\Z")


def literal_prefix(pattern: str) -> str:
    """The folder before the first sign that is not literal."""
    stop = re.search(r"[*?+\[]", pattern)
    if not stop:
        return pattern.rpartition("/")[0]
    return pattern[: stop.start()].rpartition("/")[0]


def ignored(path: str, rules: Iterable[tuple[str, str]]) -> bool:
    """Whether .gitignore lines `(folder of the file, line)` ignore a path. The last match wins."""
    verdict = False
    for folder, line in rules:
        negated = line.startswith("!")
        if _matches(path, folder, line[1:] if negated else line):
            verdict = not negated
    return verdict


def _matches(path: str, folder: str, line: str) -> bool:
    prefix = folder + "/" if folder else ""
    if not path.startswith(prefix):
        return False
    inner = path[len(prefix) :]
    anchored = "/" in line.rstrip("/")
    only_folder = line.endswith("/")
    regex = _ignore(line.strip("/"))
    parts = inner.split("/")
    for stop in range(1, len(parts) + 1):
        if only_folder and stop == len(parts):
            break
        candidate = "/".join(parts[:stop]) if anchored else parts[stop - 1]
        if regex.match(candidate):
            return True
    return False


@lru_cache(maxsize=4096)
def _ignore(line: str) -> re.Pattern[str]:
    text = re.escape(line).replace(r"\*\*/", "(?:.*/)?").replace(r"/\*\*", "/.*")
    text = text.replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
    return re.compile(text + r"\Z")

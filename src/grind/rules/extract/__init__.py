"""Shell wherever it lives: which files may hold some, and one reader per kind of file."""

from __future__ import annotations

import re

from grind.core.tree import Entry
from grind.rules.extract import justfile, makefile, markdown, nix, npm, scripts, workflow
from grind.rules.fragments import Fragment
from grind.rules.source import Source

SCRIPT, WORKFLOW, ACTION, JUST, MAKE, NPM, NIX, MARKDOWN = (
    "script",
    "workflow",
    "action",
    "just",
    "make",
    "npm",
    "nix",
    "markdown",
)
_BY_NAME = (
    (WORKFLOW, re.compile(r"(^|/)\.(github|gitea|forgejo)/workflows/[^/]+\.ya?ml$")),
    (ACTION, re.compile(r"(^|/)action\.ya?ml$")),
    (JUST, re.compile(r"(^|/)(\.?justfile|[^/]+\.just)$", re.IGNORECASE)),
    (MAKE, re.compile(r"(^|/)(GNUmakefile|[Mm]akefile|[^/]+\.mk)$")),
    (NPM, re.compile(r"(^|/)package\.json$")),
    (NIX, re.compile(r"\.nix$")),
    (MARKDOWN, re.compile(r"\.(md|markdown)$", re.IGNORECASE)),
    (SCRIPT, re.compile(r"\.(sh|bash|ksh|envrc)$|(^|/)\.envrc$")),
    (SCRIPT, re.compile(r"(^|/)(\.githooks|\.husky|git-hooks)/[\w-]+$")),
)
_HAS_EXTENSION = re.compile(r"\.[A-Za-z0-9]{1,5}$")


def kind_of(entry: Entry) -> str:
    """What may hold shell in this file: a kind, `?` when its first line must say, or nothing."""
    path = entry.path
    if not entry.regular:
        return ""
    for kind, pattern in _BY_NAME:
        if pattern.search(path):
            return kind
    name = path.rsplit("/", 1)[-1]
    return "?" if entry.executable and not _HAS_EXTENSION.search(name) else ""


def extract(kind: str, source: Source) -> list[Fragment]:
    """All shell of a file. Raises ExtractError where the file is not what its name says."""
    if kind in (SCRIPT, "?"):
        return scripts.extract(source)
    if kind in (WORKFLOW, ACTION):
        return workflow.extract(source)
    if kind == JUST:
        return justfile.extract(source)
    if kind == MAKE:
        return makefile.extract(source)
    if kind == NPM:
        return npm.extract(source)
    if kind == NIX:
        return nix.extract(source)
    return markdown.extract(source)

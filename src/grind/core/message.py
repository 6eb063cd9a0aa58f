"""Commit messages: what makes one acceptable."""

from __future__ import annotations

import re

_CONVENTIONAL = re.compile(
    r"^(?:build|chore|ci|docs|feat|fix|perf|refactor|revert|style|test)(?:\([^()\n]+\))?!?: \S"
)


def problems_of(message: str, *, conventional: bool) -> tuple[str, ...]:
    """Return what is wrong with a commit message; empty when nothing is.

    Source of the form: https://www.conventionalcommits.org/en/v1.0.0/
    """
    text = message.strip("\n")
    first, _, rest = text.partition("\n")
    found: list[str] = []
    if not first.strip():
        found.append("the message is empty")
    if "\0" in message:
        found.append("the message holds a NUL byte")
    if rest and rest.partition("\n")[0].strip():
        found.append("the second line of the message must be empty")
    if conventional and first.strip() and not _CONVENTIONAL.match(first):
        found.append(
            "the message is no Conventional Commit, such as `fix(parser): keep the last line`"
        )
    return tuple(found)

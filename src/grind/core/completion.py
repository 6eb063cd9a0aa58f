"""What could stand where the cursor is on a command line of grind. Pure; imports nothing.

The table of commands is data that `make docs` makes from the commands' own parsers
(`grind.ui.command_table`), so that completing costs little more than starting Python.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    Table = Mapping[str, Any]
    Lookup = Callable[[str], Iterable[tuple[str, str]]]
    """kind → (word, what it is): what only the repository at hand knows."""

Candidate = tuple[str, str]
"""A word, and what it means."""

FILES = "files"
"""The kind that the shell completes by itself."""


def complete(table: Table, words: Sequence[str], lookup: Lookup) -> list[Candidate]:
    """Return what the last of `words` could become; `words` begins after `grind`.

    A table has `commands` (name → help), and for each name under `of` its `options` (flag → (help,
    kind of its value or "" for none)), its `places` (kinds of its positional arguments, the last of
    which repeats when it ends with `*`), and perhaps `of` and `commands` of its own.
    """
    *before, last = words or [""]
    level, rest = _descend(table, before)
    if level is None:
        return []
    if "--" in rest:
        return _matching(_places(level, rest, lookup), last)
    flag, given, value = last.partition("=")
    if given and flag.startswith("--"):
        kind = _kind(level, flag)
        return [(f"{flag}={word}", told) for word, told in _matching(_of(kind, lookup), value)]
    if rest and (kind := _kind(level, rest[-1])):
        return _matching(_of(kind, lookup), last)
    found: list[Candidate] = []
    if last.startswith("-"):
        found += [(name, told) for name, (told, _) in level.get("options", {}).items()]
    else:
        found += list(level.get("commands", {}).items())
        found += _places(level, rest, lookup)
    return _matching(found, last)


def _descend(table: Table, before: Sequence[str]) -> tuple[Table | None, list[str]]:
    """Walk down the commands that are already there; None for a command that does not exist."""
    level = table
    rest: list[str] = []
    for word in before:
        known = level.get("of", {})
        if not rest and word in known:
            level = known[word]
        elif level is table and not word.startswith("-"):
            return None, []
        else:
            rest.append(word)
    return level, rest


def _kind(level: Table, flag: str) -> str:
    told = level.get("options", {}).get(flag)
    return told[1] if told else ""


def _places(level: Table, rest: Sequence[str], lookup: Lookup) -> list[Candidate]:
    places = level.get("places", ())
    count = 0
    takes = False
    for word in rest:
        if takes:
            takes = False
        elif word.startswith("-") and word != "--":
            takes = bool(_kind(level, word))
        elif word != "--":
            count += 1
    if not places:
        return []
    kind = places[min(count, len(places) - 1)]
    if count >= len(places) and not kind.endswith("*"):
        return []
    return list(_of(kind.rstrip("*"), lookup))


def _of(kind: str, lookup: Lookup) -> Iterable[Candidate]:
    if kind.startswith("="):  # the words themselves
        return [(word, "") for word in kind[1:].split("|")]
    return lookup(kind)


def _matching(found: Iterable[Candidate], start: str) -> list[Candidate]:
    return [one for one in dict.fromkeys(found) if one[0].startswith(start)]

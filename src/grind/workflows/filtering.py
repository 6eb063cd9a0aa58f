"""What the actions that say what has changed have in common: the ends they compare, and answering."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Final

from grind.core.plan import Recipe, StepClass, Verdict
from grind.core.repository import ChangedFile
from grind.workflows.changes import Changes
from grind.workflows.facts import Facts, Judgement
from grind.workflows.syntax import Map
from grind.workflows.yaml12 import parse_yaml

_EVENTS: Final = ("push", "pull_request", "pull_request_target", "merge_group")


class NotDone(Exception):  # noqa: N818 - an answer, not an error
    """Why the action is not evaluated here."""


def evaluated(outputs: Mapping[str, str], told: str, changes: Changes) -> Judgement:
    """Return the verdict on an action that was evaluated: it has run, and here are its outputs."""
    return Judgement(
        Verdict.EXECUTED,
        StepClass.CHECK,
        f"evaluated here, {told}",
        recipe=Recipe(kind="nothing", outputs=dict(outputs)),
        # A push is compared by git; of a pull request the forge may be asked.
        after_checkout=changes.event == "push",
    )


def named(names: Iterable[str]) -> str:
    """Say which filters matched."""
    told = ", ".join(names)
    return f"{told} matched" if told else "no filter matched"


def changes_of(facts: Facts) -> Changes:
    """Return what has changed. Raises NotDone where that is not known."""
    changes = facts.changes()
    if changes is None:
        raise NotDone("what has changed is not known here")
    if changes.event not in _EVENTS:
        raise NotDone(f"what has changed is not known for the event `{changes.event}`")
    return changes


def check_ends(base: str, head: str, changes: Changes) -> None:
    """Raise NotDone unless `base` and `head` name what is compared here; empty is the default."""
    base, head = base.strip(), head.strip()
    if "${{" in base + head:
        raise NotDone("what it compares with is not known before the run")
    if base and base not in changes.bases:
        raise NotDone(f"it compares with {base}, and not with where the branch was")
    if head and head not in changes.heads:
        raise NotDone(f"it looks at {head}, which is not what is checked out")


def document(text: str) -> Map:
    """Read filters that are written in YAML. Raises NotDone."""
    parsed = parse_yaml("filters", text.encode())
    if parsed.problems or not isinstance(parsed.data, Map):
        raise NotDone(
            f"its filters are not understood: {next(iter(parsed.problems), 'no mapping')}"
        )
    return parsed.data


def apart(file: ChangedFile) -> tuple[ChangedFile, ...]:
    """Return a rename as a file that is gone and a new one."""
    if file.status != "R":
        return (file,)
    return ChangedFile("D", file.old), ChangedFile("A", file.path)


def as_json(value: object) -> str:
    """Return what JavaScript's `JSON.stringify` makes of it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

"""What `on:` must satisfy beyond the shape of its keys: filters, schedules, inputs."""

from __future__ import annotations

import re
from typing import Final

from grind.workflows.conform import Problems, quote
from grind.workflows.filters import Pattern, PatternError
from grind.workflows.literals import is_dynamic, string_of
from grind.workflows.syntax import Data, Map, Mark, Scalar, Seq, Trigger, Workflow

_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_CRON: Final[tuple[tuple[str, int, int, tuple[str, ...]], ...]] = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 6, _DAYS),
)
_CRON_PART: Final = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)


def check_on(workflow: Workflow, problems: Problems) -> None:
    """Check the events of a workflow."""
    for trigger in workflow.on:
        _check_filters(trigger, problems)
        for cron in trigger.cron or ():
            if fault := cron_fault(string_of(cron)):
                problems.add(cron.mark, fault, "minute hour day month weekday")
        if trigger.inputs is not None:
            for name, definition in trigger.inputs.entries:
                _check_input(trigger, name, definition, problems)


def cron_fault(text: str) -> str:
    """Say what is wrong with a schedule's five fields, or return ''."""
    parts = text.split()
    if len(parts) != len(_CRON):
        return f"{quote(text)} is no schedule: it has {len(parts)} fields, not {len(_CRON)}"
    for part, (name, low, high, words) in zip(parts, _CRON, strict=True):
        for piece in part.split(","):
            if not _cron_piece(piece, low, high, words):
                return f"{quote(part)} is not a {name} of a schedule ({low}-{high})"
    return ""


def _cron_piece(piece: str, low: int, high: int, words: tuple[str, ...]) -> bool:
    match = _CRON_PART.fullmatch(piece)
    if match is None:
        return False
    numbers: list[int] = []
    for text in (match[1], match[2]):
        if text is None:
            continue
        if text.lower() in words:
            numbers.append(words.index(text.lower()) + low)
        elif text.isdigit() and len(text) <= 2:
            numbers.append(int(text))
        else:
            return False
    if match[3] is not None and (len(match[3]) > 2 or not 0 < int(match[3]) <= high):
        return False
    return numbers == sorted(numbers) and all(low <= number <= high for number in numbers)


def _check_filters(trigger: Trigger, problems: Problems) -> None:
    pairs = (
        ("branches", trigger.branches, trigger.branches_ignore),
        ("tags", trigger.tags, trigger.tags_ignore),
        ("paths", trigger.paths, trigger.paths_ignore),
    )
    for name, wanted, ignored in pairs:
        if wanted and ignored:
            message = f"'{name}' and '{name}-ignore' exclude each other for one event"
            problems.add(ignored[0].mark, message, f"'{name}' with patterns that begin with !")
        for scalar in dict.fromkeys((*(wanted or ()), *(ignored or ()))):
            text = string_of(scalar)
            try:
                Pattern(text)
            except PatternError as error:
                problems.add(_inside(scalar, error.index), f"{quote(text)}: {error.message}")


def _inside(scalar: Scalar, index: int) -> Mark:
    """Return the place of a character of a plain scalar; quoted ones may have escapes."""
    plain = scalar.text == scalar.value and scalar.block is None
    return scalar.mark._replace(column=scalar.mark.column + index) if plain else scalar.mark


def _check_input(trigger: Trigger, name: Scalar, definition: Data, problems: Problems) -> None:
    if not isinstance(definition, Map):
        return
    given, default = definition.get("type"), definition.get("default")
    kind = string_of(given) if isinstance(given, Scalar) else "string"
    if trigger.event == "workflow_dispatch":
        options = definition.get("options")
        if kind == "choice" and not (isinstance(options, Seq) and options.items):
            problems.add(name.mark, f"the choice {quote(name.text)} has no options", "options")
        elif kind != "choice" and options is not None:
            message = f"{quote(name.text)} has options, but is no choice"
            problems.add(options.mark, message, "type: choice")
        return
    if not isinstance(default, Scalar) or is_dynamic(default):
        return
    value = default.value
    right = {
        "boolean": isinstance(value, bool),
        "number": isinstance(value, int | float) and not isinstance(value, bool),
    }
    if not right.get(kind, True):
        message = f"{quote(default.text)} is no default for an input of type {kind}"
        problems.add(default.mark, message, f"a {kind}")

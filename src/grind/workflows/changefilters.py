"""`dorny/paths-filter`: which of its filters match what a push has changed.

Whole builds hang on its outputs, so it is evaluated, by what its own source does (4.0) with a push or
a pull request to the main branch. An input that changes its answer and is not carried out here
refuses the step, and so does a pattern that is not understood. Where nothing differs every filter
matches, and lists of files are not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from grind.core.plan import StepClass
from grind.core.repository import ChangedFile
from grind.workflows.changes import Changes
from grind.workflows.facts import Facts, Judgement, refused, settle
from grind.workflows.filtering import (
    NotDone,
    apart,
    as_json,
    changes_of,
    check_ends,
    document,
    evaluated,
    named,
)
from grind.workflows.pathglobs import Glob, read_glob
from grind.workflows.syntax import Data, Map, Scalar, Seq

Inputs = Mapping[str, str]

_STATUS: Final = {
    "added": "A",
    "copied": "C",
    "deleted": "D",
    "modified": "M",
    "renamed": "R",
    "unmerged": "U",
}
_PLAIN: Final = re.compile(r"[A-Za-z0-9._/-]+")
"""Names that no format of a list quotes."""
_LISTS: Final = ("none", "csv", "json", "shell", "escape")


def paths_filter(uses: str, inputs: Inputs, facts: Facts) -> Judgement:
    """dorny/paths-filter: an output `true` or `false` for each filter, and `changes`."""
    try:
        changes = changes_of(facts)
        check_ends(inputs.get("base", ""), inputs.get("ref", ""), changes)
        if inputs.get("working-directory", "").strip() not in ("", "."):
            raise NotDone("its `working-directory` is not carried out here")
        quantifier = inputs.get("predicate-quantifier", "").strip() or "some"
        form = inputs.get("list-files", "").strip().lower() or "none"
        if quantifier not in ("some", "every") or form not in _LISTS:
            raise NotDone(f"`{quantifier}` with `{form}` is not known to grind")
        filters = _filters(_text(inputs.get("filters", ""), facts))
        outputs, matched = _answers(filters, changes, every=quantifier == "every", form=form)
    except NotDone as why:
        return refused(str(why), settle(uses), StepClass.CHECK)
    return evaluated(outputs, f"{changes.told}: {named(matched)}", changes)


class _Rule(NamedTuple):
    statuses: frozenset[str] | None
    globs: tuple[Glob, ...]

    def matches(self, file: ChangedFile) -> bool:
        right = self.statuses is None or file.status in self.statuses
        return right and any(glob.matches(file.path) for glob in self.globs)


def _text(filters: str, facts: Facts) -> str:
    """The filters themselves, or those of the file that is named."""
    if "\n" in filters or ":" in filters:
        return filters
    text = facts.read(filters.strip())
    if text is None:
        raise NotDone(f"`filters` names {filters.strip() or 'nothing'}, which the snapshot lacks")
    return text


def _filters(text: str) -> dict[str, tuple[_Rule, ...]]:
    found = document(text)
    return {key.text: tuple(_rules(key.text, value)) for key, value in found.entries}


def _rules(name: str, node: Data) -> Iterable[_Rule]:
    if isinstance(node, Seq):
        for item in node.items:
            yield from _rules(name, item)
    elif isinstance(node, Map):
        for key, value in node.entries:
            items = value.items if isinstance(value, Seq) else (value,)
            words = [word.strip().lower() for word in key.text.split("|") if word.strip()]
            statuses = frozenset(_STATUS.get(word, "") for word in words)
            yield _Rule(statuses, tuple(_glob(name, item) for item in items))
    else:
        yield _Rule(None, (_glob(name, node),))


def _glob(name: str, node: Data) -> Glob:
    if not isinstance(node, Scalar) or not isinstance(node.value, str):
        raise NotDone(f"the filter `{name}` holds what is no pattern")
    glob = read_glob(node.value)
    if glob is None:
        raise NotDone(f"the pattern {node.value!r} of the filter `{name}` is not understood")
    return glob


def _answers(
    filters: Mapping[str, tuple[_Rule, ...]], changes: Changes, *, every: bool, form: str
) -> tuple[dict[str, str], list[str]]:
    if changes.files is None:
        outputs = dict.fromkeys(filters, "true")
        return outputs | _changes_output(filters, list(filters)), list(filters)
    outputs = {}
    matched = []
    files = sorted((one for file in changes.files for one in apart(file)), key=_as_git_sorts)
    for name, rules in filters.items():
        quantifier = all if every else any
        found = [f.path for f in files if quantifier(rule.matches(f) for rule in rules)]
        if found:
            matched.append(name)
        outputs |= {name: "true" if found else "false", f"{name}_count": str(len(found))}
        listed = _list(found, form)
        if listed is not None:
            outputs[f"{name}_files"] = listed
    return outputs | _changes_output(filters, matched), matched


def _changes_output(filters: Iterable[str], matched: list[str]) -> dict[str, str]:
    return {} if "changes" in filters else {"changes": as_json(matched)}


def _list(paths: list[str], form: str) -> str | None:
    """A list of files as an output; None when it is not given, or how it is quoted is not known."""
    if form == "json":
        return as_json(paths)
    if form == "none" or not all(map(_PLAIN.fullmatch, paths)):
        return None
    return ("," if form == "csv" else " ").join(paths)


def _as_git_sorts(file: ChangedFile) -> bytes:
    return file.path.encode("utf-8", "surrogateescape")

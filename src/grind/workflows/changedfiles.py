"""`tj-actions/changed-files`: lists of changed files by kind, and whether there are any.

Evaluated as its own source does (47) for a push, or a pull request, to the main branch; see
`changefilters` for what is refused.
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
from grind.workflows.pathglobs import Glob, read_glob, select
from grind.workflows.syntax import Data, Scalar, Seq

Inputs = Mapping[str, str]


def changed_files(uses: str, inputs: Inputs, facts: Facts) -> Judgement:
    """tj-actions/changed-files: lists of files by kind of change, and whether there are any."""
    try:
        changes = changes_of(facts)
        check_ends(inputs.get("base_sha", ""), inputs.get("sha", ""), changes)
        for name, usual in _USUAL.items():
            if inputs.get(name, usual).strip().lower() not in ("", usual):
                raise NotDone(f"its input `{name}` is not carried out here")
        if any(ref.startswith("refs/tags/") for ref in changes.heads):
            raise NotDone("for a tag it compares with the tag before, which is not done here")
        for file in changes.files or ():
            if file.submodule or not file.path.isascii() or set(file.path) & set('"\\\t\n'):
                raise NotDone(f"it may see {file.path} otherwise than git names it")
        groups = _groups(inputs)
        outputs, matched = _told(groups, inputs, changes)
    except NotDone as why:
        return refused(str(why), settle(uses), StepClass.CHECK)
    return evaluated(outputs, f"{changes.told}{matched}", changes)


_USUAL: Final = {
    "path": ".",
    "diff_relative": "true",
    "dir_names": "false",
    "files_from_source_file": "",
    "files_yaml_from_source_file": "",
    "files_ignore_from_source_file": "",
    "files_ignore_yaml_from_source_file": "",
    "since": "",
    "until": "",
    "write_output_files": "false",
    "recover_deleted_files": "false",
    "include_all_old_new_renamed_files": "false",
    "use_rest_api": "false",
    "exclude_symlinks": "false",
    "negation_patterns_first": "false",
}
"""Inputs that change what it answers, with the only value that is carried out here."""
_KINDS: Final = (
    ("added", "A"),
    ("copied", "C"),
    ("modified", "M"),
    ("renamed", "R"),
    ("type_changed", "T"),
    ("unmerged", "U"),
    ("unknown", "X"),
    ("all_changed_and_modified", "ACDMRTUX"),
    ("all_changed", "ACMR"),
    ("all_modified", "ACMRD"),
    ("deleted", "D"),
)
_SUMS: Final = (("changed", "ACMR"), ("modified", "ACMRD"), ("deleted", "D"))
_SPECIAL: Final = re.compile(r"[^\x20-\x7E]|[:*?<>|;`$()&!]")
"""What `safe_output` puts a backslash before."""


class _Form(NamedTuple):
    """How a list becomes an output."""

    separator: str
    json: bool
    escape: bool
    safe: bool

    def of(self, paths: list[str]) -> str:
        text = as_json(paths) if self.json else self.separator.join(paths).strip()
        if self.json and self.escape:
            text = text.replace('"', '\\"')
        return _SPECIAL.sub(r"\\\g<0>", text) if self.safe else text


def _groups(inputs: Inputs) -> dict[str, tuple[Glob, ...]]:
    """The patterns by the prefix of their outputs; one group without patterns when there are none."""
    own = _lines(inputs, "files", negate=False) + _lines(inputs, "files_ignore", negate=True)
    groups: dict[str, list[str]] = {"": own} if own else {}
    for name, negate in (("files_yaml", False), ("files_ignore_yaml", True)):
        text = inputs.get(name, "")
        for key, value in document(text).entries if text.strip() else ():
            groups.setdefault(key.text, []).extend(_patterns(key.text, value, negate=negate))
    if "**" in own:  # it is put first
        own.sort(key=lambda pattern: pattern != "**")
    if not all(groups.values()):
        raise NotDone("one of its filters has no pattern")
    return {key: tuple(map(_read, patterns)) for key, patterns in groups.items()} or {"": ()}


def _lines(inputs: Inputs, name: str, *, negate: bool) -> list[str]:
    separator = inputs.get(f"{name}_separator", "") or "\n"
    found = []
    for line in inputs.get(name, "").strip().split(separator):
        if not line:
            continue
        pattern = f"!{line}" if negate and not line.startswith("!") else line
        found.append(f"{pattern}**" if pattern.endswith("/") else pattern)
    return found


def _patterns(name: str, node: Data, *, negate: bool) -> Iterable[str]:
    if isinstance(node, Seq):
        for item in node.items:
            yield from _patterns(name, item, negate=negate)
        return
    if not isinstance(node, Scalar):
        raise NotDone(f"the patterns of `{name}` are no list")
    for line in node.text.split("\n"):
        text = line if "\n" in node.text else line.strip()
        if text.strip():
            yield f"!{text}" if negate and not text.startswith("!") else text


def _read(pattern: str) -> Glob:
    glob = read_glob(pattern)
    if glob is None:
        raise NotDone(f"the pattern {pattern!r} is not understood")
    return glob


def _told(
    groups: Mapping[str, tuple[Glob, ...]], inputs: Inputs, changes: Changes
) -> tuple[dict[str, str], str]:
    form = _form(inputs)
    outputs: dict[str, str] = {}
    changed, modified = [], []
    for name, globs in groups.items():
        prefix = f"{name}_" if name else ""
        if changes.files is None:
            outputs |= {f"{prefix}any_{word}": "true" for word in ("changed", "modified")}
            changed.append(name)
            modified.append(name)
            continue
        every = _by_status(changes.files, inputs)
        found = {s: select(paths, globs) if globs else paths for s, paths in every.items()}
        told = _outputs(every, found, form, patterns=bool(globs))
        outputs |= {f"{prefix}{key}": value for key, value in told.items()}
        changed += [name] if told["any_changed"] == "true" else []
        modified += [name] if told["any_modified"] == "true" else []
    if set(groups) != {""}:
        keys = {"changed_keys": changed, "modified_keys": modified}
        outputs |= {key: form.of([name for name in names if name]) for key, names in keys.items()}
    told_of = named(name for name in modified if name)
    return outputs, f": {told_of}" if set(groups) != {""} else ""


def _form(inputs: Inputs) -> _Form:
    def says(name: str, usual: str) -> bool:
        return (inputs.get(name, "").strip().lower() or usual) == "true"

    matrix = says("matrix", "false")
    return _Form(
        separator=inputs.get("separator", "") or " ",
        json=matrix or says("json", "false"),
        escape=not matrix and says("escape_json", "true"),
        safe=says("safe_output", "true"),
    )


def _by_status(files: Iterable[ChangedFile], inputs: Inputs) -> dict[str, list[str]]:
    split = inputs.get("output_renamed_files_as_deleted_and_added", "").strip().lower() == "true"
    found: dict[str, list[str]] = {letter: [] for letter in "ACDMRTUX"}
    for file in files:
        for one in apart(file) if split else (file,):
            found[one.status].append(one.path)
    return found


def _outputs(
    every: Mapping[str, list[str]], found: Mapping[str, list[str]], form: _Form, *, patterns: bool
) -> dict[str, str]:
    outputs: dict[str, str] = {}
    for name, letters in _KINDS:
        paths = [path for letter in letters for path in found[letter]]
        outputs |= {f"{name}_files": form.of(paths), f"{name}_files_count": str(len(paths))}
    outputs["any_added"] = _word(found["A"])
    for name, letters in _SUMS:
        paths = [path for letter in letters for path in found[letter]]
        others = [p for letter in letters for p in every[letter] if p not in set(paths)]
        only = patterns and bool(paths) and not others
        outputs |= {
            f"any_{name}": _word(paths),
            f"only_{name}": "true" if only else "false",
            f"other_{name}_files": form.of(others),
            f"other_{name}_files_count": str(len(others)),
        }
    return outputs


def _word(paths: list[str]) -> str:
    return "true" if paths else "false"

"""The tasks of a repository's own files, for comparing them with CI: recipes, targets, package
scripts, shell scripts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import groupby

from grind.core.drift import SiteKind
from grind.core.tree import Entry
from grind.rules.extract import JUST, MAKE, NPM, SCRIPT, justfile, kind_of, makefile, npm, scripts
from grind.rules.extract.problems import ExtractError
from grind.rules.fragments import Fragment
from grind.rules.source import Source
from grind.workflows.drifttasks import Task

_Fill = Callable[[str], str]
_REFERENCE = re.compile(r"\$[({]([\w.-]+)[)}]")


def tasks_of(path: str, data: bytes) -> tuple[Task, ...]:
    """Return the tasks of a file; nothing for one that holds none that can be read."""
    kind = kind_of(Entry(path, executable=True))
    source = Source(path, data)
    try:
        if kind == JUST:
            return _just(source)
        if kind == MAKE:
            return _make(source)
        if kind == NPM:
            return _npm(source)
        return _script(source) if kind in (SCRIPT, "?") or data.startswith(b"#!") else ()
    except ExtractError:
        return ()


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _just(source: Source) -> tuple[Task, ...]:
    variables = justfile.literals(source)
    bodies = _bodies(justfile.extract(source), source, lambda raw: _of_just(raw, variables))
    return tuple(
        Task(
            SiteKind.JUST,
            source.path,
            header.name,
            header.line,
            bodies.get(header.name, ()),
            header.needs,
            header.after,
            header.parameters,
            _folder(source.path),
            opaque=header.body and header.name not in bodies,
        )
        for header in justfile.headers(source)
    )


def _of_just(raw: str, variables: Mapping[str, str]) -> str:
    inner = raw.removeprefix("{{").removesuffix("}}").strip()
    return variables.get(inner, f"${{{{ {inner} }}}}")


def _make(source: Source) -> tuple[Task, ...]:
    variables = {"MAKE": "make"} | makefile.literals(source)
    bodies = _bodies(makefile.extract(source), source, lambda raw: _of_make(raw, variables))
    by_target = {name: texts for label, texts in bodies.items() for name in label.split()}
    needs: dict[str, tuple[str, ...]] = {}
    lines: dict[str, int] = {}
    for header in makefile.headers(source):  # a target may have several rules
        needs[header.name] = (*needs.get(header.name, ()), *header.needs)
        lines.setdefault(header.name, header.line)
    folder = _folder(source.path)
    return tuple(
        Task(SiteKind.MAKE, source.path, name, line, by_target.get(name, ()), needs[name])._replace(
            folder=folder
        )
        for name, line in lines.items()
    )


def _of_make(raw: str, variables: Mapping[str, str]) -> str:
    match = _REFERENCE.fullmatch(raw)
    if match is not None and match[1] in variables:
        return variables[match[1]]
    return "${{ " + raw.strip("$(){}").replace("}}", "") + " }}"


def _npm(source: Source) -> tuple[Task, ...]:
    found = {f.context.label: f for f in npm.extract(source)}
    return tuple(
        Task(
            SiteKind.NPM,
            source.path,
            _decoded(name),
            _line(fragment, source),
            ((_decoded(fragment.text), _line(fragment, source) - 1),),
            tuple(other for other in (f"pre{name}",) if other in found),
            tuple(other for other in (f"post{name}",) if other in found),
            folder=_folder(source.path),
        )
        for name, fragment in found.items()
    )


def _script(source: Source) -> tuple[Task, ...]:
    fragments = scripts.extract(source)
    if not fragments:
        return ()
    kind = SiteKind.HOOK if fragments[0].context.host == "hook" else SiteKind.SCRIPT
    name = source.path.rpartition("/")[2]
    text = _decoded(fragments[0].text)
    return (Task(kind, source.path, name, 1, ((text, 0),)),)


def _bodies(
    fragments: list[Fragment], source: Source, fill: _Fill
) -> dict[str, tuple[tuple[str, int], ...]]:
    """The texts of each recipe, holes filled in, with their 0-based lines."""
    recipes = [fragment for fragment in fragments if fragment.context.label]
    found: dict[str, tuple[tuple[str, int], ...]] = {}
    for label, lines in groupby(recipes, key=lambda fragment: fragment.context.label):
        texts = tuple((_filled(one, fill), _line(one, source) - 1) for one in lines)
        found[label] = found.get(label, ()) + texts
    return found


def _filled(fragment: Fragment, fill: _Fill) -> str:
    parts: list[str] = []
    at = 0
    for hole in sorted(fragment.holes):
        parts += (fragment.text[at : hole.start], fill(hole.raw))
        at = hole.end
    return _decoded("".join((*parts, fragment.text[at:])))


def _line(fragment: Fragment, source: Source) -> int:
    return source.line_of(fragment.source_offset(0))


def _decoded(text: str) -> str:
    """Sources are read as latin-1, byte for byte."""
    return text.encode("latin-1", "replace").decode("utf-8", "replace")

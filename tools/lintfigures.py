"""What `docs/lint-figures.md` says, made anew: `python tools/lintfigures.py FOLDER…` (clones of repositories).

For each: files that hold shell, findings by rule and severity, the time it took; and every fragment of
shell given to both parsers, with what they disagree about.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from grind.adapters.lint_tree import WorkTree
from grind.adapters.shfmt import Shfmt
from grind.core.errors import GrindError
from grind.rules import extract
from grind.rules.engine import lint, parse
from grind.rules.runner import Job, run
from grind.rules.shell import shfmt, treesitter
from grind.rules.shell.model import Script, sites
from grind.rules.source import Source
from grind.rules.units import Policy, View

SHOWN = 15
"""Disagreements that are listed for each repository."""
Commands = list[tuple[int, tuple[str, ...]]]


def commands(script: Script) -> Commands:
    """What a parser understood: each command's place and words."""
    return [
        (site.command.start, tuple(word.raw for word in site.command.words))
        for site in sites(script)
        if site.command.words
    ]


def scripts(tree: WorkTree) -> list[tuple[str, str]]:
    """Every fragment of shell in the tree that nothing else contains: path and text."""
    found: list[tuple[str, str]] = []
    for entry in tree.entries():
        kind = extract.kind_of(entry)
        data = tree.read(entry.path) if kind else None
        if data is None or (kind == "?" and not data.startswith(b"#!")):
            continue
        seen: list[View] = []
        lint(kind, Source(entry.path, data), [_spy(seen)], Policy())
        for view in seen:
            found += [(entry.path, u.text) for u in view.units if u.sender is None]
    return found


def _spy(seen: list[View]):  # type: ignore[no-untyped-def]
    from grind.rules.checks import RULES

    def check(view: View) -> list[object]:
        seen.append(view)
        return []

    return RULES[0]._replace(check=check)


def compare(found: list[tuple[str, str]]) -> None:
    """Print how often both parsers, and what lint chose, say the same."""
    second = Shfmt()
    counts: Counter[str] = Counter()
    lists: dict[str, list[str]] = {"other commands": [], "only shfmt": [], "only tree-sitter": []}
    for path, text in found:
        try:
            first = treesitter.parse(text)
            tree = second(text.encode("latin-1"))
            other = shfmt.read(text, tree) if tree is not None else None
            chosen = parse(text, second)
        except (treesitter.TooDeepError, RecursionError):
            counts["too deep"] += 1
            continue
        kind = _kind(first, other)
        counts[kind] += 1
        if kind in lists:
            lists[kind].append(f"{path}: {_first_difference(first, other)}")
        if kind == "other commands" and other is not None:
            counts["  of these lint takes shfmt's"] += commands(chosen) == commands(other)
    print(f"  fragments of shell: {len(found)}; {dict(counts)}")
    for kind, rows in lists.items():
        for row in rows[:SHOWN]:
            print(f"    {kind}: {row}")


def _kind(first: Script, other: Script | None) -> str:
    if other is None:
        return "neither" if first.errors else "only tree-sitter"
    if first.errors:
        return "only shfmt"
    return "same" if commands(first) == commands(other) else "other commands"


def _first_difference(first: Script, other: Script | None) -> str:
    ours, theirs = commands(first), commands(other) if other is not None else []
    at = next((n for n, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
    at = min(len(ours), len(theirs)) if at is None else at
    shown = [repr(rows[at][1])[:90] if at < len(rows) else "nothing" for rows in (ours, theirs)]
    return f"tree-sitter {shown[0]}, shfmt {shown[1]}"


def main(folders: list[str]) -> int:
    """Print the figures of each folder."""
    for folder in folders:
        tree = WorkTree(folder)
        began = time.perf_counter()
        try:
            report = run(Job(tree, second=Shfmt())).report
        except GrindError as error:
            print(f"{folder}: {error}")
            return 1
        spent = time.perf_counter() - began
        by = Counter(f"{f.severity} {f.rule}" for f in report.findings)
        print(f"{Path(folder).name}: {report.files} files with shell, {spent:.1f} s")
        print(f"  findings: {len(report.findings)}; {dict(by.most_common())}")
        compare(scripts(tree))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

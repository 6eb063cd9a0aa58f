"""One file in, hits out: extraction, parsing, following nested programs, rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import NamedTuple

from grind.rules import extract
from grind.rules.extract import workflow as workflows
from grind.rules.extract.problems import ExtractError
from grind.rules.findings import ERROR, HIGH, MEDIUM, WARNING, Hit, Rule
from grind.rules.fragments import Fragment
from grind.rules.shell import shfmt, treesitter
from grind.rules.shell.model import Script
from grind.rules.shell.programs import handed
from grind.rules.source import Source
from grind.rules.treefacts import TreeFacts
from grind.rules.units import Policy, Unit, View

MAX_BYTES = 2 * 1024 * 1024
UNPARSEABLE, UNREADABLE = "unparseable-shell", "unreadable-file"
_HARD = re.compile(
    r"(?<=\s)-\s+\d*[<>]"  # a lone `-` before a redirection is lost
    r"|(?:^|[(|;&])[ \t]*<<<"  # a command that starts with a here-string
    r"|<<-?[ \t]*\\?(['\"]?)\w+\1[ \t]*[^\s]"  # something follows the delimiter
    r"|![ \t]*(?:\{|\(\()"  # a negated group
    r"|\belif[ \t]+\w+="  # an assignment as a condition
    r"|=[^\s\"'`;|&()]*\$\w+[^\s\"'`;|&()$]*[/:.]\$\w"  # expansions side by side, not quoted
    r"|<\([^()\n]*\)[ \t]*<\(",  # two process substitutions
    re.MULTILINE,
)
_UNQUOTED_HEREDOC = re.compile(r"<<-?[ \t]*[A-Za-z_]")
"""Where tree-sitter is known to lose words without saying so (compared with shfmt on the scripts of
public repositories, docs/lint-figures.md); there, and where it sees an error, shfmt is asked first."""

_GROUPS = re.compile(r"(?<![$\w])[ \t]\(\(")

Shfmt = Callable[[bytes], "bytes | None"]
"""Text in, `shfmt --to-json` out; None where shfmt refuses the text or is not there."""


class Outcome(NamedTuple):
    """What a file holds."""

    hits: list[Hit]
    view: View | None


def no_shfmt(_text: bytes) -> bytes | None:
    """Without a second parser."""
    return None


def parse(text: str, second: Shfmt = no_shfmt) -> Script:
    """Parse with the parser that is right for the text. Raises treesitter.TooDeepError."""
    first = None
    if not _misleading(text):
        first = treesitter.parse(text)
        if not first.errors:
            return first
    tree = second(text.encode("latin-1"))
    if tree is not None:
        try:
            return shfmt.read(text, tree)
        except RecursionError:
            raise treesitter.TooDeepError from None
    first = first if first is not None else treesitter.parse(text)
    apart = _GROUPS.sub("( (", text) if first.errors else text
    if apart != text:
        # `((a | b) && c)`: bash takes what is no arithmetic for two groups, both parsers refuse it.
        again = parse(apart, second)
        return first if again.errors else again
    return first


def _misleading(text: str) -> bool:
    if "<<" not in text:
        return bool(_HARD.search(text))
    substitutes = "$(" in text or "`" in text
    return bool(_HARD.search(text)) or (substitutes and bool(_UNQUOTED_HEREDOC.search(text)))


def lint(
    kind: str, source: Source, rules: Iterable[Rule], policy: Policy, second: Shfmt = no_shfmt
) -> Outcome:
    """All hits of a file; those with a claim still have to be judged by `settle`."""
    bad = _unfit(source)
    if bad is not None:
        return Outcome([bad], None)
    try:
        document = workflows.read(source) if kind in (extract.WORKFLOW, extract.ACTION) else None
        fragments = workflows.fragments(document) if document else extract.extract(kind, source)
    except ExtractError as error:
        at = min(error.offset, max(len(source.text) - 1, 0))
        return Outcome([Hit(UNREADABLE, at, at + 1, error.message, WARNING, HIGH)], None)
    hits: list[Hit] = []
    units: list[Unit] = []
    for fragment in fragments:
        collect(fragment, None, units, hits, second)
    view = View(kind, source, units, document, policy)
    for rule in rules:
        hits.extend(rule.check(view))
    return Outcome(hits, view)


def settle(hits: Iterable[Hit], rules: dict[str, Rule], facts: TreeFacts) -> list[Hit]:
    """Judge the claims; what the tree does not confirm is dropped."""
    out: list[Hit] = []
    for hit in hits:
        if hit.claim is None:
            out.append(hit)
            continue
        judge = rules[hit.rule].judge if hit.rule in rules else None
        judged = judge(hit, facts) if judge else None
        if judged is not None:
            out.append(judged)
    return out


def _unfit(source: Source) -> Hit | None:
    """What is no text to lint: said, never skipped in silence."""
    if len(source.data) > MAX_BYTES:
        size = len(source.data) // 1024
        message = f"not linted: {size} KiB is more than a script is (limit {MAX_BYTES // 1024} KiB)"
        return Hit(UNREADABLE, 0, 1, message, WARNING, HIGH)
    null = source.data.find(b"\0")
    if null >= 0:
        return Hit(
            UNREADABLE, null, null + 1, "not linted: a NUL byte; bash drops it", WARNING, HIGH
        )
    return None


def collect(
    fragment: Fragment,
    sender: tuple[Unit, object] | None,
    units: list[Unit],
    hits: list[Hit],
    second: Shfmt,
) -> None:
    if not fragment.text.strip():
        return
    try:
        script = parse(fragment.text, second)
    except treesitter.TooDeepError:
        script = Script(fragment.text, "none")
        script.errors.append(0)
    unit = Unit(fragment, script, sender)  # type: ignore[arg-type]
    units.append(unit)
    if script.errors and not fragment.context.info:
        hits.append(_unparseable(unit, script))
    for call in unit.calls:
        for given in handed(call, script):
            before = len(units)
            collect(given.fragment, (unit, given), units, hits, second)
            if len(units) > before:
                unit.children.append((given, units[before]))


def _unparseable(unit: Unit, script: Script) -> Hit:
    at = min(script.errors[0], max(len(script.text) - 1, 0))
    message = "neither parser understands the shell here; what follows is linted as far as it goes"
    severity, confidence = (WARNING, MEDIUM) if unit.sender is None else ("note", "low")
    return unit.hit(UNPARSEABLE, (at, at + 1), message, severity, confidence)


__all__ = ["ERROR", "MAX_BYTES", "Outcome", "lint", "parse", "settle"]

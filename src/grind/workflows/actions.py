"""The verdict on a step that `uses:` an action.

`actions.toml` has a row for every well-known action; actions that set a language up are judged by
`setups`, the checkout by `checkouts`. An action that is in no row is refused, with the `grind.toml`
lines that settle it. Judging is pure: see `facts`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from grind.core.plan import Recipe, StepClass, Verdict
from grind.workflows import setuplanguages, setupothers
from grind.workflows.actionrules import Rule, download, fill, run, several, tool, upload
from grind.workflows.changedfiles import changed_files
from grind.workflows.changefilters import paths_filter
from grind.workflows.checkouts import checkout
from grind.workflows.facts import Answer, Facts, Judgement, refused, settle
from grind.workflows.scripts import data, provide
from grind.workflows.setuprust import rust

__all__ = [
    "Answer",
    "Facts",
    "Judgement",
    "Rule",
    "Table",
    "base_environment",
    "judge",
    "load_table",
    "unused_inputs",
]

Handler = Callable[[str, Mapping[str, str], Facts], Judgement]


class Table(NamedTuple):
    """All rows; names are compared without regard to case, exact ones before patterns."""

    exact: Mapping[str, Rule]
    patterns: tuple[tuple[str, Rule], ...]

    def find(self, name: str) -> Rule | None:
        """Return the row for `owner/name` or `owner/name/path`."""
        name = name.lower()
        rule = self.exact.get(name)
        if rule is not None:
            return rule
        return next((rule for glob, rule in self.patterns if fnmatchcase(name, glob)), None)


def load_table() -> Table:
    """Read `actions.toml`. Callers that judge many steps read it once and pass it on."""
    exact: dict[str, Rule] = {}
    patterns: list[tuple[str, Rule]] = []
    for row in tomllib.loads(data("actions.toml"))["action"]:
        names = tuple(name.lower() for name in row["uses"])
        rule = Rule(
            names, row["kind"], StepClass(row.get("class", "provision")), row.get("reason", ""), row
        )
        for name in names:
            if "*" in name:
                patterns.append((name, rule))
            else:
                exact[name] = rule
    return Table(exact, tuple(patterns))


def judge(
    uses: str, inputs: Mapping[str, str], facts: Facts, table: Table | None = None
) -> Judgement:
    """Return what becomes of a step that uses `uses` with `inputs` (as strings).

    While the host has not answered everything, the judgement is `pending` and `facts.wanted` has
    the questions. An input that still holds a `${{ }}` where its value decides is refused.
    """
    name = uses.partition("@")[0]
    if uses.startswith(("./", "../")):
        return refused(
            "a composite action of the repository is not read yet", klass=StepClass.CHECK
        )
    if uses.startswith("docker://"):
        return refused(
            "an action that is a container is not run here", settle(uses), StepClass.CHECK
        )
    if "@" not in uses or "/" not in name or "${{" in uses:
        return refused(f"{uses!r} names no action", klass=StepClass.CHECK)
    rule = (table or facts.memo(load_table)).find(name)
    if rule is None:
        return refused(f"{name} is not known to grind", settle(uses), StepClass.CHECK)
    given = {key.lower(): str(value) for key, value in inputs.items()}
    holes = _open_holes(rule, given)
    if holes is not None:
        judged = refused(
            f"the input `{holes}` is not known before the run", settle(uses), rule.klass
        )
        return judged._replace(hole=holes)
    return _judge(rule, uses, given, facts)


def unused_inputs(uses: str, table: Table | None = None) -> frozenset[str]:
    """Inputs that are never read here, so that a secret in one keeps nobody from the step."""
    rule = (table or load_table()).find(uses.partition("@")[0])
    return frozenset(rule.row.get("unused", ())) if rule is not None else frozenset()


def base_environment(facts: Facts) -> Recipe:
    """What every job gets before its first step: folders of its own for language installs.

    Costs a few milliseconds; a Python environment is only made when a step asks for Python. Asks
    the host nothing: the script finds out where it runs.
    """
    return Recipe(kind="provide", script=facts.memo(provide, "base.sh"))


def _open_holes(rule: Rule, inputs: Mapping[str, str]) -> str | None:
    if rule.kind in ("outward", "satisfied", "refuse"):
        return None
    free = {*rule.row.get("unused", ()), "ref", "repository", "github-server-url", "name", "key"}
    return next((k for k, v in inputs.items() if "${{" in v and k not in free), None)


def _judge(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
    handler = _HANDLERS.get(rule.kind)
    if handler is not None:
        unknown = sorted(set(inputs) - set(rule.row["inputs"]) - set(rule.row.get("unused", ())))
        if unknown:
            reason = f"the input `{unknown[0]}` of {rule.uses[0]} is not known to grind"
            return refused(reason, settle(uses))
        return handler(uses, inputs, facts)
    for case in rule.row.get("when", ()):
        if _matches(case, inputs):
            return _plain(rule, case, uses)
    return _KINDS[rule.kind](rule, uses, inputs, facts)


def _matches(case: Mapping[str, Any], inputs: Mapping[str, str]) -> bool:
    value = inputs.get(case["input"].lower(), case.get("default", "")).strip()
    if "is" in case:
        return value.lower() in case["is"]
    if "not" in case:
        return value.lower() not in case["not"]
    return bool(value) is bool(case.get("given", True))


def _plain(rule: Rule, row: Mapping[str, Any], uses: str) -> Judgement:
    """A verdict that stands in the row."""
    klass = StepClass(row.get("class", rule.klass))
    verdict = Verdict(row["verdict"])
    remedy = settle(uses) if verdict is Verdict.REFUSED else ""
    return Judgement(verdict, klass, row["reason"], remedy)


def _outward(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
    del uses, facts
    gates = rule.row.get("gates")
    gating = gates is None or inputs.get(gates, "").lower() == "true"
    why = "" if gating else f"it fails only with `{gates}: true`"
    reason = f"{rule.klass.value}: {rule.reason}; shown, never executed"
    return Judgement(Verdict.SKIPPED, rule.klass, reason, gating=gating, gating_reason=why)


def _satisfied(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
    del uses, facts
    outputs = {key: fill(value, inputs) for key, value in rule.row.get("outputs", {}).items()}
    recipe = Recipe(kind="nothing", outputs=outputs)
    return Judgement(Verdict.SATISFIED, rule.klass, rule.reason, recipe=recipe)


def _refuse(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
    del inputs, facts
    return refused(rule.reason, settle(uses), rule.klass)


_HANDLERS: Mapping[str, Handler] = {
    "checkout": checkout,
    "python": setuplanguages.python,
    "node": setuplanguages.node,
    "go": setuplanguages.go,
    "java": setupothers.java,
    "ruby": setupothers.ruby,
    "dotnet": setupothers.dotnet,
    "rust": rust,
    "paths-filter": paths_filter,
    "changed-files": changed_files,
}
_KINDS: Mapping[str, Callable[[Rule, str, Mapping[str, str], Facts], Judgement]] = {
    "outward": _outward,
    "satisfied": _satisfied,
    "refuse": _refuse,
    "tool": tool,
    "tools": several,
    "run": run,
    "upload": upload,
    "download": download,
}

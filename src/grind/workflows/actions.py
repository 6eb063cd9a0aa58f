"""The verdict on a step that `uses:` an action.

`actions.toml` has a row for every well-known action; actions that set a language up are judged by
`setups`, the checkout by `checkouts`. An action that is in no row is refused, with the `grind.toml`
lines that settle it. Judging is pure: see `facts`.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from grind.core.plan import Recipe, StepClass, Verdict
from grind.workflows import setups
from grind.workflows.checkouts import checkout
from grind.workflows.facts import Answer, Facts, Judgement, pending, refused, settle
from grind.workflows.scripts import data, provide
from grind.workflows.setuprust import rust
from grind.workflows.versions import answers, parse_version

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


class Rule(NamedTuple):
    """A row of `actions.toml`; the file's head says what each key means."""

    uses: tuple[str, ...]
    kind: str
    klass: StepClass
    reason: str
    row: Mapping[str, Any]


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
    rule = (table or load_table()).find(name)
    if rule is None:
        return refused(f"{name} is not known to grind", settle(uses), StepClass.CHECK)
    given = {key.lower(): str(value) for key, value in inputs.items()}
    holes = _open_holes(rule, given)
    if holes is not None:
        return refused(f"the input `{holes}` is not known before the run", settle(uses), rule.klass)
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
    del facts
    return Recipe(kind="provide", script=provide("base.sh"))


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
    outputs = {key: _fill(value, inputs) for key, value in rule.row.get("outputs", {}).items()}
    recipe = Recipe(kind="nothing", outputs=outputs)
    return Judgement(Verdict.SATISFIED, rule.klass, rule.reason, recipe=recipe)


def _fill(template: str, inputs: Mapping[str, str]) -> str:
    return inputs.get(template[1:], "") if template.startswith("=") else template


def _refuse(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
    del inputs, facts
    return refused(rule.reason, settle(uses), rule.klass)


def _tool(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
    """A tool that must be on the host, in the version that is asked for."""
    asked = inputs.get(rule.row.get("version", ""), "").strip() or rule.row.get("asks", "")
    seen = []
    for check in rule.row["checks"]:
        answer = facts.ask(check)
        if answer is None:
            return pending(rule.klass)
        problem, version = _has_version(check[0], answer, asked)
        if problem:
            return refused(
                problem, f"install {check[0]} on the host, or:\n{settle(uses)}", rule.klass
            )
        seen.append(f"{check[0]} {version}".strip())
    recipe = _tool_recipe(rule, inputs)
    if isinstance(recipe, Judgement):
        return recipe
    reason = f"the host has {', '.join(seen)}" + (f" for {asked!r}" if asked else "")
    return Judgement(Verdict.SATISFIED, rule.klass, reason, recipe=recipe)


def _tool_recipe(rule: Rule, inputs: Mapping[str, str]) -> Recipe | Judgement:
    name = rule.row.get("script", "")
    outputs = {key: _fill(value, inputs) for key, value in rule.row.get("outputs", {}).items()}
    if not name:
        return Recipe(kind="nothing", outputs=outputs)
    env = {key: _fill(value, inputs) for key, value in rule.row.get("env", {}).items()}
    if "settings" in rule.row:
        given = "\n".join(inputs[key] for key in rule.row["settings"] if key in inputs)
        settings = _nix_settings(given)
        if isinstance(settings, Judgement):
            return settings
        env["GRIND_NIX_CONFIG"] = settings
    return Recipe(kind="provide", script=provide(name), env=env, outputs=outputs)


def _has_version(tool: str, answer: Answer, asked: str) -> tuple[str, str]:
    """What is wrong with an answer, or nothing, and the version in it."""
    if answer.exit_code != 0:
        return f"the host has no {tool}", ""
    version = parse_version(answer.out or answer.err)
    if not asked:
        return "", str(version or "")
    if version is None:
        return f"the version of {tool} on the host is not understood", ""
    fits = answers(version, asked)
    if fits is None:
        return f"the version {asked!r} is not understood", ""
    return ("" if fits else f"{tool} {asked} is not on the host (it has {version})"), str(version)


def _nix_settings(text: str) -> str | Judgement:
    """Settings that concern evaluation and building; where results come from is the host's own."""
    kept = []
    for line in text.splitlines():
        key, _, _ = line.partition("=")
        key = key.strip().removeprefix("extra-")
        if not key or key.startswith("#") or key in _NIX_SOURCES:
            continue
        if key not in _NIX_KEPT:
            return refused(f"the Nix setting `{key}` is not known to grind")
        kept.append(line.strip())
    return "\n".join(kept)


_NIX_SOURCES = frozenset(
    {
        "substituters",
        "trusted-substituters",
        "trusted-public-keys",
        "trusted-users",
        "access-tokens",
        "netrc-file",
        "narinfo-cache-negative-ttl",
        "http-connections",
        "max-jobs",
        "cores",
        "auto-optimise-store",
        "keep-outputs",
        "keep-derivations",
        "build-users-group",
        "system-features",
        "connect-timeout",
        "download-attempts",
        "post-build-hook",
        "builders",
        "builders-use-substitutes",
        "min-free",
        "max-free",
    }
)
_NIX_KEPT = frozenset(
    {
        "experimental-features",
        "accept-flake-config",
        "allow-import-from-derivation",
        "sandbox",
        "fallback",
        "warn-dirty",
        "show-trace",
        "pure-eval",
        "log-lines",
        "keep-going",
        "filter-syscalls",
        "sandbox-fallback",
        "lazy-trees",
    }
)


def _several(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
    """taiki-e/install-action: a list of tools, with versions, in an input or in the ref."""
    names = inputs.get("tool", "")
    ref = uses.partition("@")[2]
    if not names and not re.fullmatch(r"v\d.*|main|[0-9a-f]{40}", ref):
        names = ref
    if not names:
        return refused("it names no tool", settle(uses))
    seen = []
    waiting = False
    for part in re.split(r"[\s,]+", names.strip()):
        tool, _, version = part.partition("@")
        if not re.fullmatch(r"[\w.-]+", tool):
            return refused(f"the tool {part!r} is not understood", settle(uses))
        answer = facts.ask(_tool_check(tool))
        if answer is None:
            waiting = True
            continue
        problem, found = _has_version(tool, answer, version)
        if problem:
            return refused(problem, f"install {part} on the host, or:\n{settle(uses)}")
        seen.append(f"{tool} {found}".strip())
    if waiting:
        return pending()
    reason = f"the host has {', '.join(seen)}"
    return Judgement(Verdict.SATISFIED, rule.klass, reason, recipe=Recipe(kind="nothing"))


def _tool_check(tool: str) -> tuple[str, ...]:
    if tool == "nextest":
        tool = "cargo-nextest"
    if tool.startswith("cargo-"):
        return (tool, tool.removeprefix("cargo-"), "--version")
    return (tool, "--version")


def _run(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
    """A real check by a tool of the host, as the action would call it."""
    refusing = [key for key in rule.row.get("refuse_inputs", ()) if inputs.get(key)]
    known = {*rule.row.get("inputs", ()), *rule.row.get("unused", ())}
    unknown = [key for key in sorted(inputs) if key not in known]
    if refusing or unknown:
        return refused(
            f"the input `{(refusing + unknown)[0]}` is not carried out here",
            settle(uses),
            rule.klass,
        )
    asked = inputs.get(rule.row.get("version", ""), "").strip()
    check = rule.row["check"]
    answer = facts.ask(check)
    if answer is None:
        return pending(rule.klass)
    problem, version = _has_version(check[0], answer, asked)
    if problem:
        return refused(problem, f"install {check[0]} on the host, or:\n{settle(uses)}", rule.klass)
    argv = _argv(rule.row["run"], inputs, rule.row.get("defaults", {}))
    if isinstance(argv, str):
        return refused(argv, settle(uses), rule.klass)
    directory = inputs.get(rule.row.get("directory", ""), "").strip()
    env = {"GRIND_ARGV": "\n".join(argv), "GRIND_DIRECTORY": directory}
    recipe = Recipe(kind="run", script=provide("run.sh"), env=env)
    reason = f"runs the host's {check[0]} {version}".strip() + ", as the action would"
    return Judgement(Verdict.EXECUTED, rule.klass, reason, recipe=recipe)


def _argv(
    template: list[str], inputs: Mapping[str, str], defaults: Mapping[str, str]
) -> list[str] | str:
    """Fill a command: `{name}` stands for the words of an input, `{name?--flag}` for a flag."""
    argv: list[str] = []
    for part in template:
        if not part.startswith("{"):
            argv.append(part)
            continue
        name, _, flag = part.strip("{}").partition("?")
        value = inputs.get(name, "").strip() or defaults.get(name, "")
        if flag:
            argv += [flag] if value.lower() == "true" else []
            continue
        if re.search(r"[$`*?;|&<>(]", value):
            return f"the input `{name}` has shell text that is not carried out here: {value}"
        try:
            argv += shlex.split(value)
        except ValueError:
            return f"the input `{name}` has an open quote: {value}"
    if any("\n" in part for part in argv):
        return "an argument has a line break"
    return argv


def _upload(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
    """actions/upload-artifact: the files must exist as asked; they are kept with the run."""
    none = inputs.get("if-no-files-found", "").lower() or rule.row.get("if_none", "warn")
    env = {
        "GRIND_PATHS": inputs.get("path", "").strip() or rule.row.get("path", ""),
        "GRIND_NAME": inputs.get("name", "").strip() or rule.row.get("name", "artifact"),
        "GRIND_IF_NONE": none,
        "GRIND_OVERWRITE": inputs.get("overwrite", "").lower() or "false",
        "GRIND_HIDDEN": inputs.get("include-hidden-files", "").lower() or "false",
    }
    if not re.fullmatch(r"[^\"<>:|*?\\/\r\n]+", env["GRIND_NAME"].replace("${{", "")):
        return refused(f"the artifact's name {env['GRIND_NAME']!r} is not allowed")
    del uses, facts
    gating = none == "error"
    return Judgement(
        Verdict.EXECUTED,
        rule.klass,
        "kept with the run, never uploaded",
        recipe=Recipe(kind="run", script=provide("artifact-upload.sh"), env=env),
        gating=gating,
        gating_reason="" if gating else "it fails only with `if-no-files-found: error`",
    )


def _download(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
    """actions/download-artifact: from the jobs of the same run only."""
    if inputs.get("run-id") or inputs.get("repository") or inputs.get("artifact-ids"):
        return refused("it fetches artifacts of another run", settle(uses))
    if not facts.artifacts:
        return refused("artifacts of other jobs are not handed on here yet", settle(uses))
    env = {
        "GRIND_NAME": inputs.get("name", "").strip(),
        "GRIND_PATTERN": inputs.get("pattern", "").strip(),
        "GRIND_PATH": inputs.get("path", "").strip(),
        "GRIND_MERGE": inputs.get("merge-multiple", "").lower() or "false",
    }
    recipe = Recipe(kind="run", script=provide("artifact-download.sh"), env=env)
    return Judgement(Verdict.EXECUTED, rule.klass, "from the run's own folder", recipe=recipe)


_HANDLERS: Mapping[str, Handler] = {
    "checkout": checkout,
    "python": setups.python,
    "node": setups.node,
    "go": setups.go,
    "java": setups.java,
    "ruby": setups.ruby,
    "dotnet": setups.dotnet,
    "rust": rust,
}
_KINDS: Mapping[str, Callable[[Rule, str, Mapping[str, str], Facts], Judgement]] = {
    "outward": _outward,
    "satisfied": _satisfied,
    "refuse": _refuse,
    "tool": _tool,
    "tools": _several,
    "run": _run,
    "upload": _upload,
    "download": _download,
}

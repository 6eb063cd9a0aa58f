"""How a row of `actions.toml` becomes a judgement: tools of the host, their runs, artifacts."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple

from grind.core.plan import Recipe, StepClass, Verdict
from grind.workflows.facts import Answer, Facts, Judgement, pending, refused, settle
from grind.workflows.scripts import provide
from grind.workflows.versions import answers, parse_version


class Rule(NamedTuple):
    """A row of `actions.toml`; the file's head says what each key means."""

    uses: tuple[str, ...]
    kind: str
    klass: StepClass
    reason: str
    row: Mapping[str, Any]


def fill(template: str, inputs: Mapping[str, str]) -> str:
    """Return a text of the table; `=name` stands for the value of an input."""
    return inputs.get(template[1:], "") if template.startswith("=") else template


def tool(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
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
    outputs = {key: fill(value, inputs) for key, value in rule.row.get("outputs", {}).items()}
    if not name:
        return Recipe(kind="nothing", outputs=outputs)
    env = {key: fill(value, inputs) for key, value in rule.row.get("env", {}).items()}
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


def several(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
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


def run(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
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


def upload(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
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


def download(rule: Rule, uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
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

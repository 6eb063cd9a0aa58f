"""Whether the host already has what a provision step would install.

Only for steps that do nothing else (`Class_.rest` is empty): a check that stands in for a step
which also tests would be a wrong green. Known: Debian packages, asked of dpkg, and rustup's
toolchains, components and targets. Everything else is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from grind.core.plan import Recipe, StepClass, Verdict
from grind.workflows.classify import Class_, Provided
from grind.workflows.commandline import value
from grind.workflows.facts import Facts, Judgement, pending, refused
from grind.workflows.scripts import provide
from grind.workflows.setuprust import Rust, find_toolchain, lacking, rust_on

_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+(?::[a-z0-9]+)?")
_APT_VALUED = ("-t", "--target-release", "-o", "--option", "-c")


class _Have(NamedTuple):
    """One command's answer: satisfied (`problem` empty), or what is missing, or not asked yet."""

    problem: str = ""
    waiting: bool = False
    toolchain: str = ""
    """The Rust toolchain that becomes the job's, when the command chooses one."""


def judge_provision(step: Class_, facts: Facts) -> Judgement:
    """Return the verdict on a provision step; `facts.wanted` has the questions while pending."""
    if step.rest:
        return refused(f"{step.reason}; it also runs {', '.join(step.rest[:3])}", _REMEDY)
    answers = [_have(one, facts) for one in step.provides]
    problem = next((answer.problem for answer in answers if answer.problem), "")
    if problem:
        return refused(problem, _REMEDY)
    if not answers or any(answer.waiting for answer in answers):
        return pending()
    toolchain = next((a.toolchain for a in reversed(answers) if a.toolchain), "")
    rust = rust_on(facts) if toolchain else None
    recipe = Recipe(kind="nothing")
    if rust is not None:
        env = {
            "GRIND_RUSTUP": rust.rustup,
            "GRIND_RUSTUP_HOME": rust.rustup_home,
            "GRIND_TOOLCHAIN": toolchain,
            "GRIND_ENV": "",
        }
        recipe = Recipe(kind="provide", script=provide("rust.sh"), env=env)
    what = ", ".join(" ".join(one.argv[:4]) for one in step.provides[:3])
    reason = f"the host has what `{what}` installs"
    return Judgement(Verdict.SATISFIED, StepClass.PROVISION, reason, recipe=recipe)


_REMEDY = (
    "say in grind.toml how the host shows that it has it:\n"
    '[[verdict]]\nstep = "…"\nverdict = "satisfied-by-host"\n'
    'check = "command -v …"\nreason = "…"'
)


def _have(one: Provided, facts: Facts) -> _Have:
    name = one.argv[0].rpartition("/")[2] if one.argv else ""
    if name in ("apt", "apt-get"):
        return _apt(one, facts)
    if name == "rustup":
        return _rustup(one, facts)
    return _Have(f"{one.reason} (line {one.line + 1})")


def _apt(one: Provided, facts: Facts) -> _Have:
    words = list(_without_values(one.argv, _APT_VALUED))
    verb, packages = (words[0] if words else ""), words[1:]
    if verb in ("update", "clean", "autoclean"):
        return _Have()
    if verb != "install" or not packages:
        return _Have(f"{one.reason} (line {one.line + 1})")
    odd = next((p for p in packages if not _PACKAGE.fullmatch(p)), None)
    if odd is not None:
        return _Have(f"whether the host has the package {odd} cannot be asked")
    names = sorted(set(packages))
    # Braces are dpkg's own format here, not the shell's: no shell reads this.
    answer = facts.ask(("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *names))
    if answer is None:
        return _Have(waiting=True)
    installed = {line.split()[0] for line in answer.out.splitlines() if line.endswith(" installed")}
    missing = [name for name in names if name.partition(":")[0] not in installed]
    return _Have(f"the host has no package {', '.join(missing)}" if missing else "")


def _without_values(argv: Sequence[str], valued: Sequence[str]) -> Sequence[str]:
    words, skip = [], False
    for word in argv[1:]:
        if skip:
            skip = False
        elif word in valued:
            skip = True
        elif not word.startswith("-"):
            words.append(word)
    return words


_RUSTUP_VALUED = ("--profile", "--component", "-c", "--target", "-t", "--toolchain", "--path")


def _rustup(one: Provided, facts: Facts) -> _Have:
    rust = rust_on(facts)
    if rust is None:
        return _Have(waiting=True)
    words = list(_without_values(one.argv, _RUSTUP_VALUED))
    asked = value(one.argv, "--toolchain")
    if words[:1] in (["self"], ["set"]):
        return _Have()
    if words[:1] in (["component"], ["target"]) and words[1:2] in (["add"], ["install"]):
        kind = words[0]
        sets = (frozenset(words[2:]), frozenset[str]())
        needs, targets = sets if kind == "component" else sets[::-1]
        return _rust_has(rust, asked or rust.default, needs, targets, choose=False)
    if words[:2] in (["toolchain", "install"], ["toolchain", "add"]):
        names = words[2:]
    elif words[:1] in (["update"], ["install"], ["default"]):
        names = words[1:]
    elif words[:2] == ["override", "set"]:
        names = words[2:]
    else:
        return _Have(f"{one.reason} (line {one.line + 1})")
    needs = frozenset((value(one.argv, "--component", "-c") or "").replace(",", " ").split())
    targets = frozenset((value(one.argv, "--target", "-t") or "").replace(",", " ").split())
    chooses = words[0] in ("default", "override")
    have = _Have()
    for name in names or [rust.default]:
        have = _rust_has(rust, name, needs, targets, choose=chooses)
        if have.problem:
            break
    return have


def _rust_has(
    rust: Rust, name: str, needs: frozenset[str], targets: frozenset[str], *, choose: bool
) -> _Have:
    found = find_toolchain(name, rust) if name else None
    if not found or found.startswith("?"):
        return _Have(f"the Rust toolchain {name or '(default)'} is not on the host")
    absent = lacking(found, rust, needs, targets)
    if absent:
        return _Have(f"the Rust toolchain {found} on the host has no {absent}")
    return _Have(toolchain=found if choose else "")

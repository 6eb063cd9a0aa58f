"""The `grind.toml` that `grind init` proposes. Pure: evidence in, text out.

Only what is known to be right is written out; everything that needs a person's yes is a proposal behind
`#`. Foreign text stands in comments and in TOML strings, and never becomes a key.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from grind.core.evidence import Evidence, Recipe
from grind.core.texts import one_line

_HEAD = """\
# grind.toml, as `grind init` found it. Everything here is optional, and every line says where it comes from.
# Lines that begin with `# |` are proposals: take that away to use one. All keys: docs/reference/grind-toml.md"""
_NOT_THE_SERVICE = frozenset({"22", "80", "443"})
"""Ports of ssh and of what stands in front."""
_MOST = 40
"""Of a kind of thing that are listed; a file for people has an end."""


def propose(evidence: Evidence) -> str:
    """Return the text of the file. It is valid as it is, and with any of its proposals taken up."""
    parts = [
        _HEAD,
        "\n".join(_landing(evidence)),
        "\n".join(_jobs(evidence)),
        "\n".join(_provided(evidence)),
        "\n".join(_refused(evidence)),
        "\n".join(_checks(evidence)),
        "\n".join(_hosts(evidence)),
        "\n".join(_activation(evidence)),
        "\n".join(_probes(evidence)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def proposals(text: str) -> str:
    """Return the file with every proposal taken up."""
    return re.sub(r"^# \| ?", "", text, flags=re.M)


def _title(text: str) -> str:
    return f"# --- {text}"


def _said(text: str, indent: str = "#   ") -> str:
    line = f"{indent}{one_line(text)}"
    # Foreign text must not pass for a proposal.
    return f"#  {line[2:]}" if line.startswith("# |") else line


def _offer(lines: str) -> Iterator[str]:
    """Put lines behind the mark of a proposal; one that is empty would end it for a reader."""
    for line in lines.rstrip("\n").split("\n"):
        yield f"# | {line}".rstrip()


def _text(value: str) -> str:
    """Return a TOML basic string; JSON's is one but for DEL and lone surrogates."""
    quoted = json.dumps(value.encode("utf-8", "replace").decode(), ensure_ascii=False)
    return quoted.replace("\x7f", "\\u007f")


def _landing(evidence: Evidence) -> Iterator[str]:
    if evidence.remote is None:
        yield _title("where changes land: this repository has no remote yet")
        return
    yield _title(f"where changes land ({one_line(evidence.main_from)})")
    yield from _offer(f"main = {_text(evidence.main)}\nremote = {_text(evidence.remote)}")


def _jobs(evidence: Evidence) -> Iterator[str]:
    if not evidence.jobs and not evidence.inactive:
        return
    count = len(evidence.jobs)
    if not count:
        yield _title(f"a push to {one_line(evidence.main)} starts no job")
    else:
        yield _title(
            f"what a push to {one_line(evidence.main)} starts: {count} job{'s' * (count != 1)}"
        )
    for job in evidence.jobs[:_MOST]:
        yield _said(f"{job.key}: {job.told}")
    if count > _MOST:
        yield _said(f"and {count - _MOST} more: `grind plan` shows all")
    if evidence.inactive:
        more = "more " if count else ""
        yield _said(f"({evidence.inactive} {more}for other events)")


def _provided(evidence: Evidence) -> Iterator[str]:
    if not evidence.provided:
        return
    yield _title("setup steps that this machine satisfies; nothing to say")
    for step in evidence.provided[:_MOST]:
        yield _said(f"{step.where}: {step.name}: {step.reason}")


def _refused(evidence: Evidence) -> Iterator[str]:
    if not evidence.refused:
        return
    yield _title("refused here until you say what stands for it; a run is only partial until then")
    offered: set[str] = set()
    labels: dict[str, None] = {}
    for step in evidence.refused[:_MOST]:
        yield _said(f"{step.where}: {step.name}: {step.reason}", "# ")
        advice, table = _parted(step.remedy)
        document = _toml(table)
        asked = _labels(document)
        if advice:
            again = " the lines above" if table in offered else ""
            yield _said(f"{advice}{again}")
        if asked is not None:
            labels.update(dict.fromkeys(asked))  # one table for all: a second would be an error
        elif document and table not in offered:
            offered.add(table)
            yield from _offer(table)
        elif document and not advice:
            yield _said("settled by the lines above")
    if len(evidence.refused) > _MOST:
        yield _said(f"and {len(evidence.refused) - _MOST} more: `grind plan` shows all", "# ")
    if labels:
        yield "# what `runs-on` asks for, if this machine may stand for it"
        yield from _offer(f"[hosts.local]\nlabels = [{', '.join(map(_text, labels))}]")


def _parted(remedy: str) -> tuple[str, str]:
    """Return what a remedy says, and the lines of grind.toml that it ends with."""
    at = 0 if remedy.startswith("[") else remedy.find("\n[") + 1
    if at == 0 and not remedy.startswith("["):
        return remedy, ""
    if not _toml(remedy[at:]):
        return remedy, ""
    return remedy[:at].strip(), remedy[at:]


def _labels(document: dict[str, Any]) -> list[str] | None:
    """Return the labels, when they are all that a remedy adds."""
    match document:
        case {"hosts": {"local": {"labels": list(labels), **rest}}} if not rest:
            return [str(label) for label in labels] if len(document) == 1 else None
    return None


def _toml(text: str) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def _checks(evidence: Evidence) -> Iterator[str]:
    if not evidence.recipes:
        return
    yield _title("checks of your own that no workflow runs; `grind check --fast` runs these alone")
    for recipe in evidence.recipes[:_MOST]:
        if "\0" in recipe.call:  # a name in a hostile package.json; no program can be given it
            continue
        lines = f"[[check]]\nname = {_text(_name(recipe, evidence))}\nrun = {_text(recipe.call)}"
        told = f"{recipe.where}{'' if recipe.safe else f': {recipe.why}'}"
        yield _said(told, "# ")
        yield from (lines.split("\n") if recipe.safe else _offer(lines))


def _name(recipe: Recipe, evidence: Evidence) -> str:
    """Return a name that `[[check]]` allows, its own among all that are proposed."""
    base = re.sub(r"[^A-Za-z0-9_.-]+", "-", recipe.name).strip("-") or "check"
    same = [
        one
        for one in evidence.recipes
        if (re.sub(r"[^A-Za-z0-9_.-]+", "-", one.name).strip("-") or "check") == base
    ]
    place = same.index(recipe)
    return base if place == 0 else f"{base}-{place + 1}"


def _hosts(evidence: Evidence) -> Iterator[str]:
    if not evidence.aliases:
        return
    yield _title(
        "a host to prove changes on; `grind trust` will ask for your yes before it is reached"
    )
    taken: set[str] = set()
    for alias in evidence.aliases[:_MOST]:
        role = role_of(alias.what)
        name = role if role not in taken else re.sub(r"[^A-Za-z0-9_.-]+", "-", alias.what)
        if name in taken or name == "local":
            continue
        taken.add(name)
        yield _said(alias.where, "# ")
        yield from _offer(f"[hosts.{name}]\nssh = {_text(alias.what)}\nrole = {_text(role)}")


def role_of(alias: str) -> str:
    """Guess a host's role from its name."""
    words = set(re.split(r"[^a-z]+", alias.lower()))
    if words & {"prod", "production", "live"}:
        return "prod"
    if words & {"staging", "stage"}:
        return "staging"
    return "grind"


def _activation(evidence: Evidence) -> Iterator[str]:
    if not evidence.systems:
        return
    yield _title("the NixOS system that `grind activate` builds and switches to; choose one")
    for number, system in enumerate(evidence.systems[:_MOST]):
        yield _said(system.where, "# ")
        lines = f"[activate]\nflake = {_text(system.what)}"
        if number:  # a second table of that name would be an error
            yield _said(f"or: flake = {_text(system.what)}", "# ")
        else:
            yield from _offer(lines)


def _probes(evidence: Evidence) -> Iterator[str]:
    if not (evidence.routes or (evidence.systems and evidence.units)):
        return
    yield _title("how to know that it is healthy: values, not just an answer")
    port = next((one for one in evidence.ports if one.what not in _NOT_THE_SERVICE), None)
    for number, route in enumerate(evidence.routes[:3], 1):
        where = f"{route.where}, port from {port.where}" if port else f"{route.where}; which port?"
        yield _said(where, "# ")
        address = f"http://127.0.0.1:{port.what if port else 8080}{route.what}"
        name = "health" if number == 1 else f"health-{number}"
        yield from _offer(
            f"[[probe]]\nname = {_text(name)}\nhttp = {_text(address)}\nstatus = 200\n"
            'deadline = "90s"'
        )
    for unit in evidence.units[:5] if evidence.systems else ():
        yield _said(unit.where, "# ")
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", unit.what)
        yield from _offer(
            f'[[probe]]\nname = {_text(f"unit-{name}")}\nunit = {_text(unit.what)}\ndeadline = "90s"'
        )

"""What the types of `grind.toml` cannot say: names that must exist, keys that exclude each other.

The rules look at the plain document, so that they still speak when something else is wrong with it;
whatever has the wrong type is left alone, because that has been said already.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from grind.core.activateconfig import activate_findings
from grind.core.proberules import probe_findings
from grind.core.suggest import suggestion
from grind.core.tomlplace import Path
from grind.core.typed import Finding

LOCAL = "local"
"""The name of this machine among the hosts."""


def findings_of(document: dict[str, Any], spoilt: frozenset[Path]) -> list[Finding]:
    """Return the problems between keys, passing over the paths in `spoilt`."""
    checks = _tables(document, "check")
    found = [
        *_names(checks),
        *_needs(checks),
        *_cycles(checks),
        *_paths(checks),
        *_scripts(checks),
        *_hosts(document),
        *activate_findings(document),
        *probe_findings(_tables(document, "probe"), _host_names(document)),
    ]
    for path, rule in _tables(document, "verdict"):
        found += _verdict(path, rule)
    return [finding for finding in found if finding.path not in spoilt]


def _tables(document: dict[str, Any], key: str) -> list[tuple[Path, dict[str, Any]]]:
    value = document.get(key)
    if not isinstance(value, list):
        return []
    return [((key, i), item) for i, item in enumerate(value) if isinstance(item, dict)]


def _needed(check: dict[str, Any]) -> list[tuple[int, str]]:
    value = check.get("needs")
    if not isinstance(value, list):
        return []
    return [(i, name) for i, name in enumerate(value) if isinstance(name, str)]


def _scripts(checks: list[tuple[Path, dict[str, Any]]]) -> Iterator[Finding]:
    """A check runs one thing: a script, or a promoted command."""
    for path, check in checks:
        if "run" in check and "app" in check:
            yield Finding((*path, "app"), "the check has `run` already", "`run` or `app`", False)
        elif "run" not in check and "app" not in check:
            yield Finding(path, "nothing to run", "`run`, or `app` with a promoted command", False)


def _names(checks: list[tuple[Path, dict[str, Any]]]) -> Iterator[Finding]:
    seen: dict[str, Path] = {}
    for path, check in checks:
        name = check.get("name")
        if not isinstance(name, str):
            continue
        if name in seen:
            yield Finding((*path, "name"), f"there is a check {name!r} already", "unique names")
        seen[name] = path


def _needs(checks: list[tuple[Path, dict[str, Any]]]) -> Iterator[Finding]:
    names = [check["name"] for _, check in checks if isinstance(check.get("name"), str)]
    for path, check in checks:
        for index, need in _needed(check):
            if need in names:
                continue
            meant = suggestion(need, names)
            hint = f"; did you mean {meant!r}?" if meant else ""
            yield Finding(
                (*path, "needs", index),
                f"there is no check {need!r}{hint}",
                f"one of {', '.join(names)}" if names else "",
            )


def _cycles(checks: list[tuple[Path, dict[str, Any]]]) -> Iterator[Finding]:
    """Report each cycle once, at the `needs` of its first check in the file."""
    graph: dict[str, list[str]] = {}
    place: dict[str, Path] = {}
    for path, check in checks:
        if isinstance(check.get("name"), str):
            graph.setdefault(check["name"], [need for _, need in _needed(check)])
            place.setdefault(check["name"], path)
    reported: set[str] = set()
    for start in graph:
        cycle = _way_back(graph, start)
        if cycle and not reported & set(cycle):
            reported |= set(cycle)
            yield Finding((*place[start], "needs"), f"cycle: {' → '.join([*cycle, start])}")


def _way_back(graph: dict[str, list[str]], start: str) -> list[str]:
    """Return the shortest way from `start` to itself, without its end; empty if there is none."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        longer: list[list[str]] = []
        for way in ways:
            for need in graph.get(way[-1], []):
                if need == start:
                    return way
                if need not in seen:
                    seen.add(need)
                    longer.append([*way, need])
        ways = longer
    return []


def _paths(checks: list[tuple[Path, dict[str, Any]]]) -> Iterator[Finding]:
    inside = "a path inside the repository, relative to its root"
    for path, check in checks:
        folder = check.get("working_directory")
        if isinstance(folder, str) and _leaves(folder):
            yield Finding((*path, "working_directory"), f"{folder!r} is outside", inside)
        inputs = check.get("inputs")
        for index, glob in enumerate(inputs if isinstance(inputs, list) else []):
            if isinstance(glob, str) and _leaves(glob.removeprefix("!")):
                yield Finding((*path, "inputs", index), f"{glob!r} can match nothing", inside)


def _leaves(path: str) -> bool:
    return path.startswith("/") or ".." in path.split("/")


def _host_names(document: dict[str, Any]) -> tuple[str, ...]:
    hosts = document.get("hosts")
    return (LOCAL, *(hosts if isinstance(hosts, dict) else ()))


def _hosts(document: dict[str, Any]) -> Iterator[Finding]:
    hosts = document.get("hosts")
    hosts = hosts if isinstance(hosts, dict) else {}
    for name, host in hosts.items():
        if not isinstance(host, dict):
            continue
        if name == LOCAL and "ssh" in host:
            yield Finding(
                ("hosts", name, "ssh"), "`local` is this machine", "another name for it", False
            )
        if name != LOCAL and "ssh" not in host:
            yield Finding(
                ("hosts", name),
                "`ssh` is missing: nothing says how to reach it",
                f"`ssh`, or the name `{LOCAL}` for this machine",
                False,
            )
    chosen = document.get("host")
    if isinstance(chosen, str) and chosen != LOCAL and chosen not in hosts:
        known = [LOCAL, *(name for name in hosts if name != LOCAL)]
        meant = suggestion(chosen, known)
        hint = f"; did you mean {meant!r}?" if meant else ""
        yield Finding(("host",), f"there is no host {chosen!r}{hint}", f"one of {', '.join(known)}")


_SELECTORS = ("uses", "workflow", "job", "step", "matrix")
_ONLY_WITH: dict[str, tuple[str, ...]] = {"run": ("overridden",), "check": ("satisfied-by-host",)}
_NEVER_WITH: dict[str, tuple[str, ...]] = {
    "outputs": ("executed",),
    "env": ("skipped", "satisfied-by-host"),
}


def _verdict(path: Path, rule: dict[str, Any]) -> Iterator[Finding]:
    given = [key for key in _SELECTORS if key in rule]
    if not given:
        yield Finding(path, "selects nothing", f"at least one of {', '.join(_SELECTORS)}", False)
    if rule.get("matrix") == {}:
        yield Finding((*path, "matrix"), "is empty", 'such as { os = "windows-latest" }')
    if isinstance(rule.get("step"), int) and "job" not in rule:
        yield Finding(
            (*path, "step"), "an index says little without its job", "`job` beside it, too"
        )
    verdict = rule.get("verdict")
    if not isinstance(verdict, str):
        return
    for key, verdicts in _ONLY_WITH.items():
        if key in rule and verdict not in verdicts:
            yield Finding(
                (*path, key),
                f"`{key}` means nothing with verdict {verdict!r}",
                f"verdict {verdicts[0]!r}",
                False,
            )
    for key, verdicts in _NEVER_WITH.items():
        if rule.get(key) and verdict in verdicts:
            yield Finding(
                (*path, key), f"`{key}` means nothing with verdict {verdict!r}", "", False
            )
    if verdict == "satisfied-by-host" and "check" not in rule:
        yield Finding(
            path,
            "`check` is missing: a claim about the host needs a command that fails "
            "when it is not so",
            "`check`, or verdict 'overridden'",
            False,
        )

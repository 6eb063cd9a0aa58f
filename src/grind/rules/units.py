"""A parsed fragment with everything rules ask about it, and the file around it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from grind.rules.extract.shells import flags
from grind.rules.extract.workflow import Workflow
from grind.rules.findings import Claim, Edit, Hit, NewFile, lower
from grind.rules.fragments import Context, Fragment
from grind.rules.shell.model import Assign, Compound, Node, Script, Site, Word, sites
from grind.rules.shell.programs import Call, Handed, calls_at
from grind.rules.source import Source


class Policy(NamedTuple):
    """What the repository as a whole tells the rules."""

    nix: bool = False
    """It has a flake at its root: Python comes from there, or from nowhere."""
    configured: bool = False
    """It has a grind.toml."""
    python_form: str = ""
    """What `--fix` writes before a bare `python3`; empty: nothing is safe to write."""

    @property
    def strict_python(self) -> bool:
        """Whether a bare `python3` is an error here, and not just a habit of other systems."""
        return self.nix or self.configured


class Unit:
    """A fragment, parsed. Nested ones know who hands them on."""

    def __init__(
        self, fragment: Fragment, script: Script, sender: tuple[Unit, Handed] | None
    ) -> None:
        self.fragment = fragment
        self.script = script
        self.sender = sender
        self.children: list[tuple[Handed, Unit]] = []
        self.sites = sites(script)
        self.calls: list[Call] = []
        for site in self.sites:
            if site.command.words:
                self.calls.extend(calls_at(site, fragment.context))

    @property
    def context(self) -> Context:
        """Where it runs."""
        return self.fragment.context

    @property
    def text(self) -> str:
        """The fragment's text, holes masked."""
        return self.fragment.text

    def offset(self, at: int) -> int:
        """The offset in the file of an offset in this fragment."""
        here = self.fragment.source_offset(at)
        return self.sender[0].offset(here) if self.sender else here

    def raw(self, start: int, end: int) -> str:
        """The text as it stands, with holes shown as they were written."""
        out: list[str] = []
        at = start
        for hole in self.fragment.hole_at(start, end):
            out.append(self.text[at : hole.start])
            out.append(hole.raw)
            at = hole.end
        out.append(self.text[at:end])
        return "".join(out)

    def hit(
        self,
        rule: str,
        span: tuple[int, int],
        message: str,
        severity: str,
        confidence: str,
        edits: tuple[Edit, ...] = (),
        new_files: tuple[NewFile, ...] = (),
        claim: Claim | None = None,
    ) -> Hit:
        """A hit at a span of this fragment; documentation is never more than a note."""
        start = self.offset(span[0])
        end = max(self.offset(max(span[1] - 1, span[0])) + 1, start)
        if self.context.info:
            severity, edits, new_files = "note", (), ()
        return Hit(rule, start, end, message, severity, confidence, edits, new_files, claim)

    @cached_property
    def functions(self) -> dict[str, Compound]:
        """Functions defined here, by name."""
        found: dict[str, Compound] = {}
        for node in walk(self.script.statements):
            if isinstance(node, Compound) and node.kind == "function":
                found[node.name] = node
        return found

    @cached_property
    def assigned(self) -> dict[str, list[tuple[int, Word | None]]]:
        """Variables that get a value here: name → places, with the value where it is one word."""
        found: dict[str, list[tuple[int, Word | None]]] = {}
        for site in self.sites:
            command = site.command
            scoped = bool(command.words) and command.words[0].raw not in _DECLARES
            for assign in command.assigns:
                if not scoped:
                    found.setdefault(assign.name, []).append((assign.start, assign.value))
            if command.words and command.words[0].raw in (
                "read",
                "mapfile",
                "readarray",
                "getopts",
            ):
                for word in command.words[1:]:
                    found.setdefault(word.raw, []).append((word.start, None))
        for node in walk(self.script.statements):
            if isinstance(node, Compound) and node.kind == "for" and node.name:
                found.setdefault(node.name, []).append((node.start, None))
        return found

    def constant(self, name: str) -> str | None:
        """The value of a variable that is assigned once, literally; None where that is not so."""
        places = self.assigned.get(name, [])
        if len(places) == 1 and places[0][1] is not None:
            return places[0][1].literal
        return None

    @cached_property
    def _options(self) -> list[tuple[int, str, bool]]:
        found: list[tuple[int, str, bool]] = []
        for site in self.sites:
            words = site.command.words
            if not words or words[0].raw != "set" or site.inside("function", "subshell"):
                continue
            texts = [w.text for w in words[1:]]
            on = flags([t for t in texts if not t.startswith("+")])
            off = flags(["-" + t[1:] if t.startswith("+") else t for t in texts])
            gone = any(t.startswith("+") for t in texts)
            for name, turned_on, named in zip(("errexit", "pipefail"), on, off, strict=False):
                if turned_on and not gone:
                    found.append((site.command.start, name, True))
                elif named and gone:
                    found.append((site.command.start, name, False))
        return found

    def option(self, name: str, at: int) -> bool:
        """Whether errexit or pipefail is on at a place."""
        value = self.context.errexit if name == "errexit" else self.context.pipefail
        for place, option, on in self._options:
            if option == name and place < at:
                value = on
        return value

    def calls_before(self, at: int) -> Iterator[Call]:
        """Calls that start before a place."""
        return (call for call in self.calls if call.head.start < at)


_DECLARES = frozenset(("export", "local", "declare", "readonly", "typeset"))


def walk(nodes: list[Node]) -> Iterator[Node]:
    """All statements, outermost first; not those inside substitutions."""
    from grind.rules.shell.model import Chain, Pipe

    for node in nodes:
        yield node
        if isinstance(node, Pipe):
            yield from walk(node.stages)
        elif isinstance(node, Chain):
            yield from walk(node.items)
        elif isinstance(node, Compound):
            for _, body in node.blocks:
                yield from walk(body)


class View:
    """One file: its source, its shell, and the repository's policy."""

    def __init__(
        self,
        kind: str,
        source: Source,
        units: list[Unit],
        workflow: Workflow | None,
        policy: Policy,
    ) -> None:
        self.kind = kind
        self.source = source
        self.units = units
        self.workflow = workflow
        self.policy = policy

    @property
    def runs_here(self) -> bool:
        """Whether a workflow stands where the forge looks for it, and not in some example."""
        return bool(re.match(r"\.(github|gitea|forgejo)/workflows/", self.source.path))

    def running(self) -> Iterator[Unit]:
        """Units that something runs: not documentation."""
        return (unit for unit in self.units if not unit.context.info)

    def hit(
        self,
        rule: str,
        span: tuple[int, int],
        message: str,
        severity: str,
        confidence: str,
        claim: Claim | None = None,
    ) -> Hit:
        """A hit at byte offsets of the file."""
        return Hit(
            rule, span[0], max(span[1], span[0] + 1), message, severity, confidence, claim=claim
        )


__all__ = ["Assign", "Policy", "Site", "Unit", "View", "lower", "walk"]

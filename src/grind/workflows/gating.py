"""Whether a `run:` text can fail at all, under the shell that GitHub gives it.

No `shell:` is `bash -e {0}` **without** pipefail; `shell: bash` is
`bash --noprofile --norc -e -o pipefail {0}`; `shell: sh` is `sh -e {0}`. So `clippy | tee log`
cannot fail by default. A text is called non-gating only when it masks the failure of a command and
no other command can end it with an error; whatever is not understood can fail.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from grind.workflows.shellmodel import Command, Node, Script
from grind.workflows.shellread import read_shell

_NEVER_FAIL = frozenset({"echo", "printf", "true", ":", "tee", "sleep", "date", "pwd", "shopt"})
_FILTERS = frozenset("cat head tail wc sort uniq nl tr cut fold column ts".split())  # noqa: SIM905
"""Never fail while they read what is piped in."""
_DECLARE = frozenset({"export", "local", "declare", "typeset", "readonly", "unset"})
_TESTS = frozenset({"[", "test", "[["})
_DEPTH = 60


class Gating(NamedTuple):
    """Whether a failure can turn CI red, and what is masked."""

    gating: bool
    reason: str = ""
    masked: tuple[str, ...] = ()
    """Commands whose failure nothing sees, with the reason; also when others can fail."""


class _Mode(NamedTuple):
    errexit: bool
    pipefail: bool


def can_fail(text: str, shell: str = "") -> Gating:
    """Judge a text; `shell` is the step's `shell:` as written, empty when there is none."""
    mode = _mode(shell)
    if mode is None:
        return Gating(True, f"`{shell}` is not read")
    return can_script_fail(read_shell(text), mode.errexit, mode.pipefail)


def can_script_fail(script: Script, errexit: bool, pipefail: bool) -> Gating:
    """Judge a text that was read already."""
    if not script.complete:
        return Gating(True, "the text is not understood whole")
    defined = [node for node in _all(script.body) if node.kind == "function"]
    functions = {node.name: node.parts[0] for node in defined}
    if len(functions) < len(defined):
        return Gating(True, "a function is defined twice, and which one runs is not followed")
    walk = _Walk(functions)
    outcome = walk.sequence(script.body, _Mode(errexit, pipefail), 0)
    for command in script.commands:
        if command.place.substitution not in (None, "=") and can_command_fail(command):
            name = " ".join(word[:40] for word in command.argv[:3])
            owner = command.place.substitution
            walk.masked.append(f"`{name}` (line {command.line + 1}): in a `$( )` of `{owner}`")
    masked = tuple(dict.fromkeys(walk.masked))
    if outcome.exits or outcome.nonzero or not masked:
        return Gating(True, "", masked)
    return Gating(False, "the step cannot fail: " + "; ".join(masked[:3]), masked)


def _mode(shell: str) -> _Mode | None:
    try:
        words = shlex.split(shell)
    except ValueError:
        return None
    if not words:
        return _Mode(True, False)
    name = words[0].rpartition("/")[2]
    if name not in ("bash", "sh", "dash"):
        return None
    if len(words) == 1:
        return _Mode(True, name == "bash")
    short = "".join(w[1:] for w in words[1:] if w.startswith("-") and not w.startswith("--"))
    return _Mode("e" in short or "errexit" in words, "pipefail" in words)


def _all(nodes: Sequence[Node]) -> list[Node]:
    found, stack = [], list(nodes)
    while stack:
        node = stack.pop()
        found.append(node)
        for part in node.parts:
            stack.extend(part)
    return found


class _Outcome(NamedTuple):
    exits: bool = False
    """It can end the whole script with an error."""
    nonzero: bool = False
    """Its own status can be an error that does not end the script by itself."""
    ends: bool = False
    """Nothing after it runs."""


_ANY = _Outcome(True, True)
_FINE = _Outcome()


class _Walk:
    """One pass over a script; `masked` collects what it saw hidden."""

    def __init__(self, functions: Mapping[str, Sequence[Node]]) -> None:
        self._functions = functions
        self._calling: list[str] = []
        self.masked: list[str] = []

    def sequence(self, nodes: Sequence[Node], mode: _Mode, depth: int) -> _Outcome:
        """Statements one after the other, with `set` taking effect as it comes."""
        exits, nonzero, last = False, False, None
        lost = False  # the last statement's error neither ends the script nor is looked at
        for node in nodes:
            if node.kind == "function":
                continue
            changed = _set(node, mode)
            if changed is not None:
                if last is not None and lost:
                    self._hide(last, "its status is not looked at")
                mode, nonzero, last, lost = changed, False, node, False
                continue
            if last is not None and lost and not _asks_status(node):
                self._hide(last, "its status is not looked at")
            outcome = self.node(node, mode, depth + 1)
            exits = exits or outcome.exits
            if outcome.ends:
                plain = _asks_status(node) and not outcome.nonzero
                return _Outcome(exits, nonzero if plain else outcome.nonzero, True)
            nonzero, last = outcome.nonzero, node
            lost = outcome.nonzero and not outcome.exits
        return _Outcome(exits, nonzero)

    def node(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        """What the statement can do to the script."""
        if depth > _DEPTH:
            return _ANY
        if node.kind in ("command", "assign"):
            return self._command(node, mode, depth)
        if node.kind == "test":
            return _Outcome(mode.errexit, True)
        method = getattr(self, f"_on_{node.kind}", None)
        if method is None:
            return _ANY
        outcome: _Outcome = method(node, mode, depth)
        return outcome

    def _command(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        command = node.command
        if command is None:
            return _ANY
        if command.name == "exit" and not command.wrappers:
            return _exit(command)
        body = self._functions.get(command.name) if not command.wrappers else None
        if body is not None and command.name not in self._calling:
            self._calling.append(command.name)
            outcome = self.sequence(body, mode, depth + 1)
            self._calling.pop()
            return outcome._replace(ends=False)
        if command.name in _DECLARE and _computes(command):
            self._hide(node, "the status of its `$( )` is lost")
        fails = can_command_fail(command)
        return _Outcome(fails and mode.errexit, fails)

    def _on_pipeline(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        outcomes = [self._inside(part, mode, depth) for part in node.parts]
        last = _Outcome(outcomes[-1].nonzero and mode.errexit, outcomes[-1].nonzero)
        if mode.pipefail:
            # Even `echo | true` can fail: by SIGPIPE.
            return _Outcome(mode.errexit, True)
        tail = _name(node.parts[-1][0]) if node.parts[-1] else ""
        for part, outcome in zip(node.parts[:-1], outcomes[:-1], strict=True):
            if outcome.nonzero and part:
                self._hide(part[0], f"piped into `{tail}` without pipefail")
        return last

    def _inside(self, nodes: Sequence[Node], mode: _Mode, depth: int) -> _Outcome:
        """A process of its own: ending it only gives it a status."""
        outcome = self.sequence(nodes, mode, depth + 1)
        return _Outcome(False, outcome.exits or outcome.nonzero)

    def _on_and(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        quiet = mode._replace(errexit=False)
        left = self.sequence(node.parts[0], quiet, depth + 1)
        right = self.sequence(node.parts[1], mode, depth + 1)
        return _Outcome(left.exits or right.exits, left.nonzero or right.nonzero)

    def _on_or(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        quiet = mode._replace(errexit=False)
        left = self.sequence(node.parts[0], quiet, depth + 1)
        right = self.sequence(node.parts[1], mode, depth + 1)
        if left.nonzero and not (right.exits or right.nonzero):
            name = _name(node.parts[1][0]) if node.parts[1] else "true"
            self._hide(node.parts[0][0], f"followed by `|| {name}`")
        return _Outcome(left.exits or right.exits, right.nonzero)

    def _on_not(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        inner = self.sequence(node.parts[0], mode._replace(errexit=False), depth + 1)
        return _Outcome(inner.exits, True)

    def _on_group(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        return self.sequence(node.parts[0], mode, depth + 1)

    def _on_subshell(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        inner = self._inside(node.parts[0], mode, depth)
        return _Outcome(inner.nonzero and mode.errexit, inner.nonzero)

    def _on_background(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        if self._inside(node.parts[0], mode, depth).nonzero:
            self._hide(node.parts[0][0], "runs in the background")
        return _FINE

    def _on_if(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        quiet = mode._replace(errexit=False)
        exits = nonzero = False
        for index, part in enumerate(node.parts):
            condition = index % 2 == 0 and index + 1 < len(node.parts)
            outcome = self.sequence(part, quiet if condition else mode, depth + 1)
            exits = exits or outcome.exits or (outcome.ends and outcome.nonzero)
            nonzero = nonzero or (not condition and outcome.nonzero)
        if not exits and not nonzero:
            for part in node.parts[:-1:2]:
                self._condition(part)
        return _Outcome(exits, nonzero)

    def _condition(self, nodes: Sequence[Node]) -> None:
        """A command whose failure only takes another branch; a plain test is none."""
        for node in _all(nodes):
            command = node.command
            if command is not None and command.name not in _TESTS and can_command_fail(command):
                self._hide(node, "only a condition")

    def _on_while(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        condition = self.sequence(node.parts[0], mode._replace(errexit=False), depth + 1)
        body = self.sequence(node.parts[1], mode, depth + 1)
        return _Outcome(condition.exits or body.exits, body.nonzero)

    _on_until = _on_while

    def _on_for(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        return self.sequence(node.parts[0], mode, depth + 1)._replace(ends=False)

    def _on_case(self, node: Node, mode: _Mode, depth: int) -> _Outcome:
        outcomes = [self.sequence(part, mode, depth + 1) for part in node.parts]
        exits = any(one.exits or (one.ends and one.nonzero) for one in outcomes)
        return _Outcome(exits, any(one.nonzero for one in outcomes))

    def _hide(self, node: Node, why: str) -> None:
        name = _name(node)
        if name:
            self.masked.append(f"`{name}` (line {node.line + 1}): {why}")


def can_command_fail(command: Command) -> bool:
    """Whether the simple command can have another status than 0."""
    if not command.words:
        if command.wrappers or command.redirects:
            return True
        return _computes(command)
    if command.wrappers:
        return True
    if command.name in _DECLARE or command.name in _NEVER_FAIL:
        return False
    if command.name in _FILTERS and command.place.pipe:
        return any(not word.startswith("-") and not word.isdigit() for word in command.argv[1:])
    return not (command.name == "wait" and len(command.words) == 1)


def _computes(command: Command) -> bool:
    return any("$(" in word.text or "`" in word.text for _, word in command.assignments)


def _exit(command: Command) -> _Outcome:
    words = command.argv[1:]
    if not words or words[0] in ("$?",):
        return _Outcome(False, False, True)
    fails = words[0] != "0"
    return _Outcome(fails, fails, True)


def _asks_status(node: Node) -> bool:
    command = node.command
    if command is None:
        return True  # a construct may look at `$?`
    text = " ".join(command.argv) + " ".join(word.text for _, word in command.assignments)
    if command.name == "exit":
        return len(command.words) == 1 or "$?" in text
    return "$?" in text or "PIPESTATUS" in text


def _set(node: Node, mode: _Mode) -> _Mode | None:
    """The mode after a `set` command; None when the node is none."""
    command = node.command
    if command is None or command.name != "set" or command.wrappers:
        return None
    errexit, pipefail = mode
    words = command.argv[1:]
    for index, word in enumerate(words):
        if word in ("pipefail", "errexit") and index and words[index - 1][-1:] == "o":
            on = words[index - 1].startswith("-")
            pipefail = on if word == "pipefail" else pipefail
            errexit = on if word == "errexit" else errexit
        elif word[:1] in "-+" and word[1:].isalpha() and "e" in word[1:]:
            errexit = word.startswith("-")
    return _Mode(errexit, pipefail)


def _name(node: Node) -> str:
    """The first command of a construct, for people."""
    for one in [node, *_all([p for part in node.parts for p in part])[::-1]]:
        if one.command is not None and one.command.words:
            words = one.command.argv[:3]
            return " ".join(word.split("\n")[0][:40] for word in words)
    return node.kind

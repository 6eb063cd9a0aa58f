"""From a shell text to the commands that are compared, each with the folder it runs in. Pure.

`cd x &&` and `working-directory: x` are the same; `ssh HOST 'text'` is read as the text; a call of a
recipe or of a script of the repository is read as what it runs. Commands that neither check nor
build anything (`echo`, `mkdir`, `set`, …) are left out.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from hashlib import blake2s
from typing import TYPE_CHECKING, NamedTuple

from grind.core.drift import SiteKind
from grind.workflows.commandline import row
from grind.workflows.drifttasks import Call, Task, Tasks, call_of, instantiate
from grind.workflows.driftwords import Unit, normalise
from grind.workflows.shellmodel import Command, Node
from grind.workflows.shellread import make_parser, read_shell

if TYPE_CHECKING:
    from tree_sitter import Parser

DEPTH = 4
"""Recipes that call recipes that call scripts; what is deeper is compared as the call it is."""
_NODES = 60


class Found(NamedTuple):
    """A command of a text."""

    unit: Unit
    line: int
    """0-based, in the text."""
    note: str = ""
    """`over ssh HOST`, or the calls it was seen through: `just test`."""


class Reading(NamedTuple):
    """What a text runs."""

    found: tuple[Found, ...]
    unread: str = ""
    """Why it was not read whole; empty when it was."""


_NOTHING = frozenset(
    row(
        "echo printf true false : set shopt export local readonly declare typeset unset read shift "
        "exit return sleep date pwd trap wait mkdir rmdir rm cp mv ln touch chmod chown cat tee "
        "head tail sort uniq tr cut wc sed awk basename dirname realpath readlink type which "
        "command hash alias exec ulimit umask env printenv id whoami uname hostname nproc tput "
        "clear let getopts break continue jobs kill ls tree df free du column fold seq xargs yes "
        "popd mktemp time stat eval builtin"
    )
)
"""Commands that prepare, arrange or talk."""
_ASKS = frozenset(row("test [ [[ grep egrep rg diff cmp jq"))
"""Commands that check something when their status is what the text ends with, and not otherwise."""
_ROOTS = re.compile(
    r"\$\(git rev-parse --show-toplevel\)|`git rev-parse --show-toplevel`|\$\{?GITHUB_WORKSPACE\}?|"
    r"\$\{\{\s*github\.workspace\s*\}\}"
)
_OWN = re.compile(
    r"""\$\(\s*dirname\s+(?:--\s+)?["']?(?:\$0|\$\{0\}|\$\{?BASH_SOURCE(?:\[0\])?\}?)["']?\s*\)|"""
    r"\$\{(?:0|BASH_SOURCE(?:\[0\])?)%/\*\}"
)
_SSH_VALUED = frozenset(row("-b -B -c -D -E -e -F -I -i -J -L -l -m -O -o -P -p -Q -R -S -W -w"))


class Reader:
    """Reads texts of one repository; `tasks` gives the tasks of a file by its path."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._parser: Parser | None = None

    def text(self, text: str, folder: str = "", own: str = "") -> Reading:
        """Read a text that starts in `folder`; `own` is the path of the script that it is."""
        walk = _Walk(self, own, (), "")
        walk.text(text, folder, 0)
        return walk.reading()

    def task(self, task: Task) -> Reading:
        """Read what a task runs when it is started without arguments."""
        walk = _Walk(self, "", (), "")
        walk.task(task, (), 0)
        return walk.reading()

    def nodes(self, text: str) -> tuple[tuple[Node, ...], bool]:
        """Parse a text; the second value says whether it was understood whole."""
        if self._parser is None:
            self._parser = make_parser()
        script = read_shell(text, self._parser)
        return script.body, script.complete

    def tasks(self, file: str) -> tuple[Task, ...]:
        """Return the tasks of a file."""
        return self._tasks(file)


class _Walk:
    """One pass over a text, in the order in which it runs."""

    def __init__(self, reader: Reader, own: str, seen: tuple[str, ...], note: str) -> None:
        self._reader = reader
        self._own = own
        self._seen = seen
        self._note = note
        self._found: list[Found] = []
        self._unread: list[str] = []
        self._functions: dict[str, tuple[Node, ...]] = {}
        self._remote = False
        self._line = 0

    def reading(self) -> Reading:
        return Reading(tuple(dict.fromkeys(self._found)), "; ".join(dict.fromkeys(self._unread)))

    def text(self, text: str, folder: str, line: int) -> None:
        nodes, complete = self._reader.nodes(text)
        if not complete:
            self._unread.append("the shell text is not understood whole")
        before, self._line = self._line, line
        self._sequence(nodes, folder, 0)
        self._line = before

    def task(self, task: Task, arguments: Sequence[str], depth: int) -> None:
        """Read a task's needs, its texts, and what follows it."""
        if task.call in self._seen or depth > DEPTH:
            return
        siblings = {other.name: other for other in self._reader.tasks(task.file)}
        self._seen = (*self._seen, task.call)
        for name in task.needs:
            if name in siblings:
                self.task(siblings[name], (), depth + 1)
        if task.opaque:
            unit = normalise((*task.call.split(), *arguments), task.folder)
            self._found.append(Found(unit, task.line - 1, self._note))
        for text, line in instantiate(task, arguments):
            inner = _Walk(self._reader, task.file, self._seen, self._note)
            inner.text(text, task.folder, line)
            self._take(inner)
        for name in task.after:
            if name in siblings:
                self.task(siblings[name], (), depth + 1)

    def _take(self, inner: _Walk) -> None:
        self._found += inner._found
        self._unread += inner._unread

    # --- constructs: each returns the folder that what follows runs in ---------------------------

    def _sequence(
        self, nodes: Sequence[Node], folder: str, depth: int, *, asked: bool = False
    ) -> str:
        for node in nodes:
            folder = self._node(node, folder, depth + 1, asked=asked)
        return folder

    def _node(self, node: Node, folder: str, depth: int, *, asked: bool) -> str:
        if depth > _NODES:
            self._unread.append("nested too deeply")
            return folder
        if node.kind == "function":
            self._functions[node.name] = node.parts[0]
        elif node.kind == "command" and node.command is not None:
            return self._command(node.command, folder, depth, asked=asked)
        elif node.kind in ("and", "or"):
            folder = self._sequence(node.parts[0], folder, depth, asked=True)
            inner = self._sequence(node.parts[1], folder, depth, asked=asked)
            return inner if node.kind == "and" else folder
        elif node.kind == "group":
            return self._sequence(node.parts[0], folder, depth, asked=asked)
        elif node.kind in ("if", "while", "until"):
            self._branches(node, folder, depth)
        else:  # processes of their own, and what may not be reached: the folder stays
            for part in node.parts:
                self._sequence(part, folder, depth, asked=asked and node.kind != "pipeline")
        return folder

    def _branches(self, node: Node, folder: str, depth: int) -> None:
        for index, part in enumerate(node.parts):
            condition = index % 2 == 0 and index + 1 < len(node.parts)
            self._sequence(part, folder, depth, asked=condition)

    # --- commands --------------------------------------------------------------------------------

    def _command(self, command: Command, folder: str, depth: int, *, asked: bool) -> str:
        if not command.words or not command.words[0].text:
            return folder
        name = command.name
        if name in ("cd", "pushd"):
            return self._changed(command.argv, folder)
        body = self._functions.pop(name, None)
        if body is not None:  # taken away while it is read, so that it does not call itself
            self._sequence(body, folder, depth, asked=asked)
            self._functions[name] = body
            return folder
        if name == "ssh" and self._over_ssh(command):
            return folder
        if name in _NOTHING or (name in _ASKS and (asked or command.place.pipe)):
            return folder
        call = call_of(command.argv, folder)
        line = self._line + command.line
        if call is not None and self._called(call, folder, line):
            return folder
        words = command.argv
        if command.heredoc is not None:
            digest = blake2s(" ".join(command.heredoc.split()).encode("utf-8", "replace"))
            words = (*words, f"<<#{digest.hexdigest()[:8]}")
        self._found.append(Found(normalise(words, folder), line, self._note))
        return folder

    def _changed(self, argv: Sequence[str], folder: str) -> str:
        """The folder after `cd`. One that is not known is kept as it is written."""
        words = [word for word in argv[1:] if word not in ("--", "-P", "-L", "-e")]
        target = words[0] if words else "~"
        remote, self._remote = self._remote, False
        if remote:
            # Where the checkout is on the other machine: the first `cd` there says it.
            return ""
        target = _ROOTS.sub(".//", target)
        if self._own:
            target = _OWN.sub(f".//{posixpath.dirname(self._own)}", target)
        if target.startswith(".//"):
            return _tidy(target[3:].lstrip("/"))
        if target == "-" or target.startswith(("/", "~", "$", "`")) or "$" in target:
            return target
        if folder.startswith(("/", "~", "$", "`")):
            return posixpath.join(folder, target)
        return _tidy(posixpath.join(folder, target))

    def _called(self, call: Call, folder: str, line: int) -> bool:
        """Read what a call stands for; False when that is not to be found."""
        for file in call.files:
            tasks = self._reader.tasks(file)
            if not tasks:
                continue
            chosen = _chosen(tasks, call)
            if not chosen or len(self._seen) >= DEPTH:
                return False
            if any(task.call in self._seen for task in chosen):
                return False
            before = len(self._found)
            for one in chosen:
                task = one
                if task.kind in (SiteKind.SCRIPT, SiteKind.HOOK):
                    task = task._replace(folder=folder)  # a script runs where it is called
                note = self._note or f"by `{task.call}`"
                inner = _Walk(self._reader, task.file, self._seen, note)
                inner.task(task, call.arguments if len(chosen) == 1 else (), len(self._seen))
                inner._found = [found._replace(line=line) for found in inner._found]
                self._take(inner)
            # A task that comes to nothing that can be compared is compared as the call it is.
            return len(self._found) > before
        return False

    def _over_ssh(self, command: Command) -> bool:
        words = list(command.argv[1:])
        while words and words[0].startswith("-"):
            words = words[2:] if words[0] in _SSH_VALUED else words[1:]
        if not words:
            return False
        host, *rest = words
        while rest and rest[0].startswith("-") and rest[0] != "--":
            rest = rest[2:] if rest[0] in _SSH_VALUED else rest[1:]
        if command.heredoc is not None and (not rest or rest[0].rpartition("/")[2] in _REMOTE):
            text = command.heredoc
        else:
            text = " ".join(word for word in rest if word != "--")
        if not text.strip():
            return False
        inner = _Walk(self._reader, self._own, self._seen, f"over ssh {host}")
        inner._remote = True
        inner.text(text, "", self._line + command.line)
        self._take(inner)
        return True


_REMOTE = frozenset({"bash", "sh", "zsh"})


def _chosen(tasks: tuple[Task, ...], call: Call) -> tuple[Task, ...]:
    if not call.names:
        return tasks[:1]
    by_name = {task.name: task for task in tasks}
    return tuple(by_name[name] for name in call.names) if {*call.names} <= {*by_name} else ()


def _tidy(path: str) -> str:
    path = posixpath.normpath(path or ".")
    return "" if path == "." else path

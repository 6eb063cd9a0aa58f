"""What `just RECIPE`, `make TARGET`, `npm run X` and a script of the repository stand for. Pure.

The files are read by whoever holds the tree; here is only which file a command means, and what
its arguments do to the text.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Sequence
from typing import NamedTuple

from grind.core.drift import SiteKind
from grind.workflows.commandline import row, value
from grind.workflows.shellwrap import SHELLS


class Task(NamedTuple):
    """One recipe, target, package script or script file."""

    kind: SiteKind
    file: str
    name: str
    line: int
    texts: tuple[tuple[str, int], ...]
    """Shell texts with their lines in the file; each runs in a shell of its own. What the runner
    fills in stands as `${{ name }}`."""
    needs: tuple[str, ...] = ()
    """Tasks of the same file that run before it."""
    after: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str | None, bool], ...] = ()
    """Name, default, and whether it takes all that is left (`*args`)."""
    folder: str = ""
    """Where it runs, relative to the repository's root."""
    opaque: bool = False
    """Whether it has a body in a language that is not read."""

    @property
    def call(self) -> str:
        """How a person starts it."""
        if self.kind in (SiteKind.SCRIPT, SiteKind.HOOK):
            return self.file
        runner = {SiteKind.NPM: "npm run"}.get(self.kind, str(self.kind))
        return f"{runner} {self.name}"


class Call(NamedTuple):
    """What a command line starts: a task of a file, by name (empty for the file's first)."""

    kind: SiteKind
    files: tuple[str, ...]
    """Paths that may hold it; the first that exists does."""
    names: tuple[str, ...]
    arguments: tuple[str, ...] = ()


Tasks = Callable[[str], tuple[Task, ...]]
"""Gives the tasks of a file of the repository by its path; nothing when there is no such file."""

_JUST = ("justfile", "Justfile", ".justfile", "JUSTFILE")
_MAKE = ("GNUmakefile", "makefile", "Makefile")
_PACKAGE = frozenset({"npm", "pnpm", "yarn", "bun"})
_LIFE = frozenset({"test", "start", "stop", "restart"})
_YARN_OWN = frozenset(
    row(
        "add audit autoclean bin cache check config create dlx exec generate-lock-entry global help "
        "import info init install licenses link list login logout node outdated owner pack plugin "
        "policies publish rebuild remove set tag team unlink unplug up upgrade upgrade-interactive "
        "version versions why workspace workspaces"
    )
)
_WORKSPACES = frozenset(row("-w --workspace --workspaces -ws -r --recursive --filter -F"))
_HOLE = re.compile(r"\$\{\{\s*([\w-]+)\s*\}\}")


def call_of(argv: Sequence[str], folder: str) -> Call | None:
    """Return what `argv` starts when it runs in `folder`, None when it starts no task.

    A form of the command line that is not understood is no call: it is compared as it stands.
    """
    name = argv[0].rpartition("/")[2]
    if name == "just":
        return _just(argv, folder)
    if name in ("make", "gmake"):
        return _make(argv, folder)
    if name in _PACKAGE:
        return _package(name, argv, folder)
    return _script(argv, folder)


def instantiate(task: Task, arguments: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Return the task's texts with the arguments put in, as its runner splices them."""
    given = list(arguments)
    if task.kind is SiteKind.NPM:
        more = "".join(f" {shlex.quote(word)}" for word in given)
        return tuple((text + more, line) for text, line in task.texts)
    values: dict[str, str] = {}
    for name, default, rest in task.parameters:
        if rest:
            values[name] = " ".join(given) if given else (default or "")
            given = []
        elif given:
            values[name] = given.pop(0)
        elif default is not None:
            values[name] = default
    if not values:
        return task.texts
    return tuple(
        (_HOLE.sub(lambda hole: values.get(hole[1], hole[0]), text), line)
        for text, line in task.texts
    )


def _just(argv: Sequence[str], folder: str) -> Call | None:
    file = value(argv, "-f", "--justfile")
    words = _without(argv[1:], "-f", "--justfile", "-d", "--working-directory")
    words = [word for word in words if word not in ("-q", "--quiet", "--unstable", "-v", "-u")]
    if any(word.startswith("-") for word in words[:1]):
        return None
    while words and re.fullmatch(r"[A-Za-z_][\w-]*=.*", words[0], re.DOTALL):
        words = words[1:]
    if file is not None:
        files: tuple[str, ...] = (_join(folder, file),)
    else:
        files = tuple(_join(up, name) for up in _upwards(folder) for name in _JUST)
    return Call(SiteKind.JUST, files, tuple(words[:1]), tuple(words[1:]))


def _make(argv: Sequence[str], folder: str) -> Call | None:
    inner = value(argv, "-C", "--directory")
    file = value(argv, "-f", "--file", "--makefile")
    words = _without(
        argv[1:], "-C", "--directory", "-f", "--file", "--makefile", "-j", keep_joined=False
    )
    targets = [w for w in words if not w.startswith("-") and "=" not in w and not w.isdigit()]
    if any(word in ("-n", "--dry-run", "-q", "-t") for word in words):
        return None
    folder = _join(folder, inner) if inner is not None else folder
    files = (_join(folder, file),) if file is not None else tuple(_join(folder, n) for n in _MAKE)
    return Call(SiteKind.MAKE, files, tuple(targets))


def _package(name: str, argv: Sequence[str], folder: str) -> Call | None:
    inner = value(argv, "--prefix", "-C", "--dir", "--cwd")
    words = _without(argv[1:], "--prefix", "-C", "--dir", "--cwd")
    if any(word.partition("=")[0] in _WORKSPACES for word in words):
        return None
    while words and words[0] in ("-s", "--silent", "--if-present"):
        words = words[1:]
    if not words:
        return None
    if words[0] in ("run", "run-script"):
        words = [word for word in words[1:] if word not in ("--if-present", "-s", "--silent")]
    elif words[0] in ("t", "tst") and name in ("npm", "pnpm"):
        words = ["test", *words[1:]]
    elif words[0] in _LIFE:
        if name == "bun":
            return None  # `bun test` is bun's own runner
    elif name != "yarn" or words[0] in _YARN_OWN:
        return None
    if not words or words[0].startswith("-"):
        return None
    rest = words[1:]
    if name == "npm":
        rest = rest[rest.index("--") + 1 :] if "--" in rest else []
    elif rest[:1] == ["--"]:
        rest = rest[1:]
    folder = _join(folder, inner) if inner is not None else folder
    files = (_join(folder, "package.json"),)
    return Call(SiteKind.NPM, files, (words[0],), tuple(rest))


def _script(argv: Sequence[str], folder: str) -> Call | None:
    name = argv[0].rpartition("/")[2]
    words = list(argv)
    if name in SHELLS or argv[0] in (".", "source"):
        words = [word for word in words[1:] if not word.startswith(("-", "+"))]
        if words and words[0] in ("pipefail", "errexit", "nounset"):
            words = words[1:]
    elif "/" not in argv[0]:
        return None
    if not words or words[0].startswith(("/", "~", "$")):
        return None
    return Call(SiteKind.SCRIPT, (_join(folder, words[0]),), (), tuple(words[1:]))


def _without(words: Sequence[str], *options: str, keep_joined: bool = True) -> list[str]:
    """Leave out options with their values; with `keep_joined` false also `-j4`."""
    left: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        index += 1
        if word in options:
            following = words[index] if index < len(words) else "-"
            index += 0 if word == "-j" and not following.isdigit() else 1
        elif any(word.startswith(f"{o}=") for o in options if o.startswith("--")) or (
            not keep_joined and any(word.startswith(o) for o in options if len(o) == 2)
        ):
            continue
        else:
            left.append(word)
    return left


def _upwards(folder: str) -> list[str]:
    if folder.startswith(("/", "~", "$", "?", "..")):
        return []
    found = [folder]
    while found[-1]:
        found.append(posixpath.dirname(found[-1]))
    return found


def _join(folder: str, path: str) -> str:
    joined = posixpath.normpath(posixpath.join(folder, path))
    return "" if joined == "." else joined

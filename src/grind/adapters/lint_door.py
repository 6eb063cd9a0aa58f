"""The answer of `grind lint` that the door (`grind/door.sh`) gives again while nothing has changed.

An answer hangs on every file that was read, on every folder in which a file could appear, on what
decides which files git lists, and on grind itself. sh has one program compare them all: `stat`
prints size, inode, mode and both times of each, to the nanosecond, and that must be the text that
was kept. As git does with its index, nothing is kept that hangs on a file written a moment before it
was read: two writes may share a time. See docs/adr/0055.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from grind.adapters.files import private_folder, replace_file
from grind.adapters.gitfiles import deciding
from grind.adapters.lint_tree import WorkTree, folders
from grind.core.errors import GrindError
from grind.core.shelltext import quoted

FORMAT = "1"
KEPT = 20
"""Command lines that the door knows."""
WATCHED = 1_000_000
"""Bytes of the names of all files; an answer that hangs on more is not kept: a command line has an
end."""
NAMED = (
    "PATH",
    "HOME",
    "XDG_CONFIG_HOME",
    "NO_COLOR",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "PYTHONIOENCODING",
    "PYTHONUTF8",
    "PYTHONCOERCECLOCALE",
    "PYTHONPATH",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
)
"""Variables that an answer may hang on; it is for exactly their values. In the door's order."""
REFUSED = (
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_CEILING_DIRECTORIES",
    "GIT_DISCOVERY_ACROSS_FILESYSTEM",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_EXEC_PATH",
    "GIT_LITERAL_PATHSPECS",
    "GIT_GLOB_PATHSPECS",
    "GIT_NOGLOB_PATHSPECS",
    "GIT_ICASE_PATHSPECS",
)
"""Variables with which nothing is kept or given again: they say which repository is meant, or how."""
_MOMENT = 50_000_000
"""Nanoseconds below which a file counts as just written; kernels stamp files at ticks of up to 10 ms."""
_COARSE = 2_000_000_000
"""The same where times are whole seconds, or every second one."""


class Asked(NamedTuple):
    """A command line whose answer may be kept."""

    key: str
    """As the door makes it: what was typed, where, and the variables."""
    root: str
    folder: str
    """Of the door, for lint."""
    began: int
    """Nanoseconds since the epoch, by the clock of the file system: nothing was read before."""


class Answer(NamedTuple):
    """What was said."""

    code: int
    output: bytes


def asked(
    root: str, argv: Sequence[str], environ: Mapping[str, str], *, terminal: bool
) -> Asked | None:
    """Return how the door would ask for what is asked now; None when it would not."""
    if any(name in environ for name in REFUSED):
        return None
    here = _logical(environ)
    values = [f"={environ[name]}" if _is_set(name, environ) else "" for name in NAMED]
    parts = [FORMAT, str(int(terminal)), here, *values, str(len(argv)), *argv]
    place = _notes(here, root)
    if place is None or any("\n" in part for part in parts):
        return None
    folder = os.path.join(place, "lint")
    try:
        for path in (os.path.dirname(place), place, folder):
            private_folder(path)
        began = _now_there(folder)
    except (GrindError, OSError):
        return None
    return Asked("\n".join(parts), root, folder, began)


def _is_set(name: str, environ: Mapping[str, str]) -> bool:
    """Whether a variable was there when this process was started: Python sets LC_CTYPE by itself
    where the locale is C (PEP 538)."""
    if name != "LC_CTYPE" or name not in environ:
        return name in environ
    try:
        with open("/proc/self/environ", "rb") as file:
            return any(one.startswith(b"LC_CTYPE=") for one in file.read().split(b"\0"))
    except OSError:
        return True


def _logical(environ: Mapping[str, str]) -> str:
    """Return the working folder as a shell calls it: as it was entered, through links if need be."""
    named = environ.get("PWD", "")
    with contextlib.suppress(OSError):
        plain = os.path.isabs(named) and os.path.normpath(named) == named
        if plain and os.path.samefile(named, "."):
            return named
    return os.getcwd()


def _notes(here: str, root: str) -> str | None:
    """Return the folder of the door's notes as the door finds it; None when it finds another
    repository than git."""
    at = here
    while not os.path.exists(os.path.join(at, ".git")):
        if at in ("/", ""):
            return None
        at = os.path.dirname(at)
    if not os.path.samefile(at, root):
        return None
    git = os.path.join(at, ".git")
    if os.path.isfile(git):
        with open(git, encoding="utf-8", errors="surrogateescape") as file:
            git = file.readline().removesuffix("\n").removeprefix("gitdir: ")
    return os.path.join(git, "grind", "door") if os.path.isabs(git) else None


def _now_there(folder: str) -> int:
    """Return the time, as the file system has it that keeps the folder: a server's clock may be
    another one."""
    import time

    mark = os.path.join(folder, "mark")
    os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600))
    os.utime(mark)
    return min(os.stat(mark).st_mtime_ns, time.time_ns())


def keep(
    asked: Asked,
    tree: WorkTree,
    answer: Answer,
    environ: Mapping[str, str],
    *,
    more: Iterable[str],
    programs: Iterable[str],
) -> bool:
    """Let the door know an answer; `more` are further files that it was made from, `programs` what
    made it. False when the door cannot be told, or shall not be: something was just written."""
    decides = deciding(asked.root, environ)
    if decides is None:
        return False
    own = [f"./{path}" for path in (*_files(tree), *_folders(asked.root))]
    watched = list(dict.fromkeys([*own, *decides.there, *more, *programs, *_code()]))
    if sum(map(len, watched)) > WATCHED:
        return False
    rows = [_row(os.path.join(asked.root, path), asked.began) for path in watched]
    if None in rows:
        return False
    name = f"{os.getpid()}-{asked.began}"
    listing = _listing(watched, decides.absent, tree.asked)
    for suffix, data in (
        ("list", listing.encode("utf-8", "surrogateescape")),
        ("want", "".join(filter(None, rows)).encode()),
        ("out", answer.output),
    ):
        replace_file(os.path.join(asked.folder, f"{name}.{suffix}"), data, sync=False)
    _enter(asked, name, answer.code)
    return True


def _files(tree: WorkTree) -> list[str]:
    """Return what was read, and what is not git's yet: its mode says whether it is to be read."""
    return [*sorted(tree.seen), *(e.path for e in tree.entries() if not e.tracked and e.regular)]


def _folders(root: str) -> list[str]:
    """Return all folders in which a file could appear, and their lists of what is ignored, which may
    be ignored themselves."""
    found = folders(root)
    lists = [os.path.join(folder, ".gitignore") for folder in found]
    return [*found, *(path for path in lists if os.path.isfile(os.path.join(root, path)))]


def _code() -> list[str]:
    """Return the files of the code that is running, without Python's own library."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    files = [getattr(module, "__file__", None) or "" for module in list(sys.modules.values())]
    ours = [path for path in files if path.startswith(package) or "site-packages" in path]
    return [os.path.realpath(sys.executable), *sorted(set(ours))]


def _row(path: str, began: int) -> str | None:
    """Return what `stat` will print for a file while it is what it was; None for one that is gone, or
    was written so short a time before `began` that a later write could have the same time."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    for at in (found.st_mtime_ns, found.st_ctime_ns):
        if at >= began - (_MOMENT if at % 1_000_000_000 else _COARSE):
            return None
    times = [f"{at // 10**9}.{at % 10**9:09d}" for at in (found.st_mtime_ns, found.st_ctime_ns)]
    return f"{times[0]} {times[1]} {found.st_size} {found.st_ino} {found.st_mode:x}\n"


# --- the files that sh reads ---------------------------------------------------------------------


def _listing(watched: Sequence[str], absent: Sequence[str], seen: Mapping[str, bool]) -> str:
    """Read in the root of the working copy: checks what must be there and what must not, and sets
    the arguments of `stat`."""
    lines = []
    for path, there in [*((path, False) for path in absent), *seen.items()]:
        word = quoted(path if path.startswith("/") else f"./{path}")
        test = f"{{ [ -e {word} ] || [ -L {word} ]; }}"
        lines.append(f"{'' if there else '! '}{test} || exit 1")
    lines.append(f"set -- {' '.join(map(quoted, watched))}")
    return "\n".join(lines) + "\n"


def _enter(asked: Asked, name: str, code: int) -> None:
    """Add an answer to those that the door knows; the oldest are forgotten. Another grind may do the
    same: then one of both answers is not known, and is found again by Python."""
    branch = f"{quoted(asked.key)}) door_name={name} door_code={code} ;;\n"
    path = os.path.join(asked.folder, "answers")
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            known = file.read().removeprefix(_HEAD).removesuffix(_END).split(_BETWEEN)
    except OSError:
        known = []
    start = f"{quoted(asked.key)}) "
    others = [one for one in known if one.endswith(";;\n") and not one.startswith(start)]
    text = _HEAD + _BETWEEN.join([*others, branch][-KEPT:]) + _END
    replace_file(path, text.encode("utf-8", "surrogateescape"), sync=False)
    for entry in os.listdir(asked.folder):
        stem, _, suffix = entry.rpartition(".")
        if suffix in ("list", "want", "out") and f"door_name={stem} " not in text:
            with contextlib.suppress(OSError):  # another grind was faster
                os.unlink(os.path.join(asked.folder, entry))


_HEAD = "door_lint() {\ncase $1 in\n"
_BETWEEN = "# another\n"
_END = "*) return 1 ;;\nesac\n}\n"

"""What the door (`grind/door.sh`) may answer by itself: written here, read by sh before any Python runs.

An answer holds as long as every file that it was made from has the time that it has now. The times
are kept as those of empty files ("stamps"), because comparing two files' times is all that sh can do
without starting a program. As git does with its index, nothing is kept that hangs on a file written
a moment ago: two writes may share a time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from grind.adapters.files import private_folder, replace_file
from grind.core.flakeshell import Delta
from grind.core.shelltext import is_name, quoted

FORMAT = 1
WATCHED = 256
"""Files that sh compares; an answer that hangs on more is not kept."""
KEPT = 40
"""Scripts that the door knows."""
CODE = 2000
"""Characters of the longest code that it knows."""
_MOMENT = 2_000_000_000
"""Nanoseconds below which a file counts as just written."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """One script that may be run from the door."""

    kind: str
    """`code` or `script`."""
    text: str
    """The code; or the script's path, absolute."""
    key: str
    """Under which its runs are counted; empty when they are not."""
    program: str
    """What runs it: an interpreter, or a promoted app's program."""
    app: bool
    watched: tuple[tuple[str, int], ...] = ()
    """Files besides those of the shell, with the times (nanoseconds) that they had."""


class Book(msgspec.Struct, kw_only=True):
    """All answers of one working copy, as they were last written."""

    digest: str = ""
    """Of what the shell is made from; another one makes all answers void."""
    answers: list[Answer] = []


class Place(NamedTuple):
    """Where the answers are kept, and what they all hang on."""

    folder: str
    """Of the door, in the working copy's git folder."""
    digest: str
    usage: str
    homes: str
    """What decides where grind keeps its state, as `homes_of` says it."""
    watched: tuple[str, ...]
    absent: tuple[str, ...]
    """Files that must not be there."""
    delta: Delta


def homes_of(environ: Mapping[str, str]) -> str:
    """Return what decides where grind keeps its state, as the door asks for it."""
    names = ("GRIND_STATE_DIR", "XDG_STATE_HOME", "HOME")
    return ":".join(environ.get(name, "") for name in names)


def seen(paths: Sequence[str]) -> tuple[tuple[str, int], ...]:
    """Return files with their times; what is not there has the time 0."""
    return tuple((path, _mtime(path) or 0) for path in paths)


def can_keep(answer: Answer, place: Place, began_ns: int) -> bool:
    """Whether the door can give this answer: it can say all of it, and every file had its time well
    before the command began (at `began_ns`) that read it."""
    names = (*place.delta.put, *place.delta.before, *place.delta.behind)
    files = (*seen(place.watched), *answer.watched)
    texts = (answer.text, answer.program, *(path for path, _ in files))
    if len(files) > WATCHED or not all(map(is_name, names)) or "\0" in "".join(texts):
        return False
    if answer.kind not in ("code", "script") or len(answer.text) > CODE:
        return False
    return all(0 < at < began_ns - _MOMENT for _, at in files)


def keep(answer: Answer, place: Place, began_ns: int) -> bool:
    """Let the door know an answer. False when it cannot be told to it; the others stay."""
    if not can_keep(answer, place, began_ns):
        return False
    private_folder(os.path.dirname(place.folder))
    private_folder(place.folder)
    book = _read(place)
    others = [a for a in book.answers if (a.kind, a.text) != (answer.kind, answer.text)]
    book = Book(digest=place.digest, answers=[*others, answer][-KEPT:])
    replace_file(os.path.join(place.folder, "book.json"), msgspec.json.encode(book), sync=False)
    text = _text(book, place)
    replace_file(
        os.path.join(place.folder, "answers"), text.encode("utf-8", "surrogateescape"), sync=False
    )
    _forget_stamps(place.folder, text)
    return True


def _forget_stamps(folder: str, text: str) -> None:
    """Remove the stamps that no answer names any more."""
    for name in os.listdir(folder):
        if name.isdigit() and f"/{name}'" not in text:
            with contextlib.suppress(OSError):  # another grind was faster
                os.unlink(os.path.join(folder, name))


def _read(place: Place) -> Book:
    try:
        with open(os.path.join(place.folder, "book.json"), "rb") as file:
            book = msgspec.json.decode(file.read(), type=Book)
    except (OSError, msgspec.MsgspecError):
        return Book()
    return book if book.digest == place.digest else Book()


def _mtime(path: str) -> int | None:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return None


# --- the file that sh reads ----------------------------------------------------------------------


def _text(book: Book, place: Place) -> str:
    lines = [
        f"door_format={FORMAT}",
        f"door_homes={quoted(place.homes)}",
        f"door_usage={quoted(place.usage)}",
        "door_code() {",
        *_cases([a for a in book.answers if a.kind == "code"], place),
        "}",
        "door_script() {",
        *_cases([a for a in book.answers if a.kind == "script"], place),
        "}",
        "door_fresh() {",
        *(_same(path, at, place) for path, at in seen(place.watched)),
        *(f"  ! [ -e {quoted(path)} ] || return 1" for path in place.absent),
        "}",
        "door_enter() {",
        *_entering(place.delta),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _cases(answers: Sequence[Answer], place: Place) -> list[str]:
    """One branch for each script: it must be unchanged, and says what runs it."""
    lines = ["  case $1 in"]
    for answer in answers:
        lines.append(f"  {quoted(answer.text)})")
        lines += [f"  {_same(path, at, place)}" for path, at in answer.watched]
        lines.append(f"    door_key={quoted(answer.key)} door_program={quoted(answer.program)}")
        lines.append(f"    door_app={'1' if answer.app else ''} ;;")
    return [*lines, "  *) return 1 ;;", "  esac"]


def _same(path: str, at: int, place: Place) -> str:
    """Compare with an empty file that has the time which `path` had; it is called by that time."""
    stamp = os.path.join(place.folder, str(at))
    if not os.path.exists(stamp):
        replace_file(stamp, b"", sync=False)
        os.utime(stamp, ns=(at, at))
    return f"  same {quoted(path)} {quoted(stamp)} || return 1"


def _entering(delta: Delta) -> list[str]:
    """The shell's environment, laid over the caller's as `Delta.over` does it."""
    # An assignment by itself is not split into words, what stands behind `export` may be.
    lines = [f"  {name}={quoted(value)}" for name, value in delta.put.items()]
    for name, value in delta.before.items():
        lines.append(f"  {name}={quoted(value)}${{{name}:+:${name}}}")
    for name, value in delta.behind.items():
        lines.append(f"  {name}=${{{name}:+${name}:}}{quoted(value)}")
    names = (*delta.put, *delta.before, *delta.behind)
    return [*lines, f"  export {' '.join(names)}" if names else "  :"]

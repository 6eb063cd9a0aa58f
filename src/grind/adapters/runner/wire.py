"""What client and runner say to each other: NUL-delimited fields in, record lines out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from grind.core.errors import GrindError
from grind.ports import Checkout, LanePaths, LaneSpec, StepTask

COMMAND_FILES = ("env", "output", "path", "state", "summary")

_RUN = re.compile(r"[0-9a-z-]+")
_KEY = re.compile(r"[0-9A-Za-z._-]+")
_SUFFIX = re.compile(r"[.0-9A-Za-z]*")


class Graces(NamedTuple):
    """How long a lane waits, in seconds; the defaults are those of GitHub's runner.

    A step that is ended gets INT, after `interrupt` TERM, after `terminate` more KILL. A cancelled
    lane (or one whose time is over) has `rest` for the steps that run in spite of it. A lane that nobody
    has begun ends when for `alone` no client was there that could.
    """

    interrupt: float = 7.5
    terminate: float = 2.5
    rest: float = 300.0
    alone: float = 900.0


class Record(NamedTuple):
    """One complete line of the record file, in fields."""

    kind: str
    fields: tuple[str, ...]


def _centiseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 100)))


def join_fields(fields: Iterable[str]) -> bytes:
    """Encode fields, each ended by NUL. Text that holds a NUL cannot be passed to a program."""
    encoded = [field.encode("utf-8", "surrogateescape") for field in fields]
    joined = b"\0".join((*encoded, b""))
    if joined.count(b"\0") != len(encoded):
        field = next(field for field in encoded if b"\0" in field)
        shown = field[:60].decode("utf-8", "replace").replace("\0", "\\0")
        raise GrindError(
            f"a step's text, argument or environment holds a NUL byte: {shown!r}",
            remedy="remove the NUL byte; no program can be given one",
        )
    return joined


def check_spec(spec: LaneSpec) -> None:
    """Refuse names that would lead out of the state folder.

    Raises:
        GrindError: a name is not of the form that `LaneSpec` documents.
    """
    good = (
        is_run(spec.run)
        and _KEY.fullmatch(spec.key) is not None
        and _is_name(spec.key)
        and _is_name(spec.name)
    )
    if not good:
        raise GrindError(
            f"not a name for a lane: run {spec.run!r}, key {spec.key!r}, repository {spec.name!r}"
        )


def is_run(run: str) -> bool:
    """Say whether this can be the identifier of a run."""
    return _RUN.fullmatch(run) is not None


def _is_name(name: str) -> bool:
    plain = bool(name) and "/" not in name and "\0" not in name
    return plain and name not in (".", "..") and len(name.encode("utf-8", "surrogateescape")) <= 200


def spec_fields(spec: LaneSpec, track: str, state: str, graces: Graces, outer: str) -> bytes:
    """Encode the file `spec`, all that a runner knows when it starts."""
    limit = "" if spec.timeout is None else _centiseconds(spec.timeout)
    return join_fields(
        (
            "grind-lane/1",
            track,
            state,
            spec.key,
            spec.name,
            spec.repository,
            limit,
            *(_centiseconds(grace) for grace in graces[:3]),
            outer,
            _centiseconds(graces.alone),
        )
    )


def env_fields(env: Sequence[tuple[str, str]]) -> bytes:
    """Encode an environment as `NAME=VALUE` fields."""
    return join_fields(_pairs(env))


def _pairs(env: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, value in env:
        if not name or "=" in name:
            raise GrindError(f"not a name for an environment variable: {name!r}")
        yield f"{name}={value}"


def batch_name(tasks: Sequence[StepTask]) -> str:
    """Name a batch by its first index, so that no batch can be queued twice; `~` ends the queue."""
    return f"{tasks[0].index:08d}" if tasks else "~"


def batch_fields(tasks: Sequence[StepTask], *, final: bool) -> bytes:
    """Encode a batch of the queue: the scripts first, then the steps, each led by what follows of it.

    The runner writes all scripts before the first step, and reads a step with one builtin.

    Raises:
        GrindError: a field holds a NUL, or a suffix or an index is not one.
    """
    last = -1
    scripts: list[str] = []
    steps: list[str] = []
    for task in tasks:
        if task.index <= last or task.index > 99_999_999:
            raise GrindError(f"steps must be queued in increasing order: {task.index}")
        last = task.index
        if _SUFFIX.fullmatch(task.suffix) is None:
            raise GrindError(f"not a suffix for a script: {task.suffix!r}")
        if any("{0}" in argument for argument in task.argv):
            scripts += (str(task.index), task.suffix, task.script)
        fields = tuple(_task_fields(task))
        steps += (str(len(fields)), *fields)
    # The last length: none follows.
    steps.append("0")
    head = ("grind-batch/2", "1" if final else "0", str(len(scripts) // 3))
    return join_fields((*head, *scripts, *steps))


def _task_fields(task: StepTask) -> Iterator[str]:
    if task.checkout is None and task.control is None and not task.argv:
        raise GrindError(f"step {task.index} has no program")
    more: tuple[str, ...] = ()
    if task.checkout is not None:
        more = tuple(_checkout_fields(task.checkout))
    elif task.control is not None:
        more = tuple(map(str, task.control.steps))
    env = tuple(_pairs(task.env))
    yield str(task.index)
    yield task.condition.value
    yield "1" if task.continue_on_error else "0"
    yield "" if task.timeout is None else _centiseconds(task.timeout)
    yield task.cwd
    yield task.suffix
    yield _kind(task)
    yield str(len(task.argv))
    yield str(len(env))
    yield from task.argv
    yield from env
    yield from more


def _kind(task: StepTask) -> str:
    if task.control is not None:
        if task.control.kind not in ("wait", "cancel"):
            raise GrindError(f"not a way to deal with steps: {task.control.kind!r}")
        return task.control.kind
    if task.background:
        if task.checkout is not None:
            raise GrindError(f"step {task.index}: a checkout cannot run in the background")
        return "background"
    return "step" if task.checkout is None else "checkout"


def _checkout_fields(checkout: Checkout) -> Iterator[str]:
    parts = checkout.path.split("/")
    if checkout.path.startswith("/") or ".." in parts:
        raise GrindError(f"the checkout's path leads out of the workspace: {checkout.path!r}")
    if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", checkout.oid) is None:
        raise GrindError(f"not a full object id: {checkout.oid!r}")
    if checkout.submodules not in ("false", "true", "recursive"):
        raise GrindError(f"not a way to check out submodules: {checkout.submodules!r}")
    yield checkout.oid
    yield checkout.ref
    yield "/".join(part for part in parts if part not in ("", "."))
    yield str(max(0, checkout.depth))
    yield "1" if checkout.clean else "0"
    yield "1" if checkout.tags else "0"
    yield checkout.submodules
    yield checkout.origin


def lane_paths(data: bytes) -> LanePaths | None:
    """Read the file `lane`; None when it is not complete yet."""
    fields = [field.decode("utf-8", "surrogateescape") for field in data.split(b"\0")]
    if len(fields) != 8 or fields[6] != "end":
        return None
    return LanePaths(*fields[1:6])


def split_records(data: bytes) -> tuple[list[Record], int]:
    """Split record lines off; return them and how many bytes they took. Torn lines are none."""
    end = data.rfind(b"\n") + 1
    records = []
    for line in data[:end].split(b"\n"):
        parts = line.decode("ascii", "replace").split(" ")
        if len(parts) >= 2 and parts[-1] == ";":
            records.append(Record(parts[0], tuple(parts[1:-1])))
    return records, end


def files_of(records: bytes, index: int) -> str | None:
    """Name the set of command files of an ended step; None when it wrote to none."""
    for record in split_records(records)[0]:
        match record:
            case Record("end", (ended, _, _, _, _, files)) if ended == str(index):
                return None if files == "-" else files
    return None

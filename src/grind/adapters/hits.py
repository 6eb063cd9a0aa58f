"""Remember, beside a full receipt, what it hung on, so that the same question is answered at once.

The key of a plan is made from the snapshot, grind.toml, and where a push would go. To find these out
costs half a dozen git processes and the configuration reader. What they are made from is a handful
of small files: while those and the tree are the same, the answer is the same. Any doubt (a file that
includes others, refs in a format of another kind) means that the long way is taken, never a hit.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping

SCHEMA = "grind.hit/2"
_MANY_REFS = 2000
_LIGHT_FIELDS = ("tree", "bound", "host", "host_name", "run", "created", "duration", "executed")


class Doubt(Exception):  # noqa: N818 - no error: the long way is always right
    """The short way cannot tell."""


def ground(
    git_dir: str, common_dir: str, environ: Mapping[str, str], version: str, system: str
) -> str:
    """Return a digest over what decides where a push would go, or raise Doubt.

    Read are: HEAD, the configuration of git in all its places, the remote-tracking refs, grafts of
    a shallow clone, and who this machine is. `system` is where the git of this machine keeps the
    configuration for all users; it is built into git, so which git that is counts too.
    """
    digest = hashlib.sha256()
    for name, data in _parts(git_dir, common_dir, environ, version, system):
        digest.update(f"{name}\0{len(data)}\0".encode("utf-8", "surrogateescape"))
        digest.update(data)
    return digest.hexdigest()


def _parts(
    git_dir: str, common_dir: str, environ: Mapping[str, str], version: str, system: str
) -> Iterator[tuple[str, bytes]]:
    if os.path.isdir(os.path.join(common_dir, "reftable")):
        raise Doubt
    yield "version", version.encode()
    yield "machine", " ".join(os.uname()).encode()
    yield "git", _program("git", environ).encode("utf-8", "surrogateescape")
    for path in ("/etc/machine-id", system, *_configurations(git_dir, common_dir, environ)):
        data = _read(path)
        if b"include" in data.lower():
            raise Doubt
        yield path, data
    for path in (
        os.path.join(git_dir, "HEAD"),
        os.path.join(common_dir, "packed-refs"),
        os.path.join(common_dir, "shallow"),
        *_loose(os.path.join(common_dir, "refs", "remotes")),
    ):
        yield path, _read(path)
    for name in sorted(environ):
        if name.startswith("GIT_"):
            yield name, environ[name].encode("utf-8", "surrogateescape")


def _configurations(git_dir: str, common_dir: str, environ: Mapping[str, str]) -> tuple[str, ...]:
    home = environ.get("HOME", "")
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    return (
        os.path.join(common_dir, "config"),
        os.path.join(git_dir, "config.worktree"),
        os.path.join(home, ".gitconfig"),
        os.path.join(base, "git", "config"),
        environ.get("GIT_CONFIG_GLOBAL", ""),
        environ.get("GIT_CONFIG_SYSTEM", ""),
    )


def _program(name: str, environ: Mapping[str, str]) -> str:
    """Tell which program a name calls: where it is, and whether it was changed. Raises Doubt."""
    for folder in environ.get("PATH", "").split(":"):
        path = os.path.join(folder, name)
        if folder and os.access(path, os.X_OK):
            found = os.stat(path)
            return f"{path} {found.st_ino} {found.st_size} {found.st_mtime_ns}"
    raise Doubt


def _loose(folder: str) -> list[str]:
    found: list[str] = []
    pending = [folder]
    while pending:
        try:
            entries = sorted(os.scandir(pending.pop()), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                pending.append(entry.path)
            else:
                found.append(entry.path)
        if len(found) > _MANY_REFS:
            raise Doubt
    return found


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return b""
    except OSError:
        raise Doubt from None


def write_hit(
    receipt: Mapping[str, object],
    *,
    ground_now: list[str | None],
    max_age: float,
    environment: tuple[str, ...],
    folders: tuple[str, ...],
    fixed: Mapping[str, str],
    default: bool,
    system: str,
) -> bytes:
    """Return what to keep beside a full receipt; `receipt` are its fields as plain data.

    `default` says whether this machine was where such a run goes without `--host`.
    """
    tools = receipt["tools"]
    questions = [tool["question"] for tool in tools] if isinstance(tools, list | tuple) else []
    unproven = receipt["unproven"]
    document = {name: receipt[name] for name in _LIGHT_FIELDS} | {
        "schema": SCHEMA,
        "ground": ground_now,
        "max_age": max_age,
        "questions": questions,
        "tools_print": receipt["tools_print"],
        "environment": environment,
        "folders": folders,
        "set": dict(fixed),
        "default": default,
        "system": system,
        "unproven": list(unproven) if isinstance(unproven, list | tuple) else [],
    }
    return json.dumps(document).encode() + b"\n"


def read_hit(data: bytes) -> dict[str, object] | None:
    """Read what was kept; None for what is torn or foreign."""
    try:
        document = json.loads(data)
    except ValueError:
        return None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        return None
    return document

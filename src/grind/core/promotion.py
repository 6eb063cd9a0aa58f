"""`grind/apps.json`: which scripts are promoted, in the folder that belongs to grind."""

from __future__ import annotations

import posixpath
import re

import msgspec

from grind.core.errors import GrindError, Problem, ProblemsError, RefusedError
from grind.core.suggest import suggestion

FOLDER = "grind"
FILE = f"{FOLDER}/apps.json"
SCHEMA = "grind.apps/1"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}\Z")
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*\Z")


class App(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One promoted script."""

    folder: str
    """Of the script, from the repository's top; empty for the top itself."""
    file: str
    key: str
    """What it was counted under when it was promoted (core/pythonuse)."""
    own: bool = False
    """Whether promoting wrote the script into the repository."""

    @property
    def path(self) -> str:
        """The script, from the repository's top."""
        return posixpath.join(self.folder, self.file)


class Apps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of them, and the flake that gives their Python."""

    schema: str = SCHEMA
    flake: str = ""
    """Folder of the repository's flake, from its top; empty for the top itself."""
    shell: str = "default"
    apps: dict[str, App] = {}

    def of(self, path: str, key: str) -> str | None:
        """Return the name of a script's app: by its path in the repository, or, for one that lies
        elsewhere (an empty path), by its content."""
        for name, app in self.apps.items():
            if app.path == path if path else app.key == key:
                return name
        return None


def read(data: bytes | None) -> Apps:
    """Read the file; none is no apps. Raises ProblemsError."""
    if data is None:
        return Apps()
    try:
        apps = msgspec.json.decode(data, type=Apps)
    except msgspec.MsgspecError as error:
        problem = Problem(FILE, None, None, str(error), "what `grind py promote` writes")
        raise ProblemsError(f"{FILE} cannot be read:", (problem,)) from None
    if apps.schema != SCHEMA:
        problem = Problem(FILE, None, None, f"schema {apps.schema!r}", SCHEMA)
        raise ProblemsError(f"{FILE} is of another grind:", (problem,))
    return apps


def write(apps: Apps) -> bytes:
    """Return the file's content: the same apps give the same bytes."""
    ordered = msgspec.structs.replace(apps, apps=dict(sorted(apps.apps.items())))
    return msgspec.json.format(msgspec.json.encode(ordered), indent=2) + b"\n"


def parts_of(flake: str) -> tuple[str, str]:
    """Split a configured flake, `./sandbox#dev`, into its folder and the name of its shell."""
    folder, _, shell = flake.partition("#")
    folder = posixpath.normpath(folder)
    return ("" if folder == "." else folder), shell or "default"


def name_for(path: str) -> str:
    """Return a script's name as a command: `scripts/daily_report.py` is `daily_report`."""
    stem = posixpath.basename(path)
    stem = stem.removesuffix(".py")
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_") or "script"


def check_name(name: str) -> str:
    """Return `name`. Raises GrindError when it can be no command's name."""
    if _NAME.match(name) is None:
        raise GrindError(
            f"{name!r} is no name for a command",
            remedy="--name with a letter first, then letters, digits, `-` and `_`",
        )
    return name


def check_path(path: str) -> str:
    """Return `path`. Raises RefusedError when Nix could not name it."""
    if not all(_PLAIN.match(part) for part in path.split("/")):
        raise RefusedError(
            f"{path!r} cannot be promoted: its path has characters that a path in Nix cannot have",
            remedy="rename it with letters, digits, `.`, `_`, `+` and `-`",
        )
    return path


def find(apps: Apps, told: str, path: str) -> str:
    """Return the app that a user means by a name or a script's path. Raises GrindError."""
    if told in apps.apps:
        return told
    found = apps.of(path, "") if path else None
    if found is not None:
        return found
    meant = suggestion(told, list(apps.apps))
    raise GrindError(
        f"nothing is promoted as {told!r}",
        remedy=f"did you mean `{meant}`?" if meant else "`grind py list` shows what is",
    )


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What promoting a script will write."""

    name: str
    app: App
    apps: Apps
    scripts: dict[str, bytes]
    """Scripts that lie outside the repository and are written into it: path → content."""
    known: bool
    """Whether it was promoted already."""


def plan(apps: Apps, flake: str, *, path: str, source: bytes, key: str, name: str) -> Plan:
    """Return what promoting a script will write.

    `path` is from the repository's top, empty for a script that lies elsewhere and is copied into
    `grind/scripts`; `flake` is as configured. Raises GrindError, RefusedError when the name is taken
    by another script, or cannot be one.
    """
    check_name(name)
    own = not path or path == f"{FOLDER}/scripts/{name}.py"
    place = check_path(f"{FOLDER}/scripts/{name}.py" if own else path)
    folder, file = posixpath.split(place)
    app = App(folder=folder, file=file, key=key, own=own)
    before = apps.apps.get(name)
    if before is not None and before.path != app.path:
        raise RefusedError(
            f"{name!r} is the command of {before.path} already", remedy="give another one: --name N"
        )
    if before is not None and not path and before.key != key:
        raise RefusedError(
            f"{name!r} is promoted already, with another content",
            remedy=f"edit {place}, or give another name: --name N",
        )
    other = next((n for n, a in apps.apps.items() if a.path == app.path and n != name), None)
    if other is not None:
        raise RefusedError(f"{place} is promoted already, as {other!r}", remedy=f"grind py {other}")
    at, shell = parts_of(flake)
    after = msgspec.structs.replace(apps, flake=at, shell=shell, apps={**apps.apps, name: app})
    scripts = {place: source} if own else {}
    return Plan(name=name, app=app, apps=after, scripts=scripts, known=before is not None)


def without(apps: Apps, name: str) -> Apps:
    """Return the apps without one."""
    left = {other: app for other, app in apps.apps.items() if other != name}
    return msgspec.structs.replace(apps, apps=left)


def exposing(apps: Apps) -> tuple[str, str]:
    """Return the two lines for the repository's own flake.nix, which no machine edits."""
    up = "../" * (apps.flake.count("/") + 1) if apps.flake else "./"
    here = f"(import {up}{FOLDER} {{ }})"
    return (
        f"apps = {here}.apps;",
        f"devShells.${{system}}.{FOLDER} = {here}.devShells.${{system}}.default;",
    )

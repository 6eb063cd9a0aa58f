"""What `grind py` works with, on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from grind.core.errors import GrindError

if TYPE_CHECKING:
    from grind.adapters.door import Answer
    from grind.adapters.nixpython import Ask, NixPython
    from grind.adapters.promoted import PromotedFolder
    from grind.adapters.usagefile import UsageFile
    from grind.core.config import PythonConfig
    from grind.core.flakeshell import Delta
    from grind.core.promotion import Plan
    from grind.flows.python import Ground
    from grind.ports import Host
    from grind.wiring import Session

FOLDER = "py"
USAGE = "usage.ndjson"
ROOTS = 8
"""Shells, and apps, whose GC roots are kept."""


class Workshop(NamedTuple):
    """The adapters of `grind py` in one repository."""

    top: str
    config: PythonConfig
    supply: NixPython
    ground: Ground
    usage: UsageFile
    promoted: PromotedFolder
    door: Door
    """What the way without Python is told."""


class Door(NamedTuple):
    """Where the answers of the door are kept, and the files that all of them hang on."""

    folder: str
    usage: str
    homes: str
    watched: tuple[str, ...]
    absent: tuple[str, ...]

    def tell(self, answer: Answer, digest: str, delta: Delta, began_ns: int) -> bool:
        """Tell it an answer; False when it cannot be told this one."""
        from grind.adapters import door

        place = door.Place(
            self.folder, digest, self.usage, self.homes, self.watched, self.absent, delta
        )
        return door.keep(answer, place, began_ns)


def workshop(session: Session, *, fresh: bool, say: Callable[[str], None]) -> Workshop:
    """Return what `grind py` works with here. Raises GrindError in a repository without a working
    copy, ProblemsError when grind.toml is not right."""
    from grind.adapters import flakefiles
    from grind.adapters.here import Here, has
    from grind.adapters.nixpython import NixPython
    from grind.adapters.promoted import PromotedFolder
    from grind.adapters.usagefile import UsageFile
    from grind.core.promotion import parts_of
    from grind.flows.python import Ground

    top = session.repository.top
    if top is None:
        raise GrindError(
            "this git repository has no working copy", remedy="run `grind py` in a clone"
        )
    config = python_config(top)
    folder = python_folder(session)
    tidy(folder)
    flake = flake_of(top, config)
    place = parts_of(flake)[0] if flake is not None else ""
    shell = flakefiles.files(top, flakefiles.SHELL, session.environ, flake or "")
    return Workshop(
        top=top,
        config=config,
        supply=NixPython(Here(top), folder, folder, session.environ),
        ground=Ground(
            host="this machine",
            nix=has("nix", session.environ),
            flake=flake,
            lock=_content(os.path.join(top, place, "flake.lock")),
            digest=shell.digest,
            app_digest="",
            config=config,
            fresh=fresh,
            say=say,
        ),
        usage=UsageFile(os.path.join(folder, USAGE)),
        promoted=PromotedFolder(top, session.environ),
        door=_door(session, top, folder, place, shell.paths),
    )


def _door(session: Session, top: str, folder: str, place: str, paths: tuple[str, ...]) -> Door:
    from grind.adapters.door import homes_of
    from grind.core.config import FILE
    from grind.core.promotion import FILE as APPS

    names = (FILE, APPS, os.path.join(place, "flake.nix"), os.path.join(place, "flake.lock"))
    git_dir = session.repository.git_dir
    index = os.path.join(git_dir, "index")  # which files git knows, so which ones Nix sees
    every = dict.fromkeys((*paths, *(os.path.join(top, name) for name in names), index))
    return Door(
        folder=os.path.join(git_dir, "grind", "door"),
        usage=os.path.join(folder, USAGE),
        homes=homes_of(session.environ),
        watched=tuple(path for path in every if os.path.exists(path)),
        absent=tuple(path for path in every if not os.path.exists(path)),
    )


def there(shop: Workshop, host: Host, tree: str, ask: Ask, *, nix: bool) -> Workshop:
    """Return the workshop for a host that is reached through SSH: `tree` has the repository's files
    there, `ask` runs programs there."""
    from grind.adapters.files import private_folder
    from grind.adapters.nixpython import NixPython

    notes = private_folder(os.path.join(os.path.dirname(shop.usage.path), f"host-{host.name}"))
    roots = os.path.join(os.path.dirname(os.path.dirname(tree)), "py-roots")
    supply = NixPython(ask, roots, notes, host.environment)
    ground = shop.ground._replace(host=host.name, nix=nix, can_lend=False)
    return shop._replace(supply=supply, ground=ground)


def python_folder(session: Session) -> str:
    """Return the private folder for what `grind py` keeps of this repository."""
    from grind.adapters.files import private_folder
    from grind.adapters.places import state_folder
    from grind.wiring import repository_slug

    root = private_folder(os.path.realpath(state_folder(session.environ)))
    own = private_folder(os.path.join(root, repository_slug(session.repository.common_dir)))
    return private_folder(os.path.join(own, FOLDER))


def tidy(folder: str) -> None:
    """Let go of what Nix keeps for shells and apps of long ago: all but the newest few."""
    import contextlib

    ages = {entry.name: entry.stat(follow_symlinks=False).st_mtime for entry in os.scandir(folder)}
    for suffix in (".shell.json", ".app"):
        names = sorted((n for n in ages if n.endswith(suffix)), key=ages.__getitem__)
        for old in names[:-ROOTS]:
            digest = old.partition(".")[0]
            for name in [name for name in ages if name.startswith(digest)]:
                with contextlib.suppress(OSError):  # another grind was faster
                    os.unlink(os.path.join(folder, name))


def python_config(top: str) -> PythonConfig:
    """Return `[python]` of the working copy's grind.toml."""
    from grind.core.config import FILE, Config, load

    data = _content(os.path.join(top, FILE))
    config: Config = load(FILE, data) if data is not None else Config()
    return config.python


def flake_of(top: str, config: PythonConfig) -> str | None:
    """Return the configured flake, else the repository's own at its top, else None. Raises
    GrindError when the configured one is not there."""
    from grind.core.promotion import parts_of

    if config.flake is None:
        return "." if os.path.isfile(os.path.join(top, "flake.nix")) else None
    folder = parts_of(config.flake)[0]
    if folder.startswith("..") or not os.path.isfile(os.path.join(top, folder, "flake.nix")):
        raise GrindError(
            f"grind.toml: [python] flake = {config.flake!r}, but there is no {folder or '.'}/flake.nix",
            remedy="name a folder of this repository that has one",
        )
    return config.flake


def app_digest(
    workshop: Workshop, session: Session, folder: str, file: str
) -> tuple[str, tuple[str, ...]]:
    """Return the digest of everything that an app is made from, and its files."""
    from grind.adapters import flakefiles
    from grind.core.promotion import FOLDER as OWN

    own = f":(top,literal){folder}" if folder else f":(top,literal){file}"
    shell = workshop.ground.digest
    found = flakefiles.files(
        workshop.top, (f":(top,literal){OWN}", own), session.environ, "app", shell
    )
    return found.digest, found.paths


def prove(workshop: Workshop, session: Session, plan: Plan) -> None:
    """Build a promoted app as it lies there, and see that its Python has what the script declares.
    Raises RefusedError."""
    from grind.core import pep723
    from grind.core.flakeshell import Delta
    from grind.core.pythonpolicy import Decision, Way, require

    digest, _ = app_digest(workshop, session, plan.app.folder, plan.app.file)
    program = workshop.supply.app(plan.name, digest)
    source = workshop.promoted.script(plan.app.path) or b""
    wanted = pep723.metadata(plan.app.path, source)
    if wanted is None:
        return
    package = os.path.dirname(os.path.dirname(program))
    found = workshop.supply.versions((f"{package}/libexec/python3",), Delta(), f"{digest}.app")
    decision = Decision(Way.APP, workshop.ground.flake or ".")
    require(pep723.missing(wanted, found[1], found[0]), decision, plan.app.path)


def _content(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None

"""Grind's own bare repository beside the user's objects.

It lies in `grind/repo` of the common git folder, is readable by its owner only, sees the user's
objects through `objects/info/alternates`, and takes everything that grind creates: the user's
objects, refs and index stay as they are.
"""

from __future__ import annotations

import os

from grind.adapters.git.layout import Layout
from grind.adapters.git.process import Git
from grind.adapters.git.text import shown
from grind.core.errors import GrindError

# Relative, so that the file is right after the repository was moved, and never holds the characters
# (quotes, line ends, a leading #) that have a meaning in it.
_ALTERNATES = "../../../objects\n"

_CONFIG = (
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("core.logAllRefUpdates", "false"),
    ("core.filesRefLockTimeout", "5000"),  # milliseconds: runs at the same time share refs
    ("core.packedRefsTimeout", "5000"),
    ("uploadpack.allowAnySHA1InWant", "true"),
)


def path(layout: Layout) -> str:
    """Return where the private repository is or will be."""
    return os.path.join(layout.home, "repo")


def ensure(layout: Layout, git: Git) -> str:
    """Create the private repository on first use and return its path.

    Two processes may do so at once: it is made aside and renamed, and the loser's is dropped.
    """
    place = path(layout)
    if os.path.exists(os.path.join(place, "objects", "info", "alternates")):
        return place
    aside = f"{place}.{os.getpid()}.{os.urandom(4).hex()}"
    try:
        os.makedirs(layout.home, mode=0o700, exist_ok=True)
        os.chmod(layout.home, 0o700)
        _create(layout, git, aside)
        try:
            os.rename(aside, place)
        except OSError:
            _remove(aside)
            if not os.path.exists(os.path.join(place, "objects", "info", "alternates")):
                raise
    except OSError as error:
        raise GrindError(
            f"cannot create grind's repository {shown(place)}: {error.strerror}",
            remedy="make the folder writable for you, or remove it",
        ) from error
    return place


def _create(layout: Layout, git: Git, place: str) -> None:
    os.mkdir(place, mode=0o700)
    # `git init` of another folder than the one that GIT_DIR names
    env = {k: v for k, v in git.env.items() if k not in ("GIT_DIR", "GIT_WORK_TREE")}
    env["GIT_DEFAULT_REF_FORMAT"] = "files"  # `checkouts` dates snapshots by the files of refs
    plain = Git(layout.common_dir, env)
    plain.run(
        ["init", "-q", "--bare", "--template=", f"--object-format={layout.format}", "--", place],
        doing="creating grind's repository",
    )
    here = Git(place, {**env, "GIT_DIR": place})
    for name, value in _CONFIG:
        here.run(["config", name, value])
    os.makedirs(os.path.join(place, "objects", "info"), exist_ok=True)
    with open(os.path.join(place, "objects", "info", "alternates"), "w") as file:
        file.write(_ALTERNATES)


def _remove(place: str) -> None:
    import shutil

    shutil.rmtree(place, ignore_errors=True)

"""The folder `grind/` of a repository: a flake that belongs to grind, with a command for each promoted
script. Written whole, or put back as it was.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping

from grind.adapters.files import replace_file, storing
from grind.adapters.git.process import scrubbed
from grind.core import promotion
from grind.core.errors import GrindError, RefusedError
from grind.core.promotion import FILE, FOLDER, Apps

TOOLS = ("flake.nix", "default.nix", "python.nix", "wrap.py")


class PromotedFolder:
    """The folder in the working copy at `top`."""

    def __init__(self, top: str, environ: Mapping[str, str]) -> None:
        self._top = top
        self._environ = environ

    def read(self) -> Apps:
        """Return what is promoted. Raises ProblemsError when the file is not right."""
        return promotion.read(self._content(FILE))

    def write(
        self,
        apps: Apps,
        scripts: Mapping[str, bytes],
        named: tuple[str, ...],
        proof: Callable[[], None],
    ) -> None:
        """Write the folder for `apps`, and `scripts` (path → content) that grind keeps itself; make
        it and the scripts `named` known to git; then let `proof` try it.

        Whatever raises on the way, the files are again as they were before.
        """
        self._only_ours()
        new = {FILE: promotion.write(apps), **scripts}
        new |= {f"{FOLDER}/{name}": _tool(name) for name in TOOLS}
        old = {path: self._content(path) for path in new}
        try:
            for path, data in new.items():
                if old[path] != data:
                    self._put(path, data)
            self._git("add", "-N", "--", *new, *named)
            proof()
        except BaseException:
            self._restore(old)
            raise

    def remove(self, apps: Apps, own: tuple[str, ...]) -> None:
        """Write the folder for `apps`, fewer than before, and remove the scripts that were kept for
        the others. Without any app left the whole folder goes, as far as it is grind's."""
        gone = list(own)
        if apps.apps:
            self._put(FILE, promotion.write(apps))
        else:
            gone += [FILE, *(f"{FOLDER}/{name}" for name in TOOLS)]
        for path in gone:
            self._delete(path)
        new = [
            path for path in gone if self._git("ls-tree", "HEAD", "--", path, check=False) == b""
        ]
        if new:  # git was only told of them: it can forget them
            self._git("rm", "--cached", "-q", "-f", "--ignore-unmatch", "--", *new)
        for folder in (f"{FOLDER}/scripts", FOLDER):
            try:
                os.rmdir(os.path.join(self._top, folder))
            except OSError:  # something of the user's is in it, or it is gone already
                continue

    def script(self, path: str) -> bytes | None:
        """Return a script of the repository."""
        return self._content(path)

    def _only_ours(self) -> None:
        folder = os.path.join(self._top, FOLDER)
        if os.path.islink(folder):
            raise RefusedError(f"{FOLDER} is a link; grind writes only into a folder of its own")
        if self._content(FILE) is None and self._content(f"{FOLDER}/flake.nix") is not None:
            raise RefusedError(
                f"{FOLDER}/flake.nix is not of grind's making",
                remedy=f"move it away: `grind py promote` wants {FOLDER}/ for itself",
            )

    def _content(self, path: str) -> bytes | None:
        try:
            with open(os.path.join(self._top, path), "rb") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def _put(self, path: str, data: bytes) -> None:
        full = os.path.join(self._top, path)
        with storing(full):
            os.makedirs(os.path.dirname(full), exist_ok=True)
        replace_file(full, data, mode=0o644)

    def _delete(self, path: str) -> None:
        try:
            os.unlink(os.path.join(self._top, path))
        except FileNotFoundError:
            return

    def _restore(self, old: Mapping[str, bytes | None]) -> None:
        for path, data in old.items():
            if data is not None:
                if self._content(path) != data:
                    self._put(path, data)
                continue
            self._delete(path)
            self._git("rm", "--cached", "-q", "-f", "--ignore-unmatch", "--", path, check=False)
        for folder in (f"{FOLDER}/scripts", FOLDER):
            try:
                os.rmdir(os.path.join(self._top, folder))
            except OSError:
                continue

    def _git(self, *args: str, check: bool = True) -> bytes:
        done = subprocess.run(
            ["git", "--literal-pathspecs", "-C", self._top, *args],
            capture_output=True,
            env=scrubbed(self._environ),
            check=False,
        )
        if check and done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()
            raise GrindError(
                f"git {args[0]} failed: {said}",
                remedy="Nix sees only what git knows; an ignored file can be added with `git add -f`",
            )
        return done.stdout


def _tool(name: str) -> bytes:
    with open(os.path.join(os.path.dirname(__file__), name), "rb") as file:
        return file.read()

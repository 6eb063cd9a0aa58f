"""The pre-push hook in a repository: put there, found again, and taken away."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from typing import NamedTuple

from grind.adapters.files import replace_file
from grind.adapters.git.process import Git
from grind.adapters.git.text import shown
from grind.core.errors import GrindError, RefusedError

_MARK = "# grind pre-push hook, form 1"
_BEFORE = "pre-push.before-grind"

_SCRIPT = """\
#!/bin/sh
{mark}: `grind hook uninstall` takes it away.
# Programs are called by absolute path, and when they are gone nothing is pushed.
python={python}
package={package}
if ! test -x "$python" || ! test -f "$package/__main__.py"; then
    echo "grind: $python or $package is gone, so nothing can be verified and nothing is pushed" >&2
    echo "  -> grind hook install, with the grind that you use now; or remove $0" >&2
    exit 1
fi
before=${{0%/*}}/{before}
if test -x "$before"; then
    updates=$(cat && echo .)
    updates=${{updates%.}}
    printf %s "$updates" | "$before" "$@" || exit
    printf %s "$updates" | "$python" -P -m grind hook run "$@"
else
    exec "$python" -P -m grind hook run "$@"
fi
"""


class HookStatus(NamedTuple):
    """What stands where git looks for the pre-push hook."""

    path: str
    installed: bool
    foreign: bool
    """Whether somebody else's hook stands there alone."""
    chained: bool
    """Whether somebody else's hook runs first."""
    broken: str = ""
    """What it calls and is gone; empty otherwise."""


class Hooks:
    """The hooks folder that git uses in one repository."""

    def __init__(self, git: Git, top: str | None, environ: Mapping[str, str]) -> None:
        self._git = git
        self._top = top
        self._environ = environ
        answer = git.run(["rev-parse", "--git-path", "hooks"], doing="finding the hooks")
        self.folder = os.path.join(git.cwd, os.fsdecode(answer).removesuffix("\n"))
        self.path = os.path.join(self.folder, "pre-push")
        self._before = os.path.join(self.folder, _BEFORE)

    def status(self) -> HookStatus:
        """Look."""
        text = self._read()
        ours = _MARK in text
        return HookStatus(
            self.path,
            installed=ours,
            foreign=bool(text) and not ours,
            chained=ours and os.path.exists(self._before),
            broken=_broken(text) if ours else "",
        )

    def install(self, python: str, package: str) -> HookStatus:
        """Put grind's hook there; one that stands there already runs first from then on.

        Raises RefusedError for a folder that other repositories use too, and for a hook that the
        repository tracks: neither is ours to change.
        """
        self._refuse_shared()
        self._refuse_tracked()
        status = self.status()
        try:
            os.makedirs(self.folder, exist_ok=True)
            if status.foreign:
                if os.path.lexists(self._before):
                    raise RefusedError(
                        f"{shown(self.path)} is not grind's, and {shown(self._before)} is in the way",
                        remedy=f"remove {shown(self._before)} if nobody needs it",
                    )
                os.rename(self.path, self._before)
            script = _SCRIPT.format(
                mark=_MARK, python=_quoted(python), package=_quoted(package), before=_BEFORE
            )
            replace_file(self.path, script.encode("utf-8", "surrogateescape"), mode=0o755)
        except OSError as error:
            raise GrindError(f"{shown(self.path)} cannot be written: {error.strerror}") from error
        return self.status()

    def uninstall(self) -> HookStatus:
        """Take grind's hook away and put back what stood there before it."""
        if self.status().installed:
            if os.path.lexists(self._before):
                os.replace(self._before, self.path)
            else:
                os.unlink(self.path)
        return self.status()

    def _read(self) -> str:
        try:
            mode = os.stat(self.path).st_mode
            if not stat.S_ISREG(mode):
                return "something that is no file"
            with open(self.path, encoding="utf-8", errors="replace") as file:
                return file.read(1 << 16) or "an empty file"
        except FileNotFoundError:
            return "a link to nowhere" if os.path.islink(self.path) else ""
        except OSError as error:
            raise GrindError(f"{shown(self.path)} cannot be read: {error.strerror}") from error

    def _refuse_shared(self) -> None:
        answer = self._git.ask(["config", "--show-scope", "--get", "core.hooksPath"])
        scope, _, place = os.fsdecode(answer.out).rstrip("\n").partition("\t")
        if answer.code == 0 and scope in ("global", "system"):
            raise RefusedError(
                f"core.hooksPath is set for all repositories ({scope}: {shown(place)}); a hook "
                "there would guard every one of them",
                remedy='call `grind hook run "$@"` in your pre-push hook there, or set '
                "core.hooksPath for this repository: git config core.hooksPath .git/hooks",
            )

    def _refuse_tracked(self) -> None:
        if self._top is None or not os.path.lexists(self.path):
            return
        answer = self._git.ask(["ls-files", "--error-unmatch", "--", self.path])
        if answer.code == 0:
            raise RefusedError(
                f"{shown(self.path)} is a file of the repository, which grind does not change",
                remedy='add the line `grind hook run "$@" || exit` to it',
            )


def _quoted(text: str) -> str:
    """Return text as one word of sh, whatever is in it."""
    return "'" + text.replace("'", "'\\''") + "'"


def _broken(text: str) -> str:
    import shlex

    for line in text.splitlines():
        name, mark, value = line.partition("=")
        if mark and name in ("python", "package"):
            path = "".join(shlex.split(value))
            if not os.path.exists(path):
                return path
    return ""

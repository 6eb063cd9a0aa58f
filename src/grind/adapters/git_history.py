"""The history of a repository, read with one `git log`."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from grind.core.errors import GrindError
from grind.core.history_log import LOG_FORMAT, Commit, HistoryLogError, read_log

_CHUNK = 1 << 18  # bytes read at once
_LOG = (
    "log",
    "-z",
    "--name-only",
    "--no-renames",
    "--no-merges",
    "--no-show-signature",  # the repository's configuration may name a program for it
    "--no-notes",
    "--no-color",
    "--no-relative",
)


class GitHistory:
    """The commits that `HEAD` of the repository at `folder` reaches."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def is_shallow(self) -> bool:
        """Tell whether the clone was cut off: its oldest commits then seem to add every file.

        Raises GrindError where there is no repository, or no commit in it.
        """
        asked = ["rev-parse", "--is-shallow-repository", "--verify", "--quiet", "HEAD^{commit}"]
        try:
            done = subprocess.run(
                self._git(*asked), capture_output=True, env=_environment(), check=False
            )
        except FileNotFoundError as error:
            raise GrindError("git is not on the PATH", remedy="install git") from error
        lines = done.stdout.split()
        if not lines:
            said = done.stderr.decode(errors="backslashreplace").strip() or "git said nothing"
            raise GrindError(
                f"no history can be read in {self._folder}: {said!r}",
                remedy="run it inside a git repository",
            )
        if done.returncode != 0:
            raise GrindError(
                f"the repository at {self._folder} has no commit yet",
                remedy="commit something first",
            )
        return lines[0] == b"true"

    def commits(self, limit: int | None = None) -> Iterator[Commit]:
        """Yield commits that are no merges, about newest first, while git is still printing.

        Raises GrindError if git fails, or prints what is not understood: a part of a history is
        not counted as the whole.
        """
        wanted = [*_LOG, f"--format=tformat:{LOG_FORMAT}"]
        if limit is not None:
            wanted.append(f"--max-count={limit}")
        # A file: git would stop at a full pipe that nobody reads.
        with (
            tempfile.TemporaryFile() as complaints,
            subprocess.Popen(
                self._git(*wanted, "HEAD", "--"),
                stdout=subprocess.PIPE,
                stderr=complaints,
                stdin=subprocess.DEVNULL,
                env=_environment(),
            ) as process,
        ):
            try:
                yield from _read(process)
            finally:
                process.kill()  # whoever reads may stop early; otherwise it has ended
            if process.wait() != 0:
                complaints.seek(0)
                said = complaints.read(2000).decode(errors="backslashreplace").strip()
                raise _failed(said or f"exit code {process.returncode}")

    def _git(self, *arguments: str) -> list[str]:
        settings = ("i18n.logOutputEncoding=UTF-8", "log.showRoot=true", "diff.orderFile=/dev/null")
        configured = [part for setting in settings for part in ("-c", setting)]
        return ["git", "-C", str(self._folder), *configured, *arguments]


def _read(process: subprocess.Popen[bytes]) -> Iterator[Commit]:
    output = process.stdout
    assert output is not None  # asked for
    try:
        yield from read_log(iter(lambda: output.read(_CHUNK), b""))
    except HistoryLogError as error:
        # Cut off because git failed: then what git says is the better answer.
        if process.wait() == 0:
            raise _failed(str(error)) from error
    process.wait()


def _failed(why: str) -> GrindError:
    return GrindError(f"git log failed: {why}", remedy="see what `git fsck` says of the repository")


def _environment() -> dict[str, str]:
    """Git's surroundings: nothing is fetched, in a partial clone either; messages in English."""
    return os.environ | {"GIT_NO_LAZY_FETCH": "1", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}

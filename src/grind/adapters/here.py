"""Run programs on this machine to their end, without an event loop; and become one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import NoReturn

from grind.adapters.nixpython import Answer
from grind.core.errors import GrindError

SECONDS = 3600.0
"""What a build of a shell may take."""


class Here:
    """Programs in one folder of this machine, without anything to read."""

    def __init__(self, cwd: str) -> None:
        self._cwd = cwd

    def __call__(self, argv: Sequence[str], environ: Mapping[str, str]) -> Answer:
        """Run it. A program that is not there, or takes more than an hour, is an answer too."""
        try:
            done = subprocess.run(
                argv,
                cwd=self._cwd,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except (FileNotFoundError, NotADirectoryError):
            return Answer(127, b"", f"{argv[0]}: command not found".encode())
        except PermissionError:
            return Answer(126, b"", f"{argv[0]}: permission denied".encode())
        except subprocess.TimeoutExpired:
            return Answer(124, b"", f"{argv[0]}: no end within an hour".encode())
        return Answer(done.returncode, done.stdout, done.stderr)


def has(program: str, environ: Mapping[str, str]) -> bool:
    """Whether the PATH of an environment has the program."""
    import shutil

    return shutil.which(program, path=environ.get("PATH", os.defpath)) is not None


def become(argv: Sequence[str], environ: Mapping[str, str], stdin: bytes | None) -> NoReturn:
    """Run the program in place of this process: input, output, signals and exit code are its own.

    With `stdin`, that is what it reads. Raises GrindError when it cannot be started.
    """
    if stdin is not None:
        _read_from(stdin)
    try:
        os.execvpe(argv[0], list(argv), dict(environ))  # noqa: S606  # an argv, no shell
    except OSError as error:
        raise GrindError(
            f"{argv[0]} cannot be started: {error.strerror}",
            remedy="grind py --fresh … looks again at what is there",
        ) from None


def _read_from(data: bytes) -> None:
    """Make `data` the standard input, from its beginning."""
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("grind-stdin")
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    os.lseek(fd, 0, os.SEEK_SET)
    os.dup2(fd, 0)
    os.close(fd)

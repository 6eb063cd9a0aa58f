"""A fault of grind's own: the traceback goes to a private file, the person gets one sentence."""

from __future__ import annotations

import errno
import os
import platform
import sys
import traceback
from collections.abc import Mapping

from grind import __version__
from grind.adapters.files import private_folder, replace_file
from grind.adapters.places import state_folder
from grind.core.errors import ExitCode, GrindError

_KEPT = 20
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def crashed(error: Exception, environ: Mapping[str, str]) -> GrindError:
    """Return the error to tell; write the traceback to the state folder, readable by its owner.

    The command line is left out of the report: it may hold what is nobody else's business. A full
    disk is not a fault, and is told as what it is.
    """
    if isinstance(error, OSError) and error.errno in _FULL:
        return GrindError(
            f"the disk is full: {error.filename or error.strerror}; what was recorded before is safe",
            remedy="free some space, then run the same command again",
            code=ExitCode.PAUSED,
        )
    trace = "".join(traceback.format_exception(error))
    report = f"grind {__version__}, Python {platform.python_version()}, {sys.platform}\n\n{trace}"
    what = (
        f"a fault in grind itself, {type(error).__name__}: {error}; nothing is proven by this run"
    )
    try:
        path = _write(os.path.join(state_folder(environ), "crashes"), report)
    except (OSError, GrindError) as second:
        return GrindError(
            f"{what}\n{trace}\n(not written to a file: {second})", code=ExitCode.CRASHED
        )
    return GrindError(
        what, remedy=f"please report it; the traceback is in {path}", code=ExitCode.CRASHED
    )


def _write(folder: str, report: str) -> str:
    private_folder(os.path.dirname(folder))
    private_folder(folder)
    names = [name.removesuffix(".txt") for name in os.listdir(folder)]
    numbers = sorted(int(name) for name in names if name.isdecimal())
    for number in numbers[: -(_KEPT - 1)]:
        os.unlink(os.path.join(folder, f"{number}.txt"))
    path = os.path.join(folder, f"{numbers[-1] + 1 if numbers else 1}.txt")
    replace_file(path, report.encode("utf-8", "backslashreplace"))
    return path

"""Files that are either whole or not there: write aside, sync, replace.

A full disk is an expected error: what was there before is still there after it.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from grind.core.errors import ExitCode, GrindError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class StorageError(GrindError):
    """Something could not be written; everything recorded before it is safe."""

    code = ExitCode.PAUSED


@contextmanager
def storing(path: str) -> Iterator[None]:
    """Turn the failures of writing to `path` into StorageError, with the remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            why = "a size limit is reached" if error.errno == errno.EFBIG else "the disk is full"
            raise StorageError(
                f"{path} cannot be written: {why}; what was recorded before is safe",
                remedy="free some space, then run the same command again",
            ) from error
        raise StorageError(
            f"{path} cannot be written: {error.strerror or error}",
            remedy="make the folder writable for you, then run the same command again",
        ) from error


def write_all(fd: int, data: bytes) -> None:
    """Write all of `data`; raises OSError (after a part, possibly)."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_folder(path: str) -> None:
    """Make the names in a folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: str, data: bytes, *, mode: int = 0o600, sync: bool = True) -> None:
    """Give `path` this content, at once and for good: readers see the old or the new, never a part.

    `sync=False` leaves durability to the system, for what can be made again. Raises StorageError;
    nothing is left aside then.
    """
    replace_pieces(path, (data,), mode=mode, sync=sync)


def replace_pieces(
    path: str, pieces: Iterable[bytes], *, mode: int = 0o600, sync: bool = True
) -> int:
    """Do as `replace_file` with content that comes in pieces; return how many bytes it has.

    Whatever making a piece raises is raised, and `path` is then what it was.
    """
    aside = f"{path}.{os.getpid()}-{os.urandom(4).hex()}.aside"
    size = 0
    with storing(path):
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            try:
                for piece in pieces:
                    write_all(fd, piece)
                    size += len(piece)
                if sync:
                    os.fsync(fd)
            finally:
                os.close(fd)
            os.replace(aside, path)
        except BaseException:
            os.unlink(aside)
            raise
        if sync:
            sync_folder(os.path.dirname(path) or ".")
    return size


def private_folder(path: str) -> str:
    """Make a folder (and its parents) that only this user can enter; return `path`.

    Raises StorageError when it cannot be made, and GrindError when what stands there is not a
    folder of this user's own: a link, a file, or another user's folder. A folder of the user's
    that others can enter is closed to them.
    """
    with storing(path):
        os.makedirs(os.path.dirname(path) or ".", mode=0o700, exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(path, 0o700)
        found = os.lstat(path)
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise GrindError(
            f"{path} is not a folder of your own",
            remedy=f"move it away, or name another place in GRIND_STATE_DIR: {path}",
        )
    if stat.S_IMODE(found.st_mode) & 0o077:
        with storing(path):
            os.chmod(path, 0o700)
    return path

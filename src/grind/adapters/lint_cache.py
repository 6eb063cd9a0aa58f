"""What lint keeps between runs: hits by content, and the whole answer of an unchanged tree.

The second kind is replayed when every file that was read, every folder and git's index still have
the times, sizes and inodes they had. Files that changed in the last moments before it was written
are not trusted (two writes may share a timestamp), as git does with its index.
"""

from __future__ import annotations

import marshal
import os

TYPE_CHECKING = False  # `typing` costs more than replaying an answer; checkers know this name
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

FORMAT = 3
_PRIME = (1 << 61) - 1
_MOMENT = 50_000_000
"""Nanoseconds below which a file counts as just written."""


def folder() -> str:
    """Where caches live: `$XDG_CACHE_HOME/grind/lint`."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "grind", "lint")


def _write(path: str, value: Any) -> None:
    """Best effort: a cache that cannot be written is a slow run, not a failed one."""
    aside = f"{path}.{os.getpid()}"
    try:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(marshal.dumps(value))
        os.replace(aside, path)
    except OSError:
        return


def _load(path: str) -> Any:
    """What is there, if it is this user's and whole; else None."""
    try:
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_uid != os.geteuid():
                return None
            return marshal.loads(file.read())  # noqa: S302  # own file, in a private folder
    except (OSError, ValueError, EOFError, TypeError):
        return None


def name_of(*parts: str) -> str:
    """A file name for these words."""
    data = "\0".join(parts).encode("utf-8", "surrogateescape")
    return f"{int.from_bytes(data, 'big') % _PRIME:016x}"  # no import, and the key is kept inside


class HitCache:
    """Bytes by content key, one file per repository; keys no run asks for are forgotten."""

    def __init__(self, root: str) -> None:
        self.path = os.path.join(folder(), f"{name_of(root)}.hits")
        loaded = _load(self.path)
        valid = isinstance(loaded, tuple) and len(loaded) == 2 and loaded[0] == FORMAT
        self._old: dict[bytes, bytes] = loaded[1] if valid else {}
        self._new: dict[bytes, bytes] = {}
        self._changed = False

    def get(self, key: bytes) -> bytes | None:
        """What is kept under a key."""
        value = self._old.get(key)
        if value is not None:
            self._new[key] = value
        return value

    def put(self, key: bytes, value: bytes) -> None:
        """Keep it, once saved."""
        self._new[key] = value
        self._changed = True

    def save(self, *, complete: bool) -> None:
        """Write; after a partial run (some paths only) nothing is forgotten."""
        kept = self._new if complete else {**self._old, **self._new}
        if self._changed or len(kept) != len(self._old):
            _write(self.path, (FORMAT, kept))


def _stamp(path: str) -> tuple[int, int, int, int] | None:
    try:
        facts = os.lstat(path)
    except OSError:
        return None
    return (facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino)


def _git_folder(root: str) -> str:
    """Where this working copy's index is: a linked one has a file that says so."""
    try:
        with open(os.path.join(root, ".git")) as file:
            return os.path.join(root, file.readline().removeprefix("gitdir:").strip())
    except OSError:
        return os.path.join(root, ".git")


class Memo:
    """The whole answer of one command line."""

    def __init__(self, key: tuple[str, ...]) -> None:
        self.key = key
        self.path = os.path.join(folder(), f"{name_of(*key)}.memo")

    def replay(self) -> tuple[int, bytes] | None:
        """The exit code and the output, if nothing has changed since."""
        loaded = _load(self.path)
        if not isinstance(loaded, tuple) or len(loaded) != 6 or loaded[:2] != (FORMAT, self.key):
            return None
        lstat = os.lstat
        try:
            for path, there in loaded[5]:
                if os.path.lexists(path) != there:
                    return None
            for path, mtime, ctime, size, inode in loaded[2]:
                facts = lstat(path)
                if facts.st_ctime_ns != ctime:  # a mode counts, too
                    return None
                if facts.st_mtime_ns != mtime or facts.st_size != size or facts.st_ino != inode:
                    return None
        except OSError:
            return None
        return loaded[3], loaded[4]

    def keep(
        self,
        root: str,
        files: list[str],
        folders: list[str],
        code: int,
        output: bytes,
        asked: Mapping[str, bool] | None = None,
    ) -> None:
        """Remember an answer, with everything it was made from. Paths are relative to the
        root; `asked` are paths that were looked for on disk, and whether they were there."""
        import time

        rows: list[tuple[str, int, int, int, int]] = []
        now = time.time_ns()
        index = os.path.join(_git_folder(root), "index")
        extra = (index, ".git/info/exclude", "grind.toml", "flake.lock", ".gitignore")
        for path in (*extra, *files, *folders):
            full = os.path.join(root, path) if path else root
            stamp = _stamp(full)
            if stamp is None:
                if path in extra:
                    continue
                return
            if stamp[0] > now - _MOMENT:
                return
            rows.append((full, *stamp))
        looked = [(os.path.join(root, path), there) for path, there in (asked or {}).items()]
        _write(self.path, (FORMAT, self.key, rows, code, output, looked))

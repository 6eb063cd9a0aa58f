"""What lint keeps between runs: hits by content. (The whole answer of an unchanged tree is the
door's, `grind.adapters.lint_door`.)
"""

from __future__ import annotations

import marshal
import os

TYPE_CHECKING = False  # without `typing`, which checkers do not need to be imported
if TYPE_CHECKING:
    from typing import Any

FORMAT = 3
_PRIME = (1 << 61) - 1


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

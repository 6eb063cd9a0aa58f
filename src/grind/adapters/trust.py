"""Where this user's yes is kept: one private file a repository, outside of every repository."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from grind.adapters.files import private_folder, replace_file, storing

SCHEMA = "grind.trust/1"


class Yes(Struct, frozen=True, kw_only=True):
    """One yes: for this repository, this configuration."""

    schema: str = SCHEMA
    repository: str
    """The git folder that all working copies of it share, absolute."""
    digest: str
    text: str
    at: float
    """Seconds since the epoch."""


def trust_folder(environ: Mapping[str, str]) -> str:
    """Return `grind/trust` in XDG_CONFIG_HOME, else in `~/.config`."""
    base = environ.get("XDG_CONFIG_HOME", "")
    if not os.path.isabs(base):
        home = environ.get("HOME", "")
        base = os.path.join(home if os.path.isabs(home) else os.path.expanduser("~"), ".config")
    return os.path.join(base, "grind", "trust")


class TrustStore:
    """The yeses of one user. `folder` is made private when the first one is given."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def given(self, repository: str) -> Yes | None:
        """Return the last yes for a repository. One that is torn, foreign, or that others can
        write, is none: then the question is asked again."""
        yes = self._read(self._path(repository))
        return yes if yes is not None and yes.repository == os.path.realpath(repository) else None

    def give(self, repository: str, digest: str, text: str, at: float) -> None:
        """Keep a yes in the place of the last one. Raises StorageError."""
        private_folder(os.path.dirname(self._folder))
        private_folder(self._folder)
        yes = Yes(repository=os.path.realpath(repository), digest=digest, text=text, at=at)
        data = msgspec.json.format(msgspec.json.encode(yes), indent=1) + b"\n"
        replace_file(self._path(repository), data)

    def revoke(self, repository: str) -> bool:
        """Take a yes back; False when there was none."""
        path = self._path(repository)
        with storing(path):
            try:
                os.unlink(path)
            except FileNotFoundError:
                return False
        return True

    def all(self) -> list[Yes]:
        """Return every yes, by repository."""
        try:
            names = os.listdir(self._folder)
        except FileNotFoundError:
            return []
        paths = (os.path.join(self._folder, name) for name in names if name.endswith(".json"))
        found = [yes for yes in map(self._read, paths) if yes is not None]
        return sorted(found, key=lambda yes: yes.repository)

    def _path(self, repository: str) -> str:
        import hashlib

        real = os.path.realpath(repository).encode("utf-8", "surrogateescape")
        return os.path.join(self._folder, f"{hashlib.sha256(real).hexdigest()[:24]}.json")

    @staticmethod
    def _read(path: str) -> Yes | None:
        try:
            fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            return None
        with open(fd, "rb") as file:
            found = os.fstat(fd)
            if found.st_uid != os.geteuid() or found.st_mode & 0o022:
                return None
            try:
                yes = msgspec.json.decode(file.read(1 << 20), type=Yes)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return None
        return yes if yes.schema == SCHEMA else None

"""What grind keeps of a repository in its git folder: releases with their logs, and receipts.

<git common dir>/grind/
  lock                      one run at a time
  receipts/<tree>.json      written aside and replaced
  watches/<commit>/         as a release: a journal, and logs of what was red in CI
  activations/<id>/         of hosts: a journal, and the log of the build
  releases/<id>/journal.ndjson, logs/<job>/<step>.log
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator

from grind.adapters.files import private_folder, replace_file, storing, write_all

_ID = re.compile(r"^\d{8}-\d{6}-[0-9a-f]{6}$")
_STAMP = "%Y%m%d-%H%M%S"
_PARTS = 1 << 24
"""Names for one second."""
_TREE = re.compile(r"^[0-9a-f]{40}([0-9a-f]{24})?$")


def _name_after(newest: str, now: float) -> str:
    """Return the name of a release that begins now: its second and the part of it that is over,
    and behind `newest` whatever the clock says."""
    second, part = int(now), int(now % 1 * _PARTS)
    name = _name(second, part)
    if name > newest:
        return name
    import calendar
    import secrets

    second = calendar.timegm(time.strptime(newest[:15], _STAMP))
    part = int(newest[16:], 16) + 1 + secrets.randbelow(4096)
    return _name(second + part // _PARTS, part % _PARTS)


def _name(second: int, part: int) -> str:
    return f"{time.strftime(_STAMP, time.gmtime(second))}-{part:06x}"


class DiskLogWriter:
    """One step's masked log on disk. A step that says nothing has no file: to make one costs more
    than all else that is noted of a small step."""

    def __init__(self, folder: str, path: str) -> None:
        self.path = path
        self._full = os.path.join(folder, path)
        self._fd = -1
        with storing(self._full), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(self._full)  # an earlier attempt's

    def write(self, data: bytes) -> None:
        """Append. Raises StorageError when the disk is full."""
        with storing(self._full):
            if self._fd < 0:
                private_folder(os.path.dirname(self._full))
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
                self._fd = os.open(self._full, flags, 0o600)
            write_all(self._fd, data)

    def close(self) -> None:
        """Close; twice does no harm."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class ReleaseFolder:
    """One release's folder: its journal and its logs (`grind.ports.LogStore`)."""

    def __init__(self, root: str, release: str) -> None:
        self.id = release
        self.path = os.path.join(root, release)

    def writer(self, job: str, step: int, kind: str = "log") -> DiskLogWriter:
        """Start the log of a step, or its summary."""
        return DiskLogWriter(self.path, self.log_path(job, step, kind))

    def log_path(self, job: str, step: int, kind: str = "log") -> str:
        """Return where a step's log is, relative to this folder, also before the step ends."""
        import hashlib

        name = re.sub(r"[^0-9A-Za-z._-]+", "-", job).strip("-.")[:60] or "job"
        mark = hashlib.sha256(job.encode("utf-8", "surrogateescape")).hexdigest()[:6]
        return f"logs/{name}-{mark}/{step}.{'md' if kind == 'summary' else 'log'}"

    def read_log_on(self, path: str, offset: int, limit: int) -> bytes:
        """Return at most `limit` bytes of a log from `offset` on; nothing when it is not there yet,
        or ends there."""
        full = os.path.join(self.path, path)
        try:
            fd = os.open(full, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return b""
        try:
            return os.pread(fd, limit, offset)
        finally:
            os.close(fd)

    def read_log(self, path: str) -> Iterator[bytes]:
        """Yield a log's bytes in pieces. Raises OSError when it is not there."""
        full = os.path.realpath(os.path.join(self.path, path))
        if not full.startswith(os.path.realpath(self.path) + os.sep):
            raise FileNotFoundError(path)
        with open(full, "rb") as file:
            while piece := file.read(1 << 16):
                yield piece


class Store:
    """All that grind keeps in one repository."""

    def __init__(self, common_dir: str) -> None:
        self.root = os.path.join(common_dir, "grind")

    @property
    def lock_path(self) -> str:
        """Where the lock of the repository is."""
        return os.path.join(self.root, "lock")

    def new_release(self, now: float) -> ReleaseFolder:
        """Name a new release; its folder is made by the first thing written.

        Its name sorts behind those of all releases that are there: several may begin in one
        second, and clocks are set back. Raises GrindError when the folders for releases are not
        the user's own (a link elsewhere).
        """
        private_folder(self.root)
        private_folder(self._releases)
        newest = self.latest()
        return ReleaseFolder(self._releases, _name_after(newest.id if newest else "", now))

    def release(self, release: str) -> ReleaseFolder | None:
        """Return the release with that identifier."""
        folder = ReleaseFolder(self._releases, release)
        return folder if _ID.match(release) and os.path.isdir(folder.path) else None

    def releases(self) -> list[ReleaseFolder]:
        """Return all releases, the newest first."""
        try:
            names = sorted(filter(_ID.match, os.listdir(self._releases)), reverse=True)
        except FileNotFoundError:
            return []
        return [ReleaseFolder(self._releases, name) for name in names]

    def latest(self) -> ReleaseFolder | None:
        """Return the newest release."""
        found = self.releases()
        return found[0] if found else None

    def tidying_is_due(self, now: float, every: float) -> bool:
        """Say whether `every` seconds have gone since this said so last, and note that it did."""
        path = os.path.join(self.root, "tidied")
        try:
            if 0 <= now - os.stat(path).st_mtime < every:
                return False
        except FileNotFoundError:
            replace_file(path, b"")
        with storing(path):
            os.utime(path, (now, now))
        return True

    def prune(self, keep: int) -> None:
        """Remove all but the newest `keep` releases."""
        for folder in self.releases()[keep:]:
            import shutil

            shutil.rmtree(folder.path, ignore_errors=True)

    def watch(self, commit: str) -> ReleaseFolder:
        """Return the folder of a commit's watch; it is made by the first thing written."""
        if not _TREE.match(commit):
            raise ValueError(commit)
        return ReleaseFolder(self._watches, commit)

    def prune_watches(self, keep: int) -> None:
        """Remove all but the `keep` watches that were begun or changed last."""
        try:
            folders = [entry for entry in os.scandir(self._watches) if _TREE.match(entry.name)]
        except FileNotFoundError:
            return
        folders.sort(key=lambda entry: entry.stat(follow_symlinks=False).st_mtime, reverse=True)
        for folder in folders[keep:]:
            import shutil

            shutil.rmtree(folder.path, ignore_errors=True)

    def new_activation(self, now: float) -> ReleaseFolder:
        """Name a new activation of a host; its folder is made by the first thing written."""
        private_folder(self.root)
        private_folder(self._activations)
        import secrets

        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        return ReleaseFolder(self._activations, f"{stamp}-{secrets.token_hex(3)}")

    def activations(self) -> list[ReleaseFolder]:
        """Return all activations that were begun from here, the newest first."""
        try:
            names = sorted(filter(_ID.match, os.listdir(self._activations)), reverse=True)
        except FileNotFoundError:
            return []
        return [ReleaseFolder(self._activations, name) for name in names]

    def prune_activations(self, keep: int) -> None:
        """Remove what is kept here of all but the newest `keep` activations; the host keeps its own
        record."""
        for folder in self.activations()[keep:]:
            import shutil

            shutil.rmtree(folder.path, ignore_errors=True)

    def receipt(self, tree: str) -> bytes | None:
        """Return the stored receipt for a tree, as bytes, or None."""
        if not _TREE.match(tree):
            return None
        try:
            with open(self.receipt_path(tree), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def receipts(self) -> list[tuple[str, float]]:
        """List the trees with receipts, and when each was written: the newest first."""
        folder = os.path.join(self.root, "receipts")
        try:
            found = [
                (entry.name.removesuffix(".json"), entry.stat(follow_symlinks=False).st_mtime)
                for entry in os.scandir(folder)
                if entry.name.endswith(".json") and _TREE.match(entry.name[:-5])
            ]
        except FileNotFoundError:
            return []
        return sorted(found, key=lambda one: (-one[1], one[0]))

    def refuse(self, now: float) -> None:
        """Note that the gate refused a push: a line for `grind stats`, and nothing hangs on it."""
        private_folder(self.root)
        with storing(self._refusals), open(self._refusals, "a", encoding="ascii") as file:
            file.write(f"{now:.0f}\n")

    def refusals(self) -> int:
        """Return how often that was."""
        try:
            with open(self._refusals, "rb") as file:
                return file.read().count(b"\n")
        except FileNotFoundError:
            return 0

    @property
    def _refusals(self) -> str:
        return os.path.join(self.root, "refusals")

    def prune_receipts(self, before: float) -> int:
        """Remove the receipts that were written before then (seconds since the epoch); return how
        many."""
        old = [tree for tree, at in self.receipts() if at < before]
        for tree in old:
            self.drop_receipt(tree)
        return len(old)

    def hit(self, tree: str) -> bytes | None:
        """Return what is remembered beside a full receipt that is still there."""
        if not _TREE.match(tree) or not os.path.exists(self.receipt_path(tree)):
            return None
        try:
            with open(self._hit_path(tree), "rb") as file:
                # A receipt that was written after it is another one, whatever wrote it.
                written = os.stat(self.receipt_path(tree)).st_mtime_ns
                return file.read() if written <= os.fstat(file.fileno()).st_mtime_ns else None
        except FileNotFoundError:
            return None

    def save_hit(self, tree: str, data: bytes | None) -> None:
        """Remember it, or forget what was remembered. Written after the receipt."""
        if data is None:
            with storing(self._hit_path(tree)), contextlib.suppress(FileNotFoundError):
                os.unlink(self._hit_path(tree))
        else:
            replace_file(self._hit_path(tree), data)

    def _hit_path(self, tree: str) -> str:
        return os.path.join(self.root, "receipts", f"{tree}.hit")

    def save_receipt(self, tree: str, data: bytes) -> str:
        """Keep a receipt; return its path. The old one stays until the new one is whole."""
        self.save_hit(tree, None)
        private_folder(self.root)
        private_folder(os.path.dirname(self.receipt_path(tree)))
        replace_file(self.receipt_path(tree), data)
        return self.receipt_path(tree)

    def drop_receipt(self, tree: str) -> None:
        """Forget the receipt for a tree: what it proved has since failed."""
        self.save_hit(tree, None)
        with storing(self.receipt_path(tree)):
            try:
                os.unlink(self.receipt_path(tree))
            except FileNotFoundError:
                return

    @property
    def _releases(self) -> str:
        return os.path.join(self.root, "releases")

    @property
    def _activations(self) -> str:
        return os.path.join(self.root, "activations")

    @property
    def _watches(self) -> str:
        return os.path.join(self.root, "watches")

    def receipt_path(self, tree: str) -> str:
        """Return where the receipt for a tree is kept."""
        return os.path.join(self.root, "receipts", f"{tree}.json")

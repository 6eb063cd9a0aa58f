"""Trees to lint: a working copy, a revision's blobs, a folder without git."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from grind.adapters.git.process import Git
from grind.adapters.git.spawn import Running
from grind.core.errors import GrindError
from grind.core.tree import Entry

_LOCATORS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY")


def _environment() -> dict[str, str]:
    """Without what a hook sets to point git at some repository: the folder decides."""
    return {k: v for k, v in os.environ.items() if k not in _LOCATORS}


def _git(root: str, *argv: str) -> bytes:
    return _end(_start(root, *argv))


def _start(root: str, *argv: str) -> Running:
    """Let git begin; `_end` waits for it."""
    return Git(root, _environment()).start(argv)


def _end(running: Running) -> bytes:
    answer = running.finish()
    if answer.code != 0:
        said = answer.err.decode("utf-8", "replace").strip()
        raise GrindError(f"git {running.args[3]} failed: {said or answer.code}")
    return answer.out


def toplevel(folder: str) -> str | None:
    """The root of the working copy around a folder; None outside of any."""
    try:
        done = subprocess.run(
            ["git", "-C", folder, "rev-parse", "--show-toplevel"],
            capture_output=True,
            env=_environment(),
            check=False,
        )
    except FileNotFoundError:
        return None
    return os.fsdecode(done.stdout).rstrip("\n") if done.returncode == 0 else None


def changed(root: str, base: str) -> frozenset[str]:
    """Paths that differ between where `base` and HEAD part and the working copy, new ones too."""
    fork = _git(root, "merge-base", "--", _commit(root, base), "HEAD").strip().decode()
    differ = _git(root, "diff", "--name-only", "--no-renames", "-z", fork, "--")
    new = _git(root, "ls-files", "-o", "--exclude-standard", "-z")
    return frozenset(os.fsdecode(name) for name in (differ + new).split(b"\0") if name)


def _commit(root: str, name: str) -> str:
    argv = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    try:
        return _git(root, *argv).strip().decode()
    except GrindError:
        raise GrindError(
            f"there is no commit `{name}` here", remedy="name a branch, a tag or an oid"
        ) from None


def folders(root: str) -> list[str]:
    """All folders in which a file that git does not ignore could appear; the root is the empty one."""
    ignored = _ignored(root)
    found: list[str] = []
    for here, inner, _ in os.walk(root, followlinks=False):
        inside = os.path.relpath(here, root)
        inside = "" if inside == "." else inside
        found.append(inside)
        inner[:] = [
            name
            for name in sorted(inner)
            if name != ".git" and os.path.join(inside, name) not in ignored
        ]
    return found


def _ignored(root: str) -> set[str]:
    """Folders that are ignored themselves. In one whose files all are, another may appear that is not:
    `ls-files` names both kinds."""
    listed = _git(root, "ls-files", "-o", "-i", "--exclude-standard", "--directory", "-z")
    names = [name.rstrip(b"/") for name in listed.split(b"\0") if name[-1:] == b"/"]
    if not names:
        return set()
    done = subprocess.run(
        ["git", "-C", root, "check-ignore", "-z", "--stdin"],
        input=b"".join(name + b"\0" for name in names),
        capture_output=True,
        env=_environment(),
        check=False,
    )
    return {os.fsdecode(name) for name in done.stdout.split(b"\0") if name}


class WorkTree:
    """The files as they lie on disk: what git tracks, and new ones that it does not ignore."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._entries: list[Entry] | None = None
        self.asked: dict[str, bool] = {}
        """What was asked about with `exists`, and what was said."""
        self.seen: set[str] = set()
        """The files that were read."""

    def entries(self) -> list[Entry]:
        """All of them, listed once."""
        if self._entries is None:
            self._entries = list(self._listed())
        return self._entries

    def _listed(self) -> Iterator[Entry]:
        seen: set[str] = set()
        others = _start(self.root, "ls-files", "-o", "--exclude-standard", "-z")
        for row in _git(self.root, "ls-files", "-s", "-z").split(b"\0"):
            if not row:
                continue
            facts, _, name = row.partition(b"\t")
            path = os.fsdecode(name)
            if path not in seen:  # a conflict lists a path up to three times
                seen.add(path)
                mode = facts[:6]
                yield Entry(path, mode == b"100755", True, mode.startswith(b"100"))
        for name in _end(others).split(b"\0"):
            if name and not name.endswith(b"/"):
                yield _on_disk(self.root, os.fsdecode(name))

    def read(self, path: str) -> bytes | None:
        """A file's content; None when it is gone or no regular file."""
        data = _read(self.root, path)
        if data is not None:
            self.seen.add(path)
        return data

    def exists(self, path: str, /) -> bool:
        """Whether it is on disk."""
        there = os.path.lexists(os.path.join(self.root, path))
        self.asked[path] = there
        return there


class Folder(WorkTree):
    """A folder that is no working copy: every file in it."""

    def _listed(self) -> Iterator[Entry]:
        for here, folders, names in os.walk(self.root, followlinks=False):
            folders[:] = sorted(f for f in folders if f not in (".git", "node_modules", ".venv"))
            for name in sorted(names):
                yield _on_disk(self.root, os.path.relpath(os.path.join(here, name), self.root))


def _on_disk(root: str, path: str) -> Entry:
    try:
        mode = os.lstat(os.path.join(root, path)).st_mode
    except OSError:
        return Entry(path, False, False, False)
    return Entry(path, bool(mode & 0o100), False, stat.S_ISREG(mode))


def _read(root: str, path: str) -> bytes | None:
    """Never follows a link out of the tree, never waits on a pipe."""
    try:
        handle = os.open(os.path.join(root, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            return None
        pieces = [os.read(handle, facts.st_size + 1)]
        while pieces[-1]:  # till the end, however long it has become meanwhile
            pieces.append(os.read(handle, 1 << 20))
        return b"".join(pieces)
    finally:
        os.close(handle)


class Revision:
    """The files of a commit, read from git's objects; nothing of the working copy counts."""

    def __init__(self, root: str, name: str) -> None:
        self.root = root
        self.oid = _commit(root, name)
        self._blobs: dict[str, str] = {}
        self._entries: list[Entry] | None = None
        self._reader: subprocess.Popen[bytes] | None = None

    def entries(self) -> list[Entry]:
        """All of them, listed once."""
        if self._entries is None:
            self._entries = []
            for row in _git(self.root, "ls-tree", "-r", "-z", "--full-tree", self.oid).split(b"\0"):
                facts, _, name = row.partition(b"\t")
                if name:
                    mode, _, oid = facts.decode().split()
                    path = os.fsdecode(name)
                    self._blobs[path] = oid
                    regular = mode.startswith("100")
                    self._entries.append(Entry(path, mode == "100755", True, regular))
        return self._entries

    def read(self, path: str) -> bytes | None:
        """A blob's content."""
        self.entries()
        oid = self._blobs.get(path)
        if oid is None:
            return None
        if self._reader is None:
            self._reader = subprocess.Popen(
                ["git", "-C", self.root, "cat-file", "--batch"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=_environment(),
            )
        ask, answer = self._reader.stdin, self._reader.stdout
        if ask is None or answer is None:
            return None
        ask.write(oid.encode() + b"\n")
        ask.flush()
        head = answer.readline().split()
        if len(head) != 3:
            return None
        data = answer.read(int(head[2]))
        answer.read(1)
        return data

    def exists(self, _path: str, /) -> bool:
        """Only what is in the commit exists."""
        return False

    def close(self) -> None:
        """End the reading process."""
        if self._reader is not None:
            self._reader.communicate()
            self._reader = None


@contextmanager
def revision(root: str, name: str) -> Iterator[Revision]:
    """A commit's files for the length of a block. Raises GrindError without such a commit."""
    tree = Revision(root, name)
    try:
        yield tree
    finally:
        tree.close()


def write(root: str, path: str, data: bytes, new: bool) -> None:
    """Write a file of a fix, whole or not at all; a new one is made known to git (`add -N`)."""
    target = os.path.join(root, path)
    mode = 0o755 if new else stat.S_IMODE(os.stat(target).st_mode)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    aside = f"{target}.grind-{os.getpid()}"
    try:
        with open(aside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(aside, mode)
        os.replace(aside, target)
    finally:
        if os.path.lexists(aside):
            os.unlink(aside)
    if new and toplevel(root):
        _git(root, "add", "-N", "--", path)

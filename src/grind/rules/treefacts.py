"""What rules may know of the tree when they judge their claims."""

from __future__ import annotations

from functools import cached_property

from grind.core.tree import Tree
from grind.rules.globs import github, ignored


class TreeFacts:
    """Questions about the tree, answered once. Paths are normalised, relative to the root."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    @cached_property
    def files(self) -> dict[str, bool]:
        """All files: path → whether git tracks it."""
        return {entry.path: entry.tracked for entry in self._tree.entries()}

    @cached_property
    def folders(self) -> frozenset[str]:
        """All folders that hold a file, also indirectly; "" is the root."""
        found = {""}
        for path in self.files:
            while "/" in path:
                path = path.rpartition("/")[0]
                if path in found:
                    break
                found.add(path)
        return frozenset(found)

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.files:
            found.setdefault(path.rpartition("/")[2], []).append(path)
        return found

    @cached_property
    def _ignores(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for path in sorted(self._by_name.get(".gitignore", ()), key=lambda p: p.count("/")):
            data = self._tree.read(path) or b""
            folder = path.rpartition("/")[0]
            for line in data.decode("utf-8", "surrogateescape").splitlines():
                if line.strip() and not line.startswith("#"):
                    found.append((folder, line.rstrip()))
        return found

    def has(self, path: str) -> bool:
        """Whether a file or folder of the tree has this path."""
        return path in self.files or path in self.folders

    def tracked(self, path: str) -> bool:
        """Whether git tracks this file, anything in this folder, or a link on the way to it."""
        above = path
        while "/" in above:
            above = above.rpartition("/")[0]
            if above in self.files:
                return self.files[above]
        if path in self.files:
            return self.files[path]
        if path not in self.folders:
            return False
        return any(known for name, known in self.files.items() if name.startswith(path + "/"))

    def ignored(self, path: str) -> bool:
        """Whether a .gitignore of the tree covers this path."""
        return ignored(path, self._ignores)

    def on_disk(self, path: str) -> bool:
        """Whether it is there at all, tracked or not."""
        return self.has(path) or self._tree.exists(path)

    def ending_with(self, path: str) -> list[str]:
        """Files whose path ends with this one."""
        name = path.rpartition("/")[2]
        return [p for p in self._by_name.get(name, ()) if p == path or p.endswith("/" + path)]

    def matches(self, pattern: str) -> bool:
        """Whether a filter pattern matches any file."""
        if not any(sign in pattern for sign in "*?+[\\"):
            return pattern in self.files
        regex = github(pattern)
        return any(regex.match(path) for path in self.files)

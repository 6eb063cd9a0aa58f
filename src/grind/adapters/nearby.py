"""Names that the repository at hand has: for completion. Reads a few files, runs nothing.

Whatever cannot be read has no names; completing must never print an error into a command line.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MOST = 200


class Nearby:
    """What can be named where somebody types."""

    def __init__(self, cwd: str, environ: Mapping[str, str]) -> None:
        self._cwd = cwd
        self._environ = environ

    def __call__(self, kind: str) -> list[tuple[str, str]]:
        """Return names of a kind, with what they are."""
        found = getattr(self, f"_{kind}", None)
        if found is None:
            return []
        names: list[tuple[str, str]] = []
        try:
            for one in found():
                names.append(one)
                if len(names) >= _MOST:
                    break
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return names
        return names

    def _git_dir(self) -> str:
        """Find the folder that all working copies share, as gitrepository-layout(5) has it."""
        folder = os.path.abspath(self._cwd)
        while not os.path.exists(os.path.join(folder, ".git")):
            above = os.path.dirname(folder)
            if above == folder:
                raise FileNotFoundError(".git")
            folder = above
        git = os.path.join(folder, ".git")
        if os.path.isfile(git):
            with open(git) as file:
                git = os.path.join(folder, file.read().partition("gitdir: ")[2].strip())
            common = os.path.join(git, "commondir")
            if os.path.exists(common):
                with open(common) as file:
                    git = os.path.join(git, file.read().strip())
        return git

    def _top(self) -> str:
        folder = os.path.abspath(self._cwd)
        while not os.path.exists(os.path.join(folder, ".git")):
            folder, before = os.path.dirname(folder), folder
            if folder == before:
                raise FileNotFoundError(".git")
        return folder

    def _grind(self, *parts: str) -> list[str]:
        return sorted(os.listdir(os.path.join(self._git_dir(), "grind", *parts)), reverse=True)

    def _releases(self) -> Iterator[tuple[str, str]]:
        for name in self._grind("releases"):
            yield name, ""

    def _receipts(self) -> Iterator[tuple[str, str]]:
        for name in self._grind("receipts"):
            tree = name.partition(".")[0]
            if name.endswith(".json"):
                yield tree, "tree"

    def _workflows(self) -> Iterator[tuple[str, str]]:
        folder = os.path.join(self._top(), ".github", "workflows")
        for name in sorted(os.listdir(folder)):
            if name.endswith((".yml", ".yaml")):
                yield name, "workflow"

    def _names(self) -> Iterator[tuple[str, str]]:
        """Checks and jobs: what `grind check NAME` takes."""
        yield from self._checks()
        yield from self._jobs()
        yield from self._workflows()

    def _checks(self) -> Iterator[tuple[str, str]]:
        for check in self._config().get("check", ()):
            yield str(check["name"]), "check"

    def _probes(self) -> Iterator[tuple[str, str]]:
        for probe in self._config().get("probe", ()):
            yield str(probe["name"]), "probe"

    def _hosts(self) -> Iterator[tuple[str, str]]:
        for name, host in self._config().get("hosts", {}).items():
            yield str(name), str(host.get("role", "") or host.get("ssh", ""))

    def _jobs(self) -> Iterator[tuple[str, str]]:
        """Jobs, as the newest run names them: the first line of its journal has all."""
        import json

        for release in self._grind("releases"):
            path = os.path.join(self._git_dir(), "grind", "releases", release, "journal.ndjson")
            with open(path, "rb") as file:
                event = json.loads(file.readline())["event"]
            if event.get("type") == "run.started":
                for job in event["jobs"]:
                    yield str(job["name"]), "job"
                return

    def _branches(self) -> Iterator[tuple[str, str]]:
        root = os.path.join(self._git_dir(), "refs", "heads")
        for folder, _, names in os.walk(root):
            for name in sorted(names):
                yield os.path.relpath(os.path.join(folder, name), root), "branch"
        with open(os.path.join(self._git_dir(), "packed-refs")) as file:
            for line in file:
                ref = line.rstrip("\n").partition(" ")[2]
                if ref.startswith("refs/heads/"):
                    yield ref[len("refs/heads/") :], "branch"

    def _config(self) -> dict:  # type: ignore[type-arg]
        import tomllib

        with open(os.path.join(self._top(), "grind.toml"), "rb") as file:
            return tomllib.load(file)

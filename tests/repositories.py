"""Real git repositories for tests, with the times and authors that a test wants."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

OWN = {
    name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITHUB_"))
}
SETTINGS = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


class Repository:
    """A repository at `folder`, on a branch `main`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.name", "Ada")
        self.git("config", "user.email", "ada@example.com")

    def git(self, *arguments: str, stdin: str = "", **variables: str) -> str:
        """Run git here and return what it prints."""
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.folder,
            env=OWN | SETTINGS | variables,
            input=stdin,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def commit(
        self,
        files: Mapping[str, str | None],
        message: str,
        *,
        at: int = 1_769_904_000,
        author: str = "Ada",
    ) -> str:
        """Write the files (None removes one), commit at that time, and return the commit's name."""
        for name, text in files.items():
            path = self.folder / name
            if text is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
        self.git("add", "-A")
        when = f"{at} +0000"
        times = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when, "GIT_AUTHOR_NAME": author}
        self.git("commit", "-q", "--allow-empty", "-F", "-", stdin=message, **times)
        return self.git("rev-parse", "HEAD").strip()

"""Repositories to measure in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.timing import environment

IDENTITY = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")


def grind(*arguments: str) -> list[str]:
    """Return the command line that starts grind as its console script does."""
    return [str(Path(sys.executable).with_name("grind")), *arguments]


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder; raise CalledProcessError when it fails."""
    command = ["git", *IDENTITY, "-C", str(folder), *arguments]
    subprocess.run(command, env=environment(), check=True, stdout=subprocess.DEVNULL)


def repository(folder: Path, files: Mapping[str, str]) -> Path:
    """Make a repository with one commit of these files, and return its folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "files")
    return folder


def with_remote(folder: Path) -> None:
    """Give the repository a remote that has all of it, as a clone would."""
    bare = folder.with_name(f"{folder.name}-remote.git")
    git(folder, "init", "-q", "--bare", "-b", "main", str(bare))
    git(folder, "remote", "add", "origin", str(bare))
    git(folder, "push", "-q", "-u", "origin", "main")
    git(folder, "remote", "set-head", "origin", "main")


def chromium() -> str | None:
    """Return the path of the browser that the page is opened in, where there is one."""
    return shutil.which("chromium") or shutil.which("google-chrome")

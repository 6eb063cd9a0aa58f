"""A program of the tests' own under a limit on the size of files: a full disk for everybody."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"


def run_limited(program: str, path: Path) -> str:
    """Run Python text with `path` and the source folder as arguments; return what it prints."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    return subprocess.run(
        [sys.executable, "-c", program, str(path), str(SRC)],
        preexec_fn=limited,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

"""`grind status` beside a bare interpreter, and beside the git commands that it cannot do without."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import samples
from bench.table import Row
from bench.timing import medians, program

GOAL = 5.0
ROUNDS = 21
WORKFLOW = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: 'true'}]\n"


def rows() -> Iterator[Row]:
    """Measure it in a small clone, where nothing of the repository's own size counts."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        files = {f"src/file{n}.py": "x = 1\n" for n in range(20)}
        folder = samples.repository(
            Path(scratch) / "repository", files | {".github/workflows/ci.yml": WORKFLOW}
        )
        samples.with_remote(folder)
        found = medians(
            {
                "bare": program([sys.executable, "-c", "pass"], cwd=folder),
                "msgspec": program([sys.executable, "-c", "import msgspec"], cwd=folder),
                "status": program(samples.grind("status"), cwd=folder, says="next"),
                "git": program(["git", "status", "--porcelain=v2", "--branch"], cwd=folder),
            },
            ROUNDS,
        )
    yield Row("status", "grind status", found["status"], "bare python", found["bare"], GOAL)
    yield Row("status", "import msgspec", found["msgspec"], "bare python", found["bare"])
    yield Row("status", "grind status", found["status"], "git status", found["git"])

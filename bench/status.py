"""`grind status` beside a bare interpreter, and beside the git commands that it cannot do without."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import samples
from bench.table import Row
from bench.timing import environment, medians, program

GOAL = 5.0
ROUNDS = 21
WORKFLOW = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: 'true'}]\n"


def rows() -> Iterator[Row]:
    """Measure it in a small clone, where nothing of the repository's own size counts: before any run,
    and after one, with an edit that nothing has proven yet."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        files = {f"src/file{n}.py": "x = 1\n" for n in range(20)}
        folder = samples.repository(
            Path(scratch) / "repository", files | {".github/workflows/ci.yml": WORKFLOW}
        )
        samples.with_remote(folder)
        env = environment(XDG_STATE_HOME=str(Path(scratch) / "state"))
        status = program(samples.grind("status"), cwd=folder, env=env, says="next")
        bare = program([sys.executable, "-c", "pass"], cwd=folder)
        found = medians(
            {
                "bare": bare,
                "msgspec": program([sys.executable, "-c", "import msgspec"], cwd=folder),
                "status": status,
                "git": program(["git", "status", "--porcelain=v2", "--branch"], cwd=folder),
            },
            ROUNDS,
        )
        program(samples.grind("check"), cwd=folder, env=env, says="green")()
        proven = program(samples.grind("status"), cwd=folder, env=env, says="proven ·")
        after = medians({"bare": bare, "proven": proven}, ROUNDS, warm=0)
        (folder / "src" / "file1.py").write_text("x = 2\n")
        edited = program(samples.grind("status"), cwd=folder, env=env, says="1 changed")
        later = medians({"bare": bare, "edited": edited}, ROUNDS, warm=0)
    yield Row("status", "grind status", found["status"], "bare python", found["bare"], GOAL)
    what = "grind status, after a green run"
    yield Row("status", what, after["proven"], "bare python", after["bare"], GOAL)
    what = "grind status, after an edit"
    yield Row("status", what, later["edited"], "bare python", later["bare"], GOAL)
    yield Row("status", "import msgspec", found["msgspec"], "bare python", found["bare"])
    yield Row("status", "grind status", found["status"], "git status", found["git"])

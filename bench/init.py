"""`grind init` beside `git log --name-only` on a generated repository: whole processes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import samples
from bench.stats import COMMITS, WORKFLOWS, build
from bench.table import Row
from bench.timing import medians, program

GOAL = 3.0
ROUNDS = 9
WORKFLOW = """\
name: w{n}
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix: {{part: [a, b, c]}}
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-python@v5
        with: {{python-version: "3.11"}}
      - run: pip install -r requirements.txt
      - run: pytest part-${{{{ matrix.part }}}}
  lint:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: some/linter@v{n}
      - run: ruff check .
"""


def rows() -> Iterator[Row]:
    """Measure the first look, which writes nothing, so that each round finds the same."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        folder = Path(scratch) / "repository"
        build(folder, COMMITS)
        samples.git(folder, "checkout", "-q", "-f", "main")
        for number in range(WORKFLOWS):
            path = folder / ".github" / "workflows" / f"w{number}.yml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(WORKFLOW.format(n=number))
        (folder / "Justfile").write_text("lint:\n    ruff check src\n")
        samples.git(folder, "add", "-A")
        samples.git(folder, "commit", "-q", "-m", "Workflows that are ones")
        found = medians(
            {
                "log": program(["git", "-C", str(folder), "log", "--name-only"], says="ones"),
                "init": program(samples.grind("init", "--diff"), cwd=folder, says="w29.yml"),
            },
            ROUNDS,
        )
    what = f"grind init --diff, {COMMITS:,} commits, {WORKFLOWS} workflows"
    yield Row("init", what, found["init"], "git log --name-only", found["log"], GOAL)

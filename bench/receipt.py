"""`grind check` on a proven tree beside `pre-commit run` with one no-op hook, whole processes.

Three states of a repository: everything committed, one staged edit (what a hook meets), and with a
`grind.toml`. In the first, pre-commit's hook is told to run although no file changed; a hook that
is skipped would not be a hook.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import samples
from bench.table import Row
from bench.timing import environment, medians, program

ROUNDS = 31
GOAL = 0.6

WORKFLOW = """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: test -f notes.txt
"""
HOOK = """\
repos:
  - repo: local
    hooks:
      - id: nothing
        name: nothing
        entry: "true"
        language: system
        always_run: true
        pass_filenames: false
"""
CONFIG = 'main = "main"\n\n[receipt]\nmax_age = "7d"\n'


def rows() -> Iterator[Row]:
    """Measure the three."""
    files = {
        ".github/workflows/ci.yml": WORKFLOW,
        ".pre-commit-config.yaml": HOOK,
        "notes.txt": "one\n",
    }
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        folder = Path(scratch)
        for name, extra in (
            ("committed", {}),
            ("staged edit", {}),
            ("toml", {"grind.toml": CONFIG}),
        ):
            place = samples.repository(folder / name.replace(" ", "-"), files | extra)
            samples.with_remote(place)
            if name == "staged edit":
                (place / "notes.txt").write_text("two\n")
                samples.git(place, "add", "notes.txt")
            what = {"toml": "proven tree, with a grind.toml"}.get(name, f"proven tree, {name}")
            yield measure(place, folder / "state", what)


def measure(place: Path, state: Path, what: str) -> Row:
    """Prove the tree, and measure what is said of it from then on."""
    env = environment(XDG_STATE_HOME=str(state), PRE_COMMIT_HOME=str(state / "pre-commit"))
    program(samples.grind("check"), cwd=place, env=env, says="green")()
    pre_commit = str(Path(sys.executable).with_name("pre-commit"))
    found = medians(
        {
            "grind": program(samples.grind("check"), cwd=place, env=env, says="was proven"),
            "pre-commit": program([pre_commit, "run"], cwd=place, env=env, says="Passed"),
        },
        ROUNDS,
        warm=2,
    )
    beside = "pre-commit run, one no-op hook"
    return Row("receipt", what, found["grind"], beside, found["pre-commit"], GOAL)

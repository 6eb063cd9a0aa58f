"""`grind lint` beside shellcheck and `git ls-files`, whole processes, on one tree of 1,000 shell files
made from the labelled corpus, a dozen snippets to a file.
"""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.rules.corpus import corpus

from bench import samples
from bench.table import Row, Skipped
from bench.timing import BenchError, Side, environment, medians, program

FILES = 1000
SNIPPETS = 12
FIRST = 0.5
"""Of shellcheck on the same files (issue 7)."""
CHANGED = 2.0
"""Of Python's start-up with what lint imports."""
LISTED = """
import sys
from grind.cli import run
code = run(["lint"])
made = [name for name, one in sys.modules.items() if getattr(one, "__spec__", None) is not None]
sys.stderr.write(" ".join(made))
sys.exit(code)
"""
AGAIN = 5.0
"""Of `git ls-files`."""
FINDINGS = 1
"""Exit code of both linters on a tree with findings."""


def rows() -> Iterator[Row | Skipped]:
    """Measure the first run, which reads all files, one after an edit, and one after none."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        place = samples.repository(Path(scratch) / "repo", files())
        env = environment(XDG_CACHE_HOME=str(Path(scratch) / "cache"))
        lint = program(samples.grind("lint"), cwd=place, env=env, says=".sh:", code=FINDINGS)
        everything = [*samples.grind("lint"), "--no-cache"]
        first = program(everything, cwd=place, env=env, says=".sh:", code=FINDINGS)
        yield beside_shellcheck(place, first)
        yield one_changed(place, env, lint)
        lint()
        listing = program(["git", "ls-files"], cwd=place, env=env, says="f999.sh")
        found = medians({"lint": lint, "listing": listing}, 21)
    what = f"grind lint, {FILES:,} shell files, unchanged"
    yield Row("lint", what, found["lint"], "git ls-files", found["listing"], AGAIN)


def one_changed(place: Path, env: Mapping[str, str], lint: Side) -> Row:
    """One file of all was edited since. Beside it: Python that imports exactly what that lint has
    imported in the end, and does nothing."""
    edited = place / "d0" / "f0.sh"
    text = edited.read_text()
    numbers = itertools.count()

    def changed() -> float:
        edited.write_text(f"{text}# {next(numbers)}\n")
        return lint()

    lint()
    edited.write_text(f"{text}# before\n")
    argv = [sys.executable, "-c", LISTED]
    said = subprocess.run(argv, cwd=place, env=env, capture_output=True, text=True, check=False)
    modules = said.stderr.split()
    if said.returncode != FINDINGS or "grind.rules.engine" not in modules:
        raise BenchError(f"no list of what lint imports: {said.stderr[-500:]}")
    peer = program([sys.executable, "-c", f"import {', '.join(modules)}"], cwd=place, env=env)
    found = medians({"lint": changed, "peer": peer}, 15, warm=2)
    edited.write_text(text)
    what = f"grind lint, one of {FILES:,} files changed"
    return Row("lint", what, found["lint"], "python, the same imports", found["peer"], CHANGED)


def beside_shellcheck(place: Path, first: Side) -> Row | Skipped:
    """Both read all files; shellcheck takes long, so one turn must do."""
    near = str(Path(sys.executable).parent)
    shellcheck = shutil.which("shellcheck", path=near) or shutil.which("shellcheck")
    what = f"grind lint, {FILES:,} shell files, first time"
    if shellcheck is None:
        return Skipped("lint", what, "shellcheck is not installed")
    names = sorted(str(path.relative_to(place)) for path in place.rglob("*.sh"))
    peer = program([shellcheck, "-f", "gcc", *names], cwd=place, says=".sh:", code=FINDINGS)
    found = medians({"lint": first, "peer": peer}, 1, warm=0)
    return Row("lint", what, found["lint"], "shellcheck", found["peer"], FIRST)


def files() -> dict[str, str]:
    """Return the tree: path and text."""
    plain = [case.text for case in corpus() if case.path.endswith(".sh")]
    texts = ["\n".join(plain[at : at + SNIPPETS]) for at in range(0, len(plain), SNIPPETS)]
    return {f"d{n % 40}/f{n}.sh": f"{texts[n % len(texts)]}\n# {n}\n" for n in range(FILES)}

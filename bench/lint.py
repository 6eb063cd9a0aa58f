"""`grind lint` beside shellcheck and `git ls-files`, whole processes, on one tree of 1,000 shell files
made from the labelled corpus, a dozen snippets to a file.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.rules.corpus import corpus

from bench import samples
from bench.table import Row, Skipped
from bench.timing import Side, environment, medians, program

FILES = 1000
SNIPPETS = 12
FIRST = 0.5
"""Of shellcheck on the same files (issue 7)."""
AGAIN = 5.0
"""Of `git ls-files`."""
FINDINGS = 1
"""Exit code of both linters on a tree with findings."""


def rows() -> Iterator[Row | Skipped]:
    """Measure the first run, which reads all files, and the next one."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        place = samples.repository(Path(scratch) / "repo", files())
        env = environment(XDG_CACHE_HOME=str(Path(scratch) / "cache"))
        lint = program(samples.grind("lint"), cwd=place, env=env, says=".sh:", code=FINDINGS)
        everything = [*samples.grind("lint"), "--no-cache"]
        first = program(everything, cwd=place, env=env, says=".sh:", code=FINDINGS)
        yield beside_shellcheck(place, first)
        lint()
        listing = program(["git", "ls-files"], cwd=place, env=env, says="f999.sh")
        found = medians({"lint": lint, "listing": listing}, 21)
    what = f"grind lint, {FILES:,} shell files, unchanged"
    yield Row("lint", what, found["lint"], "git ls-files", found["listing"], AGAIN)


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

"""`grind plan`, whole process: 50 workflows, and matrices up to 1,000 jobs.

GitHub allows 256 jobs per matrix, so the larger plans have several workflows. What a job costs is
taken without start-up: the plan less the plan of a single job.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import reader, samples
from bench.table import Row
from bench.timing import Side, environment, in_turns, median, medians, program

ROUNDS = 9
LIMIT = 1.0
"""Seconds for 50 workflows."""
THREE = "        os: [ubuntu-latest]\n        python: ['3.11', '3.12', '3.13']\n"
LINEAR = 1.25
"""How much more than at 125 jobs a job may cost at 1,000: linear, and what the machine adds."""
SIZES = (125, 250, 500, 1000)
PER_MATRIX = 125
JOB = """\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    strategy:
      matrix:
        number: [{numbers}]
    name: Test ${{{{ matrix.number }}}}
    steps:
      - uses: actions/checkout@v4
      - name: Test part ${{{{ matrix.number }}}}
        if: matrix.number != 'none'
        run: ./test --part "${{{{ matrix.number }}}}"
"""


def rows() -> Iterator[Row]:
    """Measure both."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        folder = Path(scratch)
        env = environment(XDG_STATE_HOME=str(folder / "state"))
        yield fifty(folder, env, "3 combinations a job", THREE, 1.0)
        yield fifty(folder, env, "10 combinations a job", "", None)
        yield from growing(folder, env)


def fifty(folder: Path, env: dict[str, str], told: str, matrix: str, goal: float | None) -> Row:
    """Plan 50 workflows of one to five jobs; the other side is the limit itself."""
    texts = [text.decode() for text in reader.made_up()]
    if matrix:
        texts = [re.sub(r"(?<=      matrix:\n)(        .*\n)+", matrix, text) for text in texts]
    files = {f".github/workflows/{number}.yml": text for number, text in enumerate(texts)}
    place = samples.repository(folder / told.replace(" ", "-"), files)
    plan = program(samples.grind("plan"), cwd=place, env=env, says="49.yml")
    taken = medians({"plan": plan}, ROUNDS)["plan"]
    return Row("plan", f"{len(files)} workflows, {told}", taken, "the limit", LIMIT, goal)


def growing(folder: Path, env: dict[str, str]) -> Iterator[Row]:
    """Plan more and more jobs; each size is compared with the smallest, per job."""
    taken = in_turns({str(size): planning(folder, env, size) for size in (1, *SIZES)}, ROUNDS)
    per_job = {
        size: median(
            [(t - one) / size for t, one in zip(taken[str(size)], taken["1"], strict=True)]
        )
        for size in SIZES
    }
    first, *larger = SIZES
    for size in larger:
        goal = LINEAR if size == SIZES[-1] else None
        what, beside = f"a job, of {size:,}", f"a job, of {first}"
        yield Row("plan", what, per_job[size], beside, per_job[first], goal)


def planning(folder: Path, env: dict[str, str], jobs: int) -> Side:
    """Return a side that plans so many jobs."""
    files = {}
    for number, start in enumerate(range(0, jobs, PER_MATRIX)):
        numbers = ", ".join(str(n) for n in range(start, min(jobs, start + PER_MATRIX)))
        files[f".github/workflows/w{number}.yml"] = JOB.format(numbers=numbers)
    place = samples.repository(folder / f"jobs-{jobs}", files)
    says = f'"name":"Test {jobs - 1}"'
    return program(samples.grind("plan", "--json"), cwd=place, env=env, says=says)

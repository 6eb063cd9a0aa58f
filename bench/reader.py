"""Reading 50 workflows beside PyYAML's C loader alone on the same files.

`python -m bench.reader [FOLDER]`: without a folder, 50 workflows as teams write them are made up;
with one, its `*.yml` files are read. Both sides take turns; prints medians and their ratio.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from grind.workflows.availability import check_expressions
from grind.workflows.reader import read_workflow

ROUNDS = 15
COUNT = 50
BOUND = 3.0

HEAD = """\
name: Workflow {n}
on:
  push:
    branches: [main, 'release/**']
    paths: ['src/**', '!src/docs/**', '.github/workflows/{n}.yml']
  pull_request:
    types: [opened, synchronize, reopened]
permissions: {{contents: read}}
concurrency:
  group: ci-{n}-${{{{ github.ref }}}}
  cancel-in-progress: true
env:
  CARGO_TERM_COLOR: always
  RUSTFLAGS: -D warnings
jobs:
"""
JOB = """\
  job_{j}:
    name: Test ${{{{ matrix.python }}}} on ${{{{ matrix.os }}}}
    runs-on: ${{{{ matrix.os }}}}
    needs: [{needs}]
    timeout-minutes: 20
    strategy:
      fail-fast: false
      matrix:
        os: [ubuntu-latest, macos-latest, windows-latest]
        python: ['3.11', '3.12', '3.13']
        include:
          - {{os: ubuntu-latest, python: '3.14', experimental: true}}
    steps:
      - uses: actions/checkout@v4
        with: {{fetch-depth: 0, persist-credentials: false}}
      - name: Set up Python
        uses: actions/setup-python@v5
        with:
          python-version: ${{{{ matrix.python }}}}
          cache: pip
      - name: Install
        run: |
          python -m pip install --upgrade pip
          python -m pip install -e '.[dev]'
      - name: Lint
        if: matrix.os == 'ubuntu-latest' && !cancelled()
        run: |
          ruff check .
          ruff format --check .
          mypy --strict src
      - name: Test
        id: test
        shell: bash
        working-directory: src
        env:
          PYTHONDEVMODE: 1
          SEED: ${{{{ github.run_id }}}}
        run: python -m pytest -q -n auto --junit-xml=out.xml
      - name: Keep the results
        if: always()
        uses: actions/upload-artifact@v4
        with:
          name: results-${{{{ matrix.os }}}}-${{{{ matrix.python }}}}
          path: out.xml
"""


def made_up() -> list[bytes]:
    """Give 50 workflows of one to five jobs."""
    texts = []
    for n in range(COUNT):
        jobs = "".join(JOB.format(j=j, needs=f"job_{j - 1}" if j else "") for j in range(1 + n % 5))
        texts.append((HEAD.format(n=n) + jobs).encode())
    return texts


def timed(action: Callable[[bytes], object], sources: Sequence[bytes]) -> float:
    began = time.perf_counter()
    for source in sources:
        action(source)
    return time.perf_counter() - began


def load(source: bytes) -> object:
    try:
        return yaml.load(source, yaml.CSafeLoader)
    except yaml.YAMLError:
        return None


def read(source: bytes) -> object:
    return read_workflow("w.yml", source)


def read_and_check(source: bytes) -> object:
    reading = read_workflow("w.yml", source)
    return check_expressions(reading.workflow) if reading.workflow else ()


def main(arguments: list[str]) -> int:
    if arguments:
        paths = sorted(Path(arguments[0]).rglob("*.y*ml"))
        sources = [path.read_bytes() for path in paths]
    else:
        sources = made_up()
    sides = {
        "PyYAML, C loader": load,
        "grind, read": read,
        "grind, read and check expressions": read_and_check,
    }
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, action in sides.items():
            times[name].append(timed(action, sources))
    base = statistics.median(times["PyYAML, C loader"])
    lines = sum(source.count(b"\n") for source in sources)
    print(f"{len(sources)} workflows, {lines} lines, median of {ROUNDS} turns")
    for name, spent in times.items():
        median = statistics.median(spent)
        print(f"  {name:35} {median * 1000:8.1f} ms  {median / base:5.2f} x")
    ratio = statistics.median(times["grind, read"]) / base
    print(f"  bound {BOUND} x: {'held' if ratio <= BOUND else 'BROKEN'}")
    return 0 if ratio <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

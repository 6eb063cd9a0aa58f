"""Reading 50 made-up workflows as teams write them, beside PyYAML's C loader on the same files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import yaml

from bench.table import Row
from bench.timing import BenchError, Side, medians, seconds
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


def read(source: bytes) -> object:
    reading = read_workflow("w.yml", source)
    if reading.workflow is None or reading.problems:
        raise BenchError(f"the workflow was not read: {reading.problems}")
    return reading.workflow


def read_and_check(source: bytes) -> object:
    reading = read_workflow("w.yml", source)
    if reading.workflow is None or (problems := check_expressions(reading.workflow)):
        raise BenchError(f"the workflow was not read: {reading.problems or problems}")
    return reading.workflow


def load(source: bytes) -> object:
    return yaml.load(source, yaml.CSafeLoader)


def over(action: Callable[[bytes], object], sources: Sequence[bytes]) -> Side:
    def work() -> None:
        for source in sources:
            action(source)

    return lambda: seconds(work)


def rows() -> Iterator[Row]:
    """Measure reading, with and without the check of expressions."""
    sources = made_up()
    actions = {"load": load, "read": read, "check": read_and_check}
    found = medians({name: over(action, sources) for name, action in actions.items()}, ROUNDS)
    beside = "PyYAML, C loader"
    yield Row("reader", f"reading {COUNT} workflows", found["read"], beside, found["load"], BOUND)
    what = "reading, and checking expressions"
    yield Row("reader", what, found["check"], beside, found["load"])

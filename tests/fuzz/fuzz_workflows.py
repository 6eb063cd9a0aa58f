"""A fuzz target for the reader, the lowering and the drift; not collected by pytest.

With atheris installed it is guided by coverage; without, a mutator keeps files that bring up a
problem, a reason or a shape that was not seen before:

    nice python -m tests.fuzz.fuzz_workflows --seconds 600

A finding is any exception, a step without a verdict that speaks for itself, two plans of one file
that differ, or a file that takes longer than --slow seconds; it is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from pathlib import Path

from grind.core.config import Config
from grind.core.plan import Plan, Verdict
from grind.core.plandoc import document
from grind.workflows.availability import check_expressions
from grind.workflows.drift import compare
from grind.workflows.drifttasks import Task
from grind.workflows.drifttext import Reader
from grind.workflows.facts import Answer, Facts
from grind.workflows.lower import lower
from grind.workflows.reader import read_workflow
from tests.workflows.plans import request_of

SAMPLES = Path(__file__).parents[1] / "workflows" / "golden"
WORDS = re.compile(rb"[\w.$/@-]+|\s+|.", re.DOTALL)
PIECES = (
    b"${{ ", b" }}", b"${{ github.event.x }}", b"${{ matrix.a }}", b"${{ needs.a.outputs.b }}",
    b"${{ fromJSON('[1]') }}", b"${{ inputs.x }}", b"&a ", b"*a", b"<<: *a", b"[", b"]", b"{", b"}",
    b"- ", b": ", b"\n", b"\n    ", b"|\n", b">-\n", b"'", b'"', b"# ", b"!!str ", b"null", b"true",
    b"-1", b"1e400", b".nan", b"0x1f", b"0o7", b"~", b"\t", b"\xff", b"\xef\xbb\xbf", b"uses: ./x",
    b"run: cd x && cargo test | tee y", b"if: always() && failure()", b"strategy: {matrix: {a: [1, 2]}}",
    b"parallel: [{run: a}]", b"services: {a: {image: b}}", b"runs-on: [self-hosted, x]",
    b"uses: actions/checkout@v4", b"uses: actions/setup-python@v5\n        with: {python-version: 3.x}",
    b"shell: bash {0}", b"timeout-minutes: ${{ 1 }}", b"continue-on-error: true", b"needs: [a, b]",
    b"      - run: make\n", b"      - uses: actions/cache@v4\n", b"    if: false\n", b"    env: {A: b}\n",
    b"        if: ${{ failure() }}\n", b"        env: {A: '${{ secrets.X }}'}\n", b"    environment: x\n",
    b"        shell: sh\n", b"        working-directory: a/b\n", b"      - run: ${{ matrix.a }}\n",
    b"  z:\n    runs-on: ubuntu-latest\n    steps: [{run: a}]\n", b"    container: x\n",
    b"for i in $(seq 9); do make $i; done", b"<<EOF\n", b"ssh h 'cd x; make'", b"if ! a; then b; fi",
)  # fmt: skip
BIGGEST = 20_000
_BAD = "problem: "


def target(data: bytes) -> str:
    """Read, check and lower one file; name what came of it, for a mutator without coverage."""
    reading = read_workflow(".github/workflows/ci.yml", data)
    if reading.workflow is None:
        return _BAD + (_told(reading.problems[0].message) if reading.problems else "")
    problems = (*reading.problems, *check_expressions(reading.workflow))
    if problems:
        return _BAD + _told(problems[0].message)
    plan = settled(reading.workflow)
    assert document(plan) == document(settled(reading.workflow)), "two plans of one file"
    for job in plan.jobs:
        for one in (job, *job.steps):
            assert one.verdict is Verdict.EXECUTED or one.reason.strip(), f"silent: {one.name}"
    drift = compare(plan, Config(), (), Reader(_no_tasks))
    shape = ",".join(f"{job.verdict}:{_told(job.reason)}" for job in plan.jobs[:3])
    return f"{shape} {len(drift.missing) > 0} {len(drift.unread) > 0}"


def settled(workflow: object) -> Plan:
    """Lower until every question is answered: the host has nothing."""
    answers: dict[tuple[str, ...], Answer] = {}
    for _ in range(12):
        request = request_of(workflow)  # type: ignore[arg-type]
        facts = Facts(answers, repository="owner/project", artifacts=True)
        plan = lower(request._replace(facts=facts))
        if not facts.wanted:
            return plan
        answers |= dict.fromkeys(facts.wanted, Answer(127))
    raise AssertionError("the plan does not settle")


def _no_tasks(_path: str) -> tuple[Task, ...]:
    return ()


def _told(message: str) -> str:
    return re.sub(r"['`\"].*?['`\"]|\d+", "…", message)[:40]


def samples() -> list[bytes]:
    """The files to begin with: the golden workflows."""
    return [path.read_bytes() for path in sorted(SAMPLES.rglob("*.yml"))]


def mutate(source: random.Random, corpus: list[bytes]) -> bytes:
    """Change, cut, double, indent or cross files, by words and by lines."""
    data = source.choice(corpus)
    for _ in range(source.choice([1, 1, 1, 2, 5])):
        kind = source.randrange(6)
        if kind < 3:
            parts = WORDS.findall(data) or [b""]
        else:
            parts = data.splitlines(keepends=True) or [b""]
        at = source.randrange(len(parts))
        to = min(len(parts), at + source.randrange(1, 6))
        if kind == 0:
            parts[at:to] = [source.choice(PIECES)]
        elif kind == 1:
            parts.insert(at, source.choice(PIECES))
        elif kind == 2:
            parts[at] = source.choice(parts)
        elif kind == 3:
            parts[at:at] = parts[at:to]
        elif kind == 4:
            other = source.choice(corpus).splitlines(keepends=True) or [b""]
            start = source.randrange(len(other))
            parts[at:to] = other[start : start + source.randrange(1, 8)]
        else:
            indent = source.choice([b"  ", b"    "])
            parts[at:to] = [indent + part for part in parts[at:to]]
        data = b"".join(parts)[:BIGGEST]
    return data


def main() -> int:
    """Fuzz for a while without coverage."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--slow", type=float, default=10)
    parser.add_argument("--seed", type=int, default=time.time_ns())
    options = parser.parse_args()
    source = random.Random(options.seed)
    bad = samples()
    good = [data for data in bad if not target(data).startswith(_BAD)]
    seen: set[str] = set()
    done = lowered = 0
    slowest = 0.0
    until = time.monotonic() + options.seconds
    while time.monotonic() < until:
        # Mostly from what could be lowered, or nearly every file would be a broken one.
        data = mutate(source, good if source.random() < 0.8 else bad)
        started = time.process_time()
        try:
            outcome = target(data)
        except Exception as error:
            print(f"seed {options.seed}, finding: {error!r}\n{data!r}")
            return 1
        took = time.process_time() - started
        slowest = max(slowest, took)
        if took > options.slow:
            print(f"seed {options.seed}, finding: {took:.1f} s\n{data!r}")
            return 1
        done += 1
        lowered += not outcome.startswith(_BAD)
        corpus = bad if outcome.startswith(_BAD) else good
        if outcome not in seen and len(corpus) < 5000:
            seen.add(outcome)
            corpus.append(data)
    print(
        f"seed {options.seed}: {done} files, {lowered} of them lowered, {len(seen)} outcomes, "
        f"slowest {slowest * 1000:.0f} ms, no finding"
    )
    return 0


def _with_atheris() -> None:
    import atheris  # type: ignore[import-not-found]

    atheris.instrument_all()  # what was imported already is instrumented too, or nothing guides it
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()


if __name__ == "__main__":
    if "--atheris" in sys.argv:
        sys.argv.remove("--atheris")
        _with_atheris()
    else:
        sys.exit(main())

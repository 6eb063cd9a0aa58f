"""Expressions a second: grind in its process, beside GitHub's evaluator in a node process.

Run as `python -m bench.expressions`. Each side parses and evaluates the same corpus: the
expressions of one CI run, with the contexts each of them needs.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from tests.workflows.expressions.oracle import SCRIPT, Oracle, node_program, package_folder

from grind.workflows.expressions import evaluate, evaluate_template, from_python

CONTEXTS: dict[str, Any] = {
    "github": {
        "ref": "refs/heads/main",
        "ref_name": "main",
        "sha": "4f31b0d" * 5,
        "event_name": "push",
        "repository": "team/service",
        "actor": "someone",
        "run_id": "123456789",
        "event": {
            "head_commit": {"message": "Repair the build [docs]", "author": {"name": "x"}},
            "pull_request": None,
            "commits": [{"id": str(n), "added": ["a", "b"]} for n in range(5)],
        },
    },
    "env": {"RUST_LOG": "info", "CACHE": "v1"},
    "matrix": {"os": "ubuntu-latest", "rust": "stable", "features": "default"},
    "needs": {
        "changes": {"result": "success", "outputs": {"rust": "true", "list": '["a","b","c"]'}},
        "lint": {"result": "success", "outputs": {}},
        "test": {"result": "failure", "outputs": {}},
    },
    "steps": {"cache": {"outputs": {"cache-hit": "true"}, "outcome": "success"}},
}
CORPUS = [
    "github.ref == 'refs/heads/main' && github.event_name == 'push'",
    "github.event_name == 'pull_request' && github.event.pull_request.draft == false",
    "contains(needs.*.result, 'failure') || contains(needs.*.result, 'cancelled')",
    "!contains(github.event.head_commit.message, '[skip deploy]')",
    "steps.cache.outputs.cache-hit != 'true'",
    "startsWith(github.ref, 'refs/tags/v') && 'release' || 'snapshot'",
    "format('{0}-{1}-{2}', matrix.os, matrix.rust, env.CACHE)",
    "fromJSON(needs.changes.outputs.list)[1]",
    "join(github.event.commits.*.id, ',')",
    "needs.changes.outputs.rust == 'true' && needs.lint.result == 'success'",
    "github.repository == 'team/service' && github.actor != 'dependabot[bot]'",
    "matrix.os",
    "toJSON(matrix)",
    "case(github.ref_name == 'main', 'prod', 'staging')",
    "(github.run_id > 100 || env.RUST_LOG == 'debug') && matrix.features != ''",
]


class Figures(NamedTuple):
    """Medians: expressions a second in grind, in a warm node one by one and in batches, cold."""

    grind: float
    grind_raw_contexts: float
    node_pipe: float
    node_batch: float
    node_start: float

    @property
    def over_starting(self) -> float:
        """How many times faster than starting node for each expression (at least 20)."""
        return self.grind / self.node_start

    @property
    def over_pipe(self) -> float:
        """How many times as many as a warm node answers through its pipe (at least 1)."""
        return self.grind / self.node_pipe


def measure(rounds: int = 15) -> Figures:
    """Measure all sides, in turns, on this machine."""
    contexts = {name: from_python(value) for name, value in CONTEXTS.items()}
    requests = [{"expr": source, "contexts": CONTEXTS} for source in CORPUS]
    oracle = Oracle()
    try:
        sides: dict[str, Callable[[], object]] = {
            "grind": lambda: [evaluate(source, contexts) for source in CORPUS],
            "raw": lambda: [evaluate(source, CONTEXTS) for source in CORPUS],
            "pipe": lambda: [oracle.ask([request]) for request in requests],
            "batch": lambda: oracle.ask(requests * 20),
        }
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(rounds + 2):
            for name, side in sides.items():
                started = time.perf_counter()
                side()
                if turn >= 2:
                    seconds[name].append(time.perf_counter() - started)
    finally:
        oracle.close()
    rate = {name: len(CORPUS) / statistics.median(values) for name, values in seconds.items()}
    cold = statistics.median(_cold() for _ in range(7))
    return Figures(rate["grind"], rate["raw"], rate["pipe"], rate["batch"] * 20, 1 / cold)


def template_rate(rounds: int = 15) -> float:
    """Templates a second: the same corpus as text around holes."""
    contexts = {name: from_python(value) for name, value in CONTEXTS.items()}
    texts = [f"run-${{{{ {source} }}}}" for source in CORPUS]
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        for text in texts:
            evaluate_template(text, contexts)
        seconds.append(time.perf_counter() - started)
    return len(texts) / statistics.median(seconds)


def _cold() -> float:
    command = [str(node_program()), str(SCRIPT), str(package_folder())]
    line = json.dumps([{"expr": CORPUS[0], "contexts": CONTEXTS}]) + "\n"
    started = time.perf_counter()
    subprocess.run(command, input=line, text=True, capture_output=True, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print the table."""
    figures = measure()
    print(f"{'expressions a second, parsed and evaluated':50} {'':>12}")
    print(f"{'grind':50} {figures.grind:12,.0f}")
    print(f"{'grind, contexts as plain dicts':50} {figures.grind_raw_contexts:12,.0f}")
    print(f"{'node, warm, one by one through its pipe':50} {figures.node_pipe:12,.0f}")
    print(f"{'node, warm, 300 a line':50} {figures.node_batch:12,.0f}")
    print(f"{'node, started for each':50} {figures.node_start:12,.1f}")
    print(f"{'grind, templates':50} {template_rate():12,.0f}")
    print(f"grind is {figures.over_starting:,.0f} x starting node (needed: 20)")
    print(f"grind is {figures.over_pipe:.1f} x a warm node's pipe (needed: 1)")


if __name__ == "__main__":
    main()

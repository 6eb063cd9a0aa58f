"""Expressions a second: grind in its process, beside GitHub's evaluator in a node process.

Each side parses and evaluates the same corpus: the
expressions of one CI run, with the contexts each of them needs.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

from tests.workflows.expressions.oracle import SCRIPT, Oracle, node_program, package_folder

from bench.table import Row
from bench.timing import BenchError, Side, medians, seconds
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


ROUNDS = 15
BATCH = 20
OVER_START = 20.0
"""How many times as many expressions as starting node for each (issue 3)."""
OVER_PIPE = 1.0
"""… as a warm node answers through its pipe."""


def rows() -> Iterator[Row]:
    """Measure all sides in turns, on this machine."""
    oracle = Oracle()
    try:
        same_answers(oracle)
        found = medians(sides(oracle), ROUNDS, warm=2)
    finally:
        oracle.close()
    cold = medians({"cold": lambda: seconds(start_node)}, 7)["cold"]
    rate = {name: len(CORPUS) / taken for name, taken in found.items()}
    grind, what = rate["grind"], "expressions, parsed and evaluated"
    beside = "node, started for each"
    yield Row("expressions", what, grind, beside, 1 / cold, OVER_START, "/s")
    beside = "node, warm, through its pipe"
    yield Row("expressions", what, grind, beside, rate["pipe"], OVER_PIPE, "/s")
    beside = f"node, warm, {BATCH * len(CORPUS)} a line"
    yield Row("expressions", what, grind, beside, rate["batch"] * BATCH, None, "/s")
    what, beside = "contexts as plain dicts", "contexts as values"
    yield Row("expressions", what, rate["raw"], beside, grind, None, "/s")
    what, beside = "templates: text around expressions", "expressions alone"
    yield Row("expressions", what, rate["templates"], beside, grind, None, "/s")


def sides(oracle: Oracle) -> dict[str, Side]:
    contexts = {name: from_python(value) for name, value in CONTEXTS.items()}
    requests = [{"expr": source, "contexts": CONTEXTS} for source in CORPUS]
    texts = [f"run-${{{{ {source} }}}}" for source in CORPUS]
    work = {
        "grind": lambda: [evaluate(source, contexts) for source in CORPUS],
        "raw": lambda: [evaluate(source, CONTEXTS) for source in CORPUS],
        "templates": lambda: [evaluate_template(text, contexts) for text in texts],
        "pipe": lambda: [oracle.ask([request]) for request in requests],
        "batch": lambda: oracle.ask(requests * BATCH),
    }
    return {name: (lambda it=it: seconds(it)) for name, it in work.items()}  # type: ignore[misc]


def same_answers(oracle: Oracle) -> None:
    """Raise BenchError unless both sides evaluate the whole corpus: an error is fast."""
    answers = oracle.ask([{"expr": source, "contexts": CONTEXTS} for source in CORPUS])
    for source, answer in zip(CORPUS, answers, strict=True):
        if "error" in answer:
            raise BenchError(f"node: {source}: {answer}")
        evaluate(source, CONTEXTS)


def start_node() -> None:
    command = [str(node_program()), str(SCRIPT), str(package_folder())]
    line = json.dumps([{"expr": CORPUS[0], "contexts": CONTEXTS}]) + "\n"
    done = subprocess.run(command, input=line, text=True, capture_output=True, check=True)
    if '"error"' in done.stdout or not done.stdout.strip():
        raise BenchError(f"node: {done.stdout}{done.stderr}")

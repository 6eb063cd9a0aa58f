"""Our answers beside those of GitHub's own evaluator, on generated expressions."""

from __future__ import annotations

import os
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.workflows.expressions import grammar
from tests.workflows.expressions.differential import compare
from tests.workflows.expressions.oracle import Oracle

EXAMPLES = 20_000
CAMPAIGN = int(os.environ.get("GRIND_CAMPAIGN_EXPRESSIONS", "1000000"))
A_BATCH = 20


def _batch(data: bytes) -> list[dict[str, Any]]:
    """One set of contexts and expressions about them, as far as the bytes go."""
    choices = grammar.Choices(data)
    contexts = grammar.contexts(choices)
    made = [{"expr": grammar.expression(choices), "contexts": contexts}]
    while len(made) < A_BATCH and not choices.spent:
        made.append({"expr": grammar.expression(choices), "contexts": contexts})
    return made


def _differences(oracle: Oracle, batch: list[dict[str, Any]], counts: Counter[str]) -> list[str]:
    found = []
    for request, theirs in zip(batch, oracle.ask(batch), strict=True):
        difference = compare(request, theirs, counts)
        counts["all"] += 1
        if difference is not None:
            found.append(f"{request['expr']!r} with {request['contexts']!r}: {difference}")
    return found


def _check_spread(counts: Counter[str]) -> None:
    """The comparison is worth something: values and errors both, and few refusals."""
    assert counts["value"] > counts["all"] * 0.3
    assert counts["error"] > counts["all"] * 0.05
    assert counts["refused"] < counts["all"] * 0.15


@pytest.mark.xdist_group("differential")
def test_generated_expressions_agree(oracle: Oracle) -> None:
    counts: Counter[str] = Counter()

    @settings(
        max_examples=EXAMPLES // 10,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.binary(min_size=400, max_size=900))
    def agree(data: bytes) -> None:
        assert not _differences(oracle, _batch(data), counts)

    agree()
    assert counts["all"] >= EXAMPLES
    _check_spread(counts)


@pytest.mark.campaign
def test_a_million_expressions_agree(oracle: Oracle) -> None:
    counts: Counter[str] = Counter()
    seed = int.from_bytes(os.urandom(8), "big")
    source = random.Random(seed)
    found: list[str] = []
    while counts["all"] < CAMPAIGN:
        found += _differences(oracle, _batch(source.randbytes(900)), counts)
        assert len(found) < 20, (seed, found)
    print(f"seed {seed}: {dict(counts)}")
    assert not found, (seed, found)
    _check_spread(counts)

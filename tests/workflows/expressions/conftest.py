"""One node process for all tests of a worker that ask GitHub's evaluator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workflows.expressions.oracle import Oracle, oracle_or_skip


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    made = oracle_or_skip()
    yield made
    made.close()

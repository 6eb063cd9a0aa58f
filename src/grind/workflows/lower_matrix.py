"""The combinations of a job's matrix, how they run, and what each of them sees."""

from __future__ import annotations

from typing import NamedTuple

from grind.workflows import contexts
from grind.workflows.expressions import EvaluationError, truthy
from grind.workflows.matrix import Combination, expand
from grind.workflows.nodes import to_value
from grind.workflows.scope import Scope
from grind.workflows.syntax import Job


def combinations_of(job: Job, scope: Scope) -> tuple[Combination | None, ...]:
    """Return the combinations of a job's matrix. Raises ExpressionError and MatrixError."""
    if job.strategy is None or job.strategy.matrix is None:
        return (None,)
    return tuple(expand(to_value(job.strategy.matrix, scope)))


class Strategy(NamedTuple):
    """How the combinations of a matrix run."""

    fail_fast: bool
    max_parallel: int | None


def strategy_of(job: Job, scope: Scope) -> Strategy:
    """Return how the combinations of a job's matrix run. Raises ExpressionError."""
    if job.strategy is None:
        return Strategy(fail_fast=True, max_parallel=None)
    fail_fast, parallel = job.strategy.fail_fast, job.strategy.max_parallel
    limit = to_value(parallel, scope) if parallel is not None else None
    if limit is not None:
        if isinstance(limit, bool) or not isinstance(limit, int | float) or not abs(limit) <= 1e6:
            raise EvaluationError(f"max-parallel: {limit!r} is no number that GitHub takes")
        # As GitHub's own converter does: fractions are cut off, and without a positive number
        # there is no limit.
        limit = int(limit) if limit >= 1 else None
    return Strategy(
        fail_fast=truthy(to_value(fail_fast, scope)) if fail_fast is not None else True,
        max_parallel=limit,
    )


def scope_at(
    job: Job, scope: Scope, combination: Combination | None, place: int, of: int
) -> tuple[Scope, Strategy]:
    """Return what one combination sees, of so many, and how it runs. Raises ExpressionError."""
    scope = scope.having(matrix=dict(combination.values) if combination is not None else None)
    strategy = strategy_of(job, scope)
    told = contexts.strategy(
        index=place, total=of, fail_fast=strategy.fail_fast, max_parallel=strategy.max_parallel
    )
    return scope.having(strategy=told), strategy

"""Jobs that hang on what other jobs say when they run: shown open, and lowered again by then.

A matrix may be made from an output (`fromJSON(needs.list.outputs.all)`), and so may the machine, or
the version that a setup action is asked for. Such a job stands in the plan once, marked `open`, with
the text that is open in it: that text is part of the digest, and what it comes to is decided by steps
that are in the digest too. When all it needs is over, it is lowered again with what they said.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

from grind.core.plan import JobPlan, StepPlan, Verdict
from grind.workflows.nodes import raw
from grind.workflows.scope import heads_in
from grind.workflows.syntax import Data, Job, Scalar, Seq

MATRIX_SUFFIX: Final = "(${{ matrix }})"
"""What stands behind the name of a job whose combinations are not known: GitHub puts their values
there, and only an expression keeps a reader from taking it for a name."""

NOTHING: Final[frozenset[str]] = frozenset()


def later_contexts(
    job: Job, *, told: bool, called: bool, active: bool, matrix: bool = False
) -> frozenset[str]:
    """Return the contexts of which more is known when the job is lowered again; none when it is not.

    `told` says that this is the second time, `called` that another workflow calls the job's.
    """
    if told or not active:
        return NOTHING
    names = {"needs"} if job.needs else set()
    names |= {"inputs"} if called else set()
    names |= {"matrix", "strategy"} if matrix else set()
    return frozenset(names)


def speaks_of(texts: Iterable[str], later: frozenset[str]) -> bool:
    """Whether a template refers to a context of which more is known later."""
    return bool(later) and not later.isdisjoint(heads_in(texts))


def while_open(
    plan: JobPlan,
    job: Job,
    labels: frozenset[str],
    *,
    matrix: bool = False,
    machine: bool = False,
    calls: str = "",
) -> JobPlan:
    """Mark the plan of a job as open, if it is: by its matrix, its machine, or one of its steps.

    `calls` is a digest of the workflow that it calls, whose jobs are in no plan yet. `labels` are
    what this host answers to, which decides about a machine that is not known yet.
    """
    steps = [step for step in plan.steps if step.open]
    if not plan.active or not (matrix or machine or steps):
        return plan
    strategy = job.strategy
    parts: dict[str, Any] = {}
    if matrix and strategy is not None:
        parts["matrix"] = _written(strategy.matrix)
        parts["fail-fast"] = raw(strategy.fail_fast)
        parts["max-parallel"] = raw(strategy.max_parallel)
    if machine:
        parts["runs-on"], parts["labels"] = _written(job.runs_on), sorted(labels)
        parts["container"], parts["services"] = _written(job.container), _written(job.services)
    if calls:
        parts["calls"] = calls
    if steps:
        parts["steps"] = [step.index for step in steps]
    kept = {name: value for name, value in parts.items() if value not in ("", None)}
    plan = replace(plan, open=json.dumps(kept, ensure_ascii=False, sort_keys=True))
    if plan.verdict is Verdict.EXECUTED:
        what = "its matrix is" if matrix else "its machine is" if machine else _asked(steps)
        plan = replace(plan, reason=f"{what} known when {_names(plan)} {_over(plan)}")
    return plan


def _asked(steps: list[StepPlan]) -> str:
    return f"what the step at line {steps[0].line} asks for is"


def _names(plan: JobPlan) -> str:
    needs = dict.fromkeys((*plan.needs, *(n for c in plan.callers for n in c.needs)))
    return " and ".join(f"`{name}`" for name in needs) or "it is called"


def _over(plan: JobPlan) -> str:
    needs = {*plan.needs, *(n for c in plan.callers for n in c.needs)}
    return "" if not needs else "has run" if len(needs) == 1 else "have run"


def _written(node: Data | None) -> Any:
    """Return a node as it is written, expressions and all."""
    if node is None:
        return None
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Seq):
        return [_written(item) for item in node.items]
    return {key.text: _written(value) for key, value in node.entries}

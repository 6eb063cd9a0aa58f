"""When a job of a workflow starts: `needs`, its `if:`, and what became of the others. Pure.

`needs` is transitive for the status functions: `success()` of a job is false when any job that it
needs, directly or not, was skipped, cancelled or failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from grind.core.plan import JobPlan
from grind.workflows.expressions import (
    UNKNOWN,
    ExpressionError,
    UnknownValueError,
    condition,
    evaluate,
    truthy,
)


class Gated(Protocol):
    """A job, or the call of a workflow: it starts when all it needs is over, on a condition."""

    @property
    def needs(self) -> tuple[str, ...]:
        """Ids of the jobs that must be over."""

    @property
    def if_(self) -> str:
        """Its condition; empty for `success()`."""


class JobResult(NamedTuple):
    """What became of one job: success, failure, cancelled, skipped, refused or unproven.

    `unproven` is a job that grind never executes, such as a deployment.
    """

    conclusion: str
    outputs: Mapping[str, Any]
    forgiven: bool = False
    """Failed under the job's `continue-on-error`."""
    left: bool = False
    """A combination that grind.toml leaves to CI: the others decide how the job ended."""


class Start(NamedTuple):
    """Start the job, with its `needs` context."""

    needs: dict[str, Any]


class Leave(NamedTuple):
    """Do not start the job: `conclusion` is skipped or refused."""

    conclusion: str
    reason: str


_NOT_RUN_HERE = ("refused", "unproven")


def decide(
    job: Gated,
    siblings: Mapping[str, tuple[JobPlan, ...]],
    results: Mapping[str, JobResult],
    contexts: Mapping[str, Any],
) -> Start | Leave:
    """Say whether `job` starts, all that it needs being over.

    `siblings` are the plans of the workflow's jobs by id; `results` are by plan key.
    """
    needed = {
        name: combined(results[plan.key] for plan in siblings.get(name, ()) if plan.key in results)
        for name in transitive(job, siblings)
    }
    needs = {
        own_id(name, siblings): UNKNOWN
        if needed[name].conclusion in _NOT_RUN_HERE
        else {"result": needed[name].conclusion, "outputs": dict(needed[name].outputs)}
        for name in job.needs
    }
    try:
        if starts(job.if_, [result.conclusion for result in needed.values()], needs, contexts):
            return Start(needs)
    except UnknownValueError as error:
        missing = [n for n, result in needed.items() if result.conclusion in _NOT_RUN_HERE]
        if missing:
            return Leave("refused", f"needs `{missing[0]}`, which was not run to its end here")
        return Leave("refused", f"if: {error}")
    except ExpressionError as error:
        return Leave("refused", f"if: {error}")
    if job.if_.strip():
        return Leave("skipped", f"if: {job.if_} is false")
    return Leave("skipped", "a job that it needs did not succeed")


def own_id(name: str, siblings: Mapping[str, tuple[JobPlan, ...]]) -> str:
    """Return how a job of the plan is called in its own file, where `needs` speaks of it."""
    plans = siblings.get(name, ())
    return plans[0].own_id if plans else name


def starts(
    source: str,
    conclusions: Iterable[str],
    needs: Mapping[str, Any],
    contexts: Mapping[str, Any],
) -> bool:
    """Say whether a job with `if: source` starts, given how all that it needs (transitively) ended.

    A conclusion that is none of GitHub's is not known; UnknownValueError when the answer hangs on
    one, or on another value that is not known. Raises ExpressionError.
    """
    ended = list(conclusions)
    functions = {
        "success": lambda: _every_success(ended),
        "failure": lambda: _any_failure(ended),
        "cancelled": lambda: False,  # nothing runs on here when the run is cancelled
        "always": lambda: True,
    }
    return truthy(evaluate(condition(source), {**contexts, "needs": needs}, functions))


def _every_success(conclusions: list[str]) -> bool:
    if any(one in ("failure", "cancelled", "skipped") for one in conclusions):
        return False
    if any(one != "success" for one in conclusions):
        raise UnknownValueError(("needs",))
    return True


def _any_failure(conclusions: list[str]) -> bool:
    if "failure" in conclusions:
        return True
    if any(one not in ("success", "cancelled", "skipped", *_NOT_RUN_HERE) for one in conclusions):
        raise UnknownValueError(("needs",))
    # A job that is not run here fails on CI only in a run that is red for that alone.
    return False


def combined(results: Iterable[JobResult]) -> JobResult:
    """One result for all combinations of a job's matrix, as `needs.<id>.result` has it.

    Each output is that of the combination that ended last on CI; an empty one does not count.
    Where combinations differ, nobody knows which that will be.
    """
    found = list(results)
    if not found:
        return JobResult("skipped", {})
    outputs: dict[str, Any] = {}
    for result in found:
        for name, value in result.outputs.items():
            if name not in outputs or outputs[name] == "":
                outputs[name] = value
            elif value not in ("", outputs[name]):
                outputs[name] = UNKNOWN
    # What was left to CI is believed to be well there, but never on its own.
    counted = [r for r in found if not r.left] or found
    conclusions = [r.conclusion if not r.forgiven else "success" for r in counted]
    for worst in ("failure", "cancelled", "refused", "unproven"):
        if worst in conclusions:
            return JobResult(worst, outputs)
    if all(c == "skipped" for c in conclusions):
        return JobResult("skipped", outputs)
    return JobResult("success", outputs)


def transitive(job: Gated, siblings: Mapping[str, tuple[JobPlan, ...]]) -> list[str]:
    """Return the ids of the jobs that `job` needs, directly and by others, the direct ones first."""
    found: dict[str, None] = {}
    pending = list(job.needs)
    while pending:
        name = pending.pop(0)
        if name in found:
            continue
        found[name] = None
        for plan in siblings.get(name, ())[:1]:
            pending += plan.needs
    return list(found)

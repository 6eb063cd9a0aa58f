"""Combinations of a matrix that a `[[verdict]]` selects, and those that it leaves to CI.

`matrix = { os = "windows-latest", python = [3.8, 3.9] }` selects the combinations that have all of these
values, of a list any. Values are compared as they are typed: a text with a text (without regard to case,
as GitHub compares them), a number with a number, so that 3.1 is not "3.10".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from grind.core.config import Config, VerdictRule
from grind.core.plan import JobPlan, Verdict
from grind.core.remedy import inline, verdict_rule
from grind.core.tomlplace import Path
from grind.core.typed import Finding
from grind.workflows.literals import fold
from grind.workflows.nodes import raw
from grind.workflows.syntax import Job, Map, Scalar, Seq, Workflow

_OF_MATRIX = re.compile(r"\bmatrix\s*(?:\.\s*([A-Za-z_][\w-]*)|\[\s*'([^']+)'\s*\])")
_SHOWN = 12
"""Combinations that are listed at most."""


def agrees(wanted: Mapping[str, Any], values: Mapping[str, Any] | None) -> bool:
    """Whether a combination has all these values; of a list, any. None is a job without a matrix, or
    one whose combinations are not known yet."""
    if values is None:
        return False
    known = {fold(name): value for name, value in values.items()}
    return all(
        fold(name) in known and any(_same(one, known[fold(name)]) for one in _several(value))
        for name, value in wanted.items()
    )


def _several(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else (value,)


def _same(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(value, bool):
        return wanted is value
    if isinstance(wanted, str) and isinstance(value, str):
        return fold(wanted) == fold(value)
    if isinstance(wanted, int | float) and isinstance(value, int | float):
        return wanted == value
    return False


def as_values(matrix: object) -> Mapping[str, Any] | None:
    """Return the `matrix` context as plain values; None where it is not known, or there is none."""
    return matrix if isinstance(matrix, Mapping) else None


def left_by(
    config: Config, workflow: Workflow, job: Job, values: Mapping[str, Any] | None
) -> VerdictRule | None:
    """Return the `[[verdict]]` that leaves a whole combination to CI: it says `skipped`, selects by
    `matrix`, and names no step."""
    return next((rule for rule in config.verdict if _leaves(rule, workflow, job, values)), None)


def _leaves(
    rule: VerdictRule, workflow: Workflow, job: Job, values: Mapping[str, Any] | None
) -> bool:
    return (
        rule.leaves
        and (rule.job is None or rule.job.lower() == job.id.lower())
        and _in_file(rule, workflow.path)
        and agrees(rule.matrix or {}, values)
    )


def _in_file(rule: VerdictRule, path: str) -> bool:
    glob = rule.workflow or "*"
    return fnmatchcase(path, glob) or fnmatchcase(path.rpartition("/")[2], glob)


def told_left(rule: VerdictRule) -> str:
    """Return what a plan, a receipt and a comparison say of a combination that is left to CI."""
    return f"left to CI by grind.toml: {rule.reason}"


def remedy_for(
    advice: str, workflow: Workflow, job: Job, values: Mapping[str, Any] | None, label: str
) -> str:
    """Return `advice`, and the lines that leave the combination to CI, where there is one: by the
    values that decide its machine, or else by all of them."""
    plain = {
        name: value
        for name, value in (values or {}).items()
        if isinstance(value, str | int | float) and value == value  # no NaN: TOML has none like it
    }
    deciding = _names_in(job)
    chosen = {name: value for name, value in plain.items() if fold(name) in deciding} or plain
    if not chosen or not agrees(chosen, values):
        return advice
    selectors = {"workflow": workflow.path.rpartition("/")[2], "job": job.id, "matrix": chosen}
    rule = verdict_rule("skipped", selectors, f"only CI has {label}")
    return f"{advice}; if that is what you decide:\n{rule}"


def _names_in(job: Job) -> frozenset[str]:
    """Return the names of the matrix that `runs-on` speaks of."""
    node = job.runs_on
    if isinstance(node, Map):
        node = node.get("labels")
    text = raw(node) if isinstance(node, Scalar | Seq) else ""
    return frozenset(fold(one or other) for one, other in _OF_MATRIX.findall(text))


# --- selectors that select nothing ---------------------------------------------------------------


def unmatched(config: Config, jobs: Iterable[JobPlan]) -> Iterator[Finding]:
    """Report each `matrix` that selects no combination of any job, with those that there are.

    A job whose combinations are not known yet, or cannot be, may still be what is meant.
    """
    every = tuple(jobs)
    for place, rule in enumerate(config.verdict):
        if rule.matrix is None:
            continue
        meant = [job for job in every if _is_meant(rule, job)]
        if any(agrees(rule.matrix, one) for job in meant for one in _matrices(job)):
            continue
        if any(
            job.open or (not _matrices(job) and job.verdict is Verdict.REFUSED) for job in meant
        ):
            continue
        path: Path = ("verdict", place, "matrix")
        yield Finding(path, "selects no combination of any job", _there(meant), at_value=False)


def _is_meant(rule: VerdictRule, job: JobPlan) -> bool:
    named = rule.job is None or rule.job.lower() in (job.own_id.lower(), job.id.lower())
    return named and any(_in_file(rule, path) for path in (job.file, job.workflow) if path)


def _matrices(job: JobPlan) -> list[Mapping[str, Any]]:
    of_call = job.call.matrix if job.call is not None else None
    return [one for one in (job.matrix, of_call) if one is not None]


def _there(meant: list[JobPlan]) -> str:
    if not meant:
        return "a job of the plan in `job` and `workflow`: no job is selected by these"
    rows = dict.fromkeys(inline(one) for job in meant for one in _matrices(job))
    if not rows:
        return "a job with a matrix: those selected have none"
    shown = list(rows)[:_SHOWN]
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    return f"one of these, or a part of it: {'; '.join(shown)}{more}"

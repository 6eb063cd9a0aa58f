"""When a step is the same in two combinations of a matrix, so that it is lowered once.

What tells combinations apart are the contexts `matrix`, `strategy` and `runner`, and the steps before.
A step that speaks of none of them, or of parts that have the same values, has the same plan.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Final

from grind.core.plan import StepPlan
from grind.workflows.expressions import ExpressionError, condition, parse_template, references
from grind.workflows.expressions.analysis import Path
from grind.workflows.literals import fold
from grind.workflows.lower_step import StepInputs
from grind.workflows.nodes import raw, raw_map
from grind.workflows.syntax import Step

_OWN: Final = frozenset({"matrix", "strategy", "runner"})
"""Contexts that each combination has for itself."""


def same_key(inputs: StepInputs, step: Step, before: tuple[StepPlan, ...]) -> Hashable | None:
    """Return what the plan of a step depends on, but for what all combinations of its job share.

    None for a step whose plan is never taken from another combination.
    """
    if inputs.within is not None or raw(step.uses).startswith("./"):
        return None
    spoken = inputs.facts.memo.of_object(_of_step, step)
    shared = inputs.facts.memo.of_object(_of_job, inputs.job)
    outer = inputs.facts.memo.of_object(_of_workflow, inputs.workflow)
    if spoken is None or shared is None or outer is None:
        return None
    values = tuple(
        (path, _value(path, inputs.scope.contexts)) for path in (*spoken, *shared, *outer)
    )
    earlier = tuple(
        (one.recipe.kind if one.recipe is not None else "", one.call is not None, one.held)
        for one in before
    )
    return id(step), earlier, values


def _value(path: Path, contexts: Mapping[str, Any]) -> str:
    """Return the value at a path, or that of the whole context, as text that tells types apart."""
    head = str(path[0]).lower()
    context = contexts.get(head)
    if len(path) > 1 and isinstance(path[1], str) and isinstance(context, dict):
        name = fold(path[1])
        return repr([value for key, value in context.items() if fold(key) == name])
    return repr(context)


def _of_step(step: Step) -> tuple[Path, ...] | None:
    texts = [raw(node) for node in (step.name, step.run, step.uses, step.shell)]
    texts += [raw(node) for node in (step.working_directory, step.continue_on_error)]
    texts += [raw(step.timeout_minutes), *raw_map(step.env).values(), *raw_map(step.with_).values()]
    return _own(raw(step.if_), texts)


def _of_job(job: Any) -> tuple[Path, ...] | None:
    texts = [raw(job.defaults.shell), raw(job.defaults.working_directory)]
    return _own("", [*texts, raw(job.continue_on_error), *raw_map(job.env).values()])


def _of_workflow(workflow: Any) -> tuple[Path, ...] | None:
    texts = [raw(workflow.defaults.shell), raw(workflow.defaults.working_directory)]
    return _own("", [*texts, *raw_map(workflow.env).values()])


def _own(if_: str, texts: list[str]) -> tuple[Path, ...] | None:
    try:
        return tuple(dict.fromkeys(path for path in _paths(if_, texts) if path[0] in _OWN))
    except ExpressionError:
        return None


def _paths(if_: str, texts: list[str]) -> Iterator[Path]:
    """Yield the paths that a step speaks of. Raises ExpressionError."""
    found = list(references(condition(if_))) if if_.strip() else []
    for text in texts:
        if "${{" in text:
            found += parse_template(text).references()
    for path in found:
        yield (str(path[0]).lower(), *path[1:])

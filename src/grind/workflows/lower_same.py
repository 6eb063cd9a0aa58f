"""When a step is the same in two combinations of a matrix, so that it is lowered once.

What tells combinations apart are the contexts `matrix`, `strategy` and `runner`, and the steps before.
A step that speaks of none of them, or of parts that have the same values, has the same plan.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Final

from grind.workflows.earlier import Earlier
from grind.workflows.expressions import ExpressionError, condition, parse_template, references
from grind.workflows.expressions.analysis import Path
from grind.workflows.literals import fold
from grind.workflows.nodes import raw, raw_map
from grind.workflows.step_inputs import StepInputs
from grind.workflows.syntax import Job, Step, Workflow

_OWN: Final = frozenset({"matrix", "strategy", "runner"})
"""Contexts that each combination has for itself."""


def same_key(inputs: StepInputs, step: Step, before: Earlier) -> Hashable | None:
    """Return what the plan of a step depends on, but for what all combinations of its job share.

    None for a step whose plan is never taken from another combination.
    """
    if inputs.within is not None or raw(step.uses).startswith("./"):
        return None
    memo = inputs.facts.memo
    spoken = [memo(_own, *memo.of_object(_of_step, step))]
    spoken.append(memo(_own, *memo.of_object(_of_job, inputs.job)))
    spoken.append(memo(_own, *memo.of_object(_of_workflow, inputs.workflow)))
    if None in spoken:
        return None
    contexts = inputs.scope.contexts
    values = tuple((path, _value(path, contexts)) for paths in spoken for path in paths or ())
    return id(step), *_before(inputs, step, before), values


def _before(inputs: StepInputs, step: Step, before: Earlier) -> tuple[int, bool, bool, bool]:
    """Return what `lower_step` asks of the steps before."""
    shells = (step.shell, inputs.job.defaults.shell, inputs.workflow.defaults.shell)
    provided = before.provided and any("python" in raw(shell) for shell in shells)
    return len(before), before.quiet, provided, before.checked_out


def _value(path: Path, contexts: Mapping[str, Any]) -> str:
    """Return the value at a path, or that of the whole context, as text that tells types apart."""
    head = str(path[0]).lower()
    context = contexts.get(head)
    if len(path) > 1 and isinstance(path[1], str) and isinstance(context, dict):
        name = fold(path[1])
        return repr([value for key, value in context.items() if fold(key) == name])
    return repr(context)


def _of_step(step: Step) -> tuple[str, ...]:
    texts = [raw(node) for node in (step.name, step.run, step.uses, step.shell)]
    texts += [raw(node) for node in (step.working_directory, step.continue_on_error)]
    texts += [raw(step.timeout_minutes), *raw_map(step.env).values(), *raw_map(step.with_).values()]
    return raw(step.if_), *_open(texts)


def _of_job(job: Job) -> tuple[str, ...]:
    texts = [raw(job.defaults.shell), raw(job.defaults.working_directory)]
    return "", *_open([*texts, raw(job.continue_on_error), *raw_map(job.env).values()])


def _of_workflow(workflow: Workflow) -> tuple[str, ...]:
    texts = [raw(workflow.defaults.shell), raw(workflow.defaults.working_directory)]
    return "", *_open([*texts, *raw_map(workflow.env).values()])


def _open(texts: list[str]) -> list[str]:
    return [text for text in texts if "${{" in text]


def _own(if_: str, *texts: str) -> tuple[Path, ...] | None:
    """Return the paths into a combination's own contexts; None where a text is broken."""
    try:
        found = list(references(condition(if_))) if if_.strip() else []
        for text in texts:
            found += parse_template(text).references()
    except ExpressionError:
        return None
    lower = ((str(path[0]).lower(), *path[1:]) for path in found)
    return tuple(dict.fromkeys(path for path in lower if path[0] in _OWN))

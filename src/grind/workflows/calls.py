"""Inputs and secrets that a workflow declares, and whether a caller gives them.

The rules are those of GitHub's converter (`WorkflowTemplateConverter.cs` in `actions/runner`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from grind.core.errors import Problem
from grind.workflows.conform import Problems, TooManyProblemsError, quote
from grind.workflows.literals import fold, is_dynamic, string_of
from grind.workflows.syntax import Data, Job, Map, Scalar, Seq, Workflow

MAX_FILES: Final = 51
"""GitHub reads so many files for one run: the first and 50 it calls (`ParseOptions.MaxFiles`)."""

_ABSENT: Final[dict[str, bool | int | str]] = {"boolean": False, "number": 0, "string": ""}


class Input(NamedTuple):
    """One input that a workflow declares."""

    name: Scalar
    type: str
    """`string`, `boolean`, `number`; for `workflow_dispatch` also `choice` and `environment`."""
    required: bool
    default: Scalar | None
    """As written; it may be an expression."""
    options: tuple[Scalar, ...] = ()

    def absent(self) -> bool | int | str:
        """Return the value of a called workflow's input without a default that nobody gives."""
        return _ABSENT.get(self.type, "")


def inputs_of(workflow: Workflow, event: str = "workflow_call") -> tuple[Input, ...]:
    """Return the inputs that a workflow declares for `workflow_call` or `workflow_dispatch`."""
    trigger = next((one for one in workflow.on if one.event == event), None)
    if trigger is None or trigger.inputs is None:
        return ()
    return tuple(_input(name, value) for name, value in trigger.inputs.entries)


def check_call(path: str, job: Job, called: Workflow) -> tuple[Problem, ...]:
    """Check what `job` (of the file `path`) gives the workflow that it calls."""
    problems = Problems(path)
    trigger = next((one for one in called.on if one.event == "workflow_call"), None)
    mark = job.uses.mark if job.uses is not None else job.mark
    if trigger is None:
        problems.add(mark, f"{quote(called.path)} has no workflow_call and cannot be called")
        return problems.all()
    try:
        _check_inputs(job, called, problems)
        if not (isinstance(job.secrets, Scalar) and job.secrets.value == "inherit"):
            _check_secrets(job, trigger.secrets, problems)
    except TooManyProblemsError:
        pass
    return problems.all()


def _input(name: Scalar, value: Data) -> Input:
    spec = value if isinstance(value, Map) else Map((), value.mark)
    kind, required, default = spec.get("type"), spec.get("required"), spec.get("default")
    options = spec.get("options")
    return Input(
        name,
        string_of(kind) if isinstance(kind, Scalar) else "string",
        isinstance(required, Scalar) and required.value is True,
        default if isinstance(default, Scalar) else None,
        tuple(item for item in options.items if isinstance(item, Scalar))
        if isinstance(options, Seq)
        else (),
    )


def _given(data: Data | None) -> dict[str, tuple[Scalar, Data]] | None:
    """Return what is given by folded name; None when an expression hides it."""
    if isinstance(data, Scalar) and is_dynamic(data):
        return None
    entries = data.entries if isinstance(data, Map) else ()
    if any("${{" in key.text for key, _ in entries):
        return None
    return {fold(key.text): (key, value) for key, value in entries}


def _check_inputs(job: Job, called: Workflow, problems: Problems) -> None:
    given = _given(job.with_)
    if given is None:
        return
    declared = {fold(one.name.text): one for one in inputs_of(called)}
    mark = job.uses.mark if job.uses is not None else job.mark
    for name, one in declared.items():
        if name in given:
            _check_type(given[name][1], one, problems)
        elif one.required:
            problems.add(
                mark, f"the input {quote(one.name.text)} of the called workflow is missing"
            )
    for name, (key, _) in given.items():
        if name not in declared:
            message = f"the called workflow has no input {quote(key.text)}"
            expected = ", ".join(one.name.text for one in declared.values())
            problems.add(key.mark, message, expected and f"one of {expected}")


def _check_type(value: Data, one: Input, problems: Problems) -> None:
    if not isinstance(value, Scalar) or is_dynamic(value):
        return
    literal = value.value
    right = {
        "boolean": isinstance(literal, bool),
        "number": isinstance(literal, int | float) and not isinstance(literal, bool),
    }
    if not right.get(one.type, True):
        message = f"{quote(value.text)} is no {one.type}, which {quote(one.name.text)} is"
        problems.add(value.mark, message, f"a {one.type}")


def _check_secrets(job: Job, declared: Map | None, problems: Problems) -> None:
    given = _given(job.secrets)
    if given is None:
        return
    known = {fold(key.text): (key, value) for key, value in declared.entries} if declared else {}
    mark = job.uses.mark if job.uses is not None else job.mark
    for name, (key, value) in known.items():
        required = value.get("required") if isinstance(value, Map) else None
        if name not in given and isinstance(required, Scalar) and required.value is True:
            problems.add(mark, f"the secret {quote(key.text)} of the called workflow is missing")
    for name, (key, _) in given.items():
        if name not in known:
            problems.add(key.mark, f"the called workflow has no secret {quote(key.text)}")

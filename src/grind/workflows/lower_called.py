"""The workflow that a job calls: found, read, and given its inputs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from grind.core.plan import CallInput
from grind.workflows.availability import check_expressions
from grind.workflows.calls import Input, check_call, inputs_of
from grind.workflows.job_inputs import JobInputs
from grind.workflows.literals import fold, is_dynamic, string_of
from grind.workflows.nodes import raw
from grind.workflows.reader import read_workflow
from grind.workflows.syntax import Job, Map, Scalar, Workflow

LEVELS: Final = 10
"""Workflows that call each other, the first one counted
(https://docs.github.com/actions/reference/workflows-and-actions/reusing-workflow-configurations)."""
_MOST_JOBS: Final = 2000
"""Jobs of one workflow with those that it calls, more than which are not followed."""
_PATH: Final = re.compile(r"(?:\.|\$)/(\.github/workflows/[^/]+\.ya?ml)")


class Unfollowed(Exception):  # noqa: N818 - an answer, not an error
    """A call is not followed, for this reason."""


def paths_of(inputs: JobInputs) -> tuple[str, ...]:
    """Return the files of a workflow and of those that it is called from, outermost first."""
    return inputs.within.paths if inputs.within is not None else (inputs.workflow.path,)


def find_called(inputs: JobInputs, job: Job, known: int) -> Workflow:
    """Return the workflow that a job calls; `known` is how many jobs there are already. Raises
    Unfollowed with the reason."""
    uses = raw(job.uses)
    if not uses.startswith(("./", "$/")):
        raise Unfollowed(f"calls {uses}, a workflow of another repository")
    path = _PATH.fullmatch(uses)
    if path is None:
        raise Unfollowed(f"calls {uses}, which is no file in .github/workflows")
    paths = paths_of(inputs)
    if path[1] in paths:
        raise Unfollowed(f"a circle: {' → '.join((*paths, path[1]))}")
    if len(paths) >= LEVELS:
        raise Unfollowed(f"calls {uses} at level {LEVELS + 1}; GitHub allows {LEVELS}")
    if known > _MOST_JOBS:
        raise Unfollowed(f"there are more than {_MOST_JOBS} jobs already")
    called = _read(inputs, path[1])
    problems = check_call(inputs.workflow.path, job, called)
    if problems:
        raise Unfollowed(f"GitHub would refuse the call: {'; '.join(map(str, problems[:3]))}")
    if isinstance(job.with_, Scalar) and is_dynamic(job.with_):
        raise Unfollowed("`with:` as one expression is not done here")
    return called


def _read(inputs: JobInputs, path: str) -> Workflow:
    for other in inputs.others:
        if other.path == path and other.root is not None:
            return other
    source = inputs.facts.read(path)
    if source is None:
        raise Unfollowed(f"calls ./{path}, which the snapshot does not have")
    reading = read_workflow(path, source.encode())
    problems = reading.problems
    if reading.workflow is not None and not problems:
        problems = check_expressions(reading.workflow)
    if reading.workflow is None or problems:
        raise Unfollowed(f"GitHub would refuse ./{path}: {'; '.join(map(str, problems[:3]))}")
    return reading.workflow


def call_inputs(job: Job, called: Workflow) -> Iterable[CallInput]:
    """Yield what the called workflow is given, by its own names. Raises Unfollowed."""
    entries = job.with_.entries if isinstance(job.with_, Map) else ()
    given: Mapping[str, Any] = {fold(key.text): value for key, value in entries}
    for one in inputs_of(called):
        node = given.get(fold(one.name.text))
        open_default = node is None and one.default is not None and is_dynamic(one.default)
        if open_default and "inputs" in raw(one.default).lower():
            raise Unfollowed(f"the default of the input {one.name.text!r} asks for inputs")
        yield _input(one, node if node is not None else one.default)


def _input(one: Input, node: Any) -> CallInput:
    name, kind = one.name.text, one.type
    if not isinstance(node, Scalar):
        return CallInput(name, kind, one.absent())
    if is_dynamic(node):
        return CallInput(name, kind, node.text, open=True)
    if node.value is None:
        return CallInput(name, kind, one.absent())
    return CallInput(name, kind, node.value if kind in ("boolean", "number") else string_of(node))


def call_outputs(called: Workflow) -> dict[str, str]:
    """Return the templates of what the called workflow answers, by name."""
    trigger = next(one for one in called.on if one.event == "workflow_call")
    entries = trigger.outputs.entries if trigger.outputs is not None else ()
    return {key.text: raw(value.get("value")) for key, value in entries if isinstance(value, Map)}

"""What jobs and steps must satisfy beyond the shape of their keys: ids, references, the graph.

The rules are those of GitHub's converter (`WorkflowTemplateConverter.cs` in `actions/runner`, and
for background steps `converter/steps.ts` in `actions/languageservices`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from grind.workflows.conform import Problems, quote
from grind.workflows.literals import fold, is_dynamic, plain, string_of
from grind.workflows.syntax import Data, Job, Map, Scalar, Seq, Step, Workflow

MAX_ID: Final = 100
"""GitHub's limit for ids is below this."""

_MAX_GROUP: Final = 400
_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_REMOTE: Final = re.compile(r"[^/\\@]+(?:[/\\]+[^/\\@]+)+@[^@]+")
_LOCAL: Final = ("docker://", "./", ".\\", "$/")
_LOCAL_WORKFLOW: Final = re.compile(r"[.$]/\.github/workflows(?:-lab)?/[^/@]+\.ya?ml")
_REMOTE_WORKFLOW: Final = re.compile(
    r"[^/@]+/[^/@]+/\.github/workflows(?:-lab)?/[^/@]+\.ya?ml@[^@]+"
)


def check_jobs(workflow: Workflow, problems: Problems) -> None:
    """Check the jobs of a workflow."""
    for job in workflow.jobs:
        _check_job(job, problems)
    _check_graph(workflow, problems)
    _check_concurrency(workflow.concurrency, problems)
    group = _group(workflow.concurrency)
    for job in workflow.jobs:
        _check_concurrency(job.concurrency, problems)
        mine = _group(job.concurrency)
        if group is not None and mine is not None and group.text == mine.text:
            message = (
                f"the group {quote(mine.text)} is the workflow's own: the job waits for itself"
            )
            problems.add(mine.mark, message)


def check_steps(steps: Sequence[Step], problems: Problems) -> None:
    """Check the steps of one job or composite action, which share one scope of ids."""
    _Steps(problems).check(steps, inside=False)


def static(scalar: Scalar | None) -> str | None:
    """Return the text of a literal; None for an expression and for what is absent."""
    return None if scalar is None or is_dynamic(scalar) else string_of(scalar)


def _check_job(job: Job, problems: Problems) -> None:
    if fault := _id_fault(job.id):
        problems.add(job.mark, fault, "letters, digits, - and _")
    check_steps(job.steps, problems)
    if (uses := static(job.uses)) and job.uses is not None:
        known = _LOCAL_WORKFLOW if uses.startswith(("./", "$/")) else _REMOTE_WORKFLOW
        if not known.fullmatch(uses):
            expected = "./.github/workflows/FILE.yml or OWNER/REPO/.github/workflows/FILE.yml@REF"
            problems.add(job.uses.mark, f"{quote(uses)} is no reusable workflow", expected)
    if job.strategy is not None and isinstance(job.strategy.matrix, Map):
        _check_matrix(job.strategy.matrix, problems)
    if isinstance(job.runs_on, Map):
        _check_group(job.runs_on, problems)
    if isinstance(job.runs_on, Seq) and not job.runs_on.items:
        problems.add(job.runs_on.mark, "runs-on names no label", "at least one label")
    _check_image(job.container, problems, service=False)
    if isinstance(job.services, Map):
        for _, service in job.services.entries:
            _check_image(service, problems, service=True)


def _id_fault(text: str) -> str:
    if not _ID.fullmatch(text) or len(text) >= MAX_ID:
        return f"the id {quote(text)} is not valid"
    if text.startswith("__"):
        return f"the id {quote(text)} is not valid: ids that begin with __ are reserved"
    return ""


def _check_graph(workflow: Workflow, problems: Problems) -> None:
    """Every need names a job, and the needs have no cycle. Linear in jobs and needs."""
    known = {fold(job.id): job for job in workflow.jobs}
    waiting: dict[str, set[str]] = {}
    followers: dict[str, list[str]] = {name: [] for name in known}
    for name, job in known.items():
        waiting[name] = set()
        for need in job.needs:
            wanted = fold(string_of(need))
            if wanted in known:
                waiting[name].add(wanted)
            else:
                message = f"job {quote(job.id)} needs the job {quote(need.text)}, which is missing"
                problems.add(need.mark, message)
        for wanted in waiting[name]:
            followers[wanted].append(name)
    ready = [name for name, needs in waiting.items() if not needs]
    while ready:
        done = ready.pop()
        for name in followers[done]:
            waiting[name].discard(done)
            if not waiting[name]:
                ready.append(name)
    for name, needs in waiting.items():
        if not needs:
            continue
        job = known[name]
        for need in job.needs:
            if fold(string_of(need)) in needs:
                message = f"job {quote(job.id)} needs {quote(need.text)}, which waits for a cycle"
                problems.add(need.mark, message)


class _Steps:
    """Walks the steps of one scope."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._ids: set[str] = set()

    def check(self, steps: Sequence[Step], *, inside: bool) -> None:
        for step in steps:
            if step.id is not None and (text := static(step.id)):
                self._check_id(step.id, text)
            if step.uses is not None and (uses := static(step.uses)):
                self._check_uses(step.uses, uses)
            if inside:
                self._check_inside(step)
            if step.control is not None:
                self._check_control(step, *step.control)

    def _check_id(self, scalar: Scalar, text: str) -> None:
        if fault := _id_fault(text):
            self._problems.add(scalar.mark, fault, "letters, digits, - and _")
        elif fold(text) in self._ids:
            message = f"the step id {quote(text)} is already used in this job"
            self._problems.add(scalar.mark, message, "each id once")
        self._ids.add(fold(text))

    def _check_uses(self, scalar: Scalar, uses: str) -> None:
        if uses.startswith(_LOCAL):
            return
        if not _REMOTE.fullmatch(uses):
            expected = "OWNER/REPO[/PATH]@REF, ./PATH or docker://IMAGE"
            self._problems.add(scalar.mark, f"{quote(uses)} is no action", expected)
        elif "/.github/workflows/" in uses:
            message = f"{quote(uses)} is a reusable workflow, which a job uses, not a step"
            self._problems.add(scalar.mark, message)

    def _check_inside(self, step: Step) -> None:
        """GitHub takes only `run` and `uses` steps in a parallel group."""
        if step.background is not None:
            message = "'background' is not allowed in a parallel group"
            self._problems.add(step.background.mark, message)
        if step.control is not None:
            message = f"'{step.control[0]}' is not allowed in a parallel group"
            self._problems.add(step.mark, message, "run or uses")

    def _check_control(self, step: Step, name: str, value: Data) -> None:
        if name == "parallel":
            self.check(step.parallel, inside=True)
        elif name == "wait-all":
            if isinstance(value, Scalar) and value.value is False:
                self._problems.add(value.mark, "'wait-all' cannot be false", "true or nothing")
        else:
            targets = value.items if isinstance(value, Seq) else (value,)
            for target in targets:
                if isinstance(target, Scalar) and fold(string_of(target)) not in self._ids:
                    message = f"{quote(target.text)} is the id of no step above"
                    self._problems.add(target.mark, message)
                elif isinstance(target, Scalar) and static(step.id) == string_of(target):
                    self._problems.add(
                        target.mark, "a step cannot wait for itself or cancel itself"
                    )


def _check_matrix(matrix: Map, problems: Problems) -> None:
    """Check what is known before anything is evaluated."""
    faulty = False
    for key, value in matrix.entries:
        if key.text in ("include", "exclude") or "${{" in key.text:
            continue
        if isinstance(value, Seq) and not value.items:
            problems.add(value.mark, f"the matrix axis {quote(key.text)} has no values")
            faulty = True
    if faulty or _dynamic(matrix) or not _well_formed(matrix):
        return
    from grind.core.errors import GrindError
    from grind.workflows.matrix import EmptyMatrixError, MatrixError, expand

    try:
        expand(plain(matrix))
    except EmptyMatrixError:
        pass  # whether GitHub runs such a job once or refuses it is not known: not said here
    except MatrixError as error:
        problems.add(matrix.mark, error.message)
    except GrindError:
        pass  # a comparison that is disputed; whoever runs the job will be told


def _well_formed(matrix: Map) -> bool:
    """Say whether the table of rules has nothing to say about the matrix."""
    lists = [value for _, value in matrix.entries]
    entries = [
        entry
        for key, value in matrix.entries
        if key.text in ("include", "exclude") and isinstance(value, Seq)
        for entry in value.items
    ]
    return all(isinstance(value, Seq) for value in lists) and all(
        isinstance(entry, Map) for entry in entries
    )


def _dynamic(data: Data) -> bool:
    if isinstance(data, Scalar):
        return is_dynamic(data)
    if isinstance(data, Seq):
        return any(map(_dynamic, data.items))
    return any("${{" in key.text or _dynamic(value) for key, value in data.entries)


def _check_group(runs_on: Map, problems: Problems) -> None:
    group = runs_on.get("group")
    text = static(group) if isinstance(group, Scalar) else None
    if group is None or not text or "/" not in text:
        return
    prefix, _, name = text.partition("/")
    if prefix not in ("org", "organization", "ent", "enterprise") or not name or "/" in name:
        expected = "a name, organization/NAME or enterprise/NAME"
        problems.add(group.mark, f"{quote(text)} is no runner group", expected)


def _check_image(data: Data | None, problems: Problems, *, service: bool) -> None:
    if isinstance(data, Map) and data.get("image") is None and not _dynamic(data):
        problems.add(data.mark, "a container needs an image", "image")
    image = data.get("image") if isinstance(data, Map) else data
    if not isinstance(image, Scalar) or (text := static(image)) is None:
        return
    if text == "docker://" or (service and not text):
        problems.add(image.mark, "a container image must not be empty")


def _check_concurrency(data: Data | None, problems: Problems) -> None:
    group = _group(data)
    if group is not None and len(string_of(group)) > _MAX_GROUP:
        message = f"the name of a concurrency group may have at most {_MAX_GROUP} characters"
        problems.add(group.mark, message)
    if isinstance(data, Map):
        queue, cancel = data.get("queue"), data.get("cancel-in-progress")
        if (
            isinstance(queue, Scalar)
            and isinstance(cancel, Scalar)
            and queue.value == "max"
            and cancel.value is True
        ):
            problems.add(queue.mark, "'queue: max' excludes 'cancel-in-progress: true'")


def _group(data: Data | None) -> Scalar | None:
    group = data.get("group") if isinstance(data, Map) else data
    return group if isinstance(group, Scalar) and static(group) else None

"""The workflow files of a snapshot."""

from __future__ import annotations

from grind.core.errors import GrindError, Problem, ProblemsError
from grind.flows.basis import WORKFLOWS, Basis, Options
from grind.ports import Repository
from grind.workflows.availability import check_expressions
from grind.workflows.lower import why_ignored
from grind.workflows.reader import read_workflow
from grind.workflows.syntax import Workflow


def read_workflows(repository: Repository, basis: Basis, options: Options) -> tuple[Workflow, ...]:
    """Read every workflow of the snapshot. Raises ProblemsError with all that is wrong."""
    files = [
        blob
        for blob in repository.blobs(basis.snapshot.tree, (WORKFLOWS,))
        if blob.path.endswith((".yml", ".yaml"))
        and blob.path.count("/") == WORKFLOWS.count("/") + 1
    ]
    if not files and not basis.config.check:
        raise GrindError(
            f"there is no workflow in {WORKFLOWS}/, so there is nothing that CI would run",
            remedy="add a workflow, or a [[check]] to grind.toml",
        )
    ignored = {blob.path for blob in files if why_ignored(basis.config, blob.path) is not None}
    contents = repository.read([blob.oid for blob in files if blob.path not in ignored])
    workflows: list[Workflow] = []
    problems: list[Problem] = []
    for blob in files:
        if blob.path in ignored:  # named in the plan, and never read
            workflows.append(Workflow(path=blob.path))
            continue
        reading = read_workflow(blob.path, contents[blob.oid])
        problems += reading.problems
        if reading.workflow is not None:
            workflows.append(reading.workflow)
            problems += check_expressions(reading.workflow)
    if problems:
        raise ProblemsError("workflows that GitHub would refuse:", tuple(problems))
    if options.workflows:
        workflows = _chosen(workflows, options.workflows)
    return tuple(workflows)


def _chosen(workflows: list[Workflow], names: tuple[str, ...]) -> list[Workflow]:
    chosen = []
    for name in names:
        found = [w for w in workflows if _is_named(w, name)]
        if not found:
            known = ", ".join(w.path.rpartition("/")[2] for w in workflows)
            raise GrindError(f"no workflow is called {name!r}", remedy=f"there are: {known}")
        chosen += [w for w in found if w not in chosen]
    return chosen


def _is_named(workflow: Workflow, name: str) -> bool:
    file = workflow.path.rpartition("/")[2]
    given = workflow.name.text if workflow.name is not None else ""
    return name in (workflow.path, file, file.rpartition(".")[0], given)

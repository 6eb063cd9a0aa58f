"""Gather what `grind plan --drift` compares: the plan, and the repository's own entry points."""

from __future__ import annotations

from collections.abc import Callable

from grind.core.drift import Drift
from grind.flows.prepare import Prepared
from grind.ports import Repository
from grind.workflows.drift import compare
from grind.workflows.driftsides import entry_files
from grind.workflows.drifttasks import Task
from grind.workflows.drifttext import Reader

TasksOf = Callable[[str, bytes], tuple[Task, ...]]
"""Reads the tasks of a file: path and content."""

_REGULAR = (0o100644, 0o100755)


def find_drift(repository: Repository, prepared: Prepared, tasks_of: TasksOf) -> Drift:
    """Return the drift between CI and this side, both as they are in the snapshot."""
    snapshot = prepared.basis.snapshot
    files = {b.path: b.oid for b in repository.blobs(snapshot.tree) if b.mode in _REGULAR}
    known: dict[str, tuple[Task, ...]] = {}

    def tasks(path: str) -> tuple[Task, ...]:
        if path not in known:
            oid = files.get(path)
            known[path] = tasks_of(path, repository.read([oid])[oid]) if oid is not None else ()
        return known[path]

    local = [task for path in entry_files(files) for task in tasks(path)]
    return compare(prepared.plan, prepared.basis.config, local, Reader(tasks))

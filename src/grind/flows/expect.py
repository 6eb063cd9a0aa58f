"""Which workflows must run for a commit, from its own files: what a watch waits for."""

from __future__ import annotations

from typing import NamedTuple

from grind.core.ci import Expected, covers
from grind.core.config import Config
from grind.core.errors import GrindError
from grind.core.parity import expected_jobs
from grind.core.plan import Plan
from grind.core.receipt import Receipt
from grind.core.repository import Snapshot
from grind.flows.basis import WORKFLOWS
from grind.ports import Repository
from grind.workflows.reader import read_workflow
from grind.workflows.triggers import Event, decide


class Expectation(NamedTuple):
    """What must run, what need not, and what was not understood."""

    paths: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    """`path: reason`, for every workflow that does not count."""
    doubts: tuple[str, ...] = ()
    """What a reader must know: workflows that could not be read count as expected."""

    def with_jobs(self, plan: Plan | None, receipt: Receipt | None) -> tuple[Expected, ...]:
        """Return the expected workflows with what the plan and the proof know of their jobs."""
        return tuple(
            Expected(path, expected_jobs(path, plan, receipt) if plan is not None else ())
            for path in self.paths
        )


def expect(repository: Repository, snapshot: Snapshot, config: Config, event: Event) -> Expectation:
    """Decide it for every workflow file of the commit."""
    paths: list[str] = []
    left_out: list[str] = []
    doubts: list[str] = []
    files = [
        blob
        for blob in repository.blobs(snapshot.tree, (WORKFLOWS,))
        if blob.path.endswith((".yml", ".yaml")) and blob.path.count("/") == 2
    ]
    contents = repository.read([blob.oid for blob in files])
    for blob in files:
        ignored = _ignored(config, blob.path)
        if ignored is not None:
            left_out.append(f"{blob.path}: ignored in grind.toml: {ignored}")
            continue
        reading = read_workflow(blob.path, contents[blob.oid])
        if reading.workflow is None or reading.problems:
            paths.append(blob.path)
            why = str(reading.problems[0]) if reading.problems else blob.path
            doubts.append(f"{why}: not understood, so it counts as expected")
            continue
        decision = decide(reading.workflow, event)
        if decision.active:
            paths.append(blob.path)
        else:
            left_out.append(f"{blob.path}: {decision.reason}")
    return Expectation(tuple(paths), tuple(left_out), tuple(doubts))


def _ignored(config: Config, path: str) -> str | None:
    return next((rule.reason for rule in config.ignore if covers(rule.workflow, path)), None)


def pushed_paths(
    repository: Repository, snapshot: Snapshot, before: str | None
) -> tuple[str, ...] | None:
    """Return what a push changed, from the branch's commit before it, as GitHub compares.

    None when that commit is not known or not here: then path filters count as matched, because a
    workflow that is awaited in vain is not a wrong green.
    """
    if before is None:
        return None
    try:
        base = repository.resolve(before)
    except GrindError:
        return None
    return repository.changed_paths(snapshot._replace(parent=base, of_rev=True), None)

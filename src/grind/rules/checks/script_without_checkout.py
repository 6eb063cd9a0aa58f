"""script-without-checkout: a job that runs the repository's script in an empty folder."""

from __future__ import annotations

import re
from collections.abc import Iterator

from grind.rules.checks.paths import join, named_path
from grind.rules.extract.workflow import Job
from grind.rules.findings import ERROR, HIGH, Claim, Hit, Rule
from grind.rules.treefacts import TreeFacts
from grind.rules.units import View

_BRINGS = re.compile(
    r"\b(git (clone|init|fetch)|gh (repo clone|release download|run download)|tar |unzip |curl |wget )"
)
_CHECKOUT = re.compile(r"checkout|git-clone|/cache@|download|nix-community/", re.IGNORECASE)


def check(view: View) -> Iterator[Hit]:
    """Repository paths in steps that run before the job's first checkout."""
    if view.workflow is None or view.workflow.action or not view.runs_here:
        return
    for job in view.workflow.jobs:
        yield from _job(view, job)


def _job(view: View, job: Job) -> Iterator[Hit]:
    for step in job.steps:
        if step.uses is not None:
            if step.uses.value.startswith("./"):
                yield _hit(view, job, step.uses.value, step.uses.offset, len(step.uses.value))
            elif _CHECKOUT.search(step.uses.value):
                return
        if step.run is None:
            continue
        if _BRINGS.search(step.run.text):
            return
        for unit in view.units:
            if unit.fragment is not step.run:
                continue
            for call in unit.calls:
                word = named_path(call)
                if word is not None and call.context.machine == "ci":
                    at = unit.offset(word.start)
                    path = join(unit.context.cwd or "", word.text)
                    yield _hit(view, job, path, at, len(word.raw))


def _hit(view: View, job: Job, path: str, at: int, length: int) -> Hit:
    message = (
        f"job `{job.id}` runs `{path}` before any checkout step: on a runner the folder is empty; "
        "add `actions/checkout` first"
    )
    claim = Claim("exists", join("", path))
    return view.hit("script-without-checkout", (at, at + length), message, ERROR, HIGH, claim)


def judge(hit: Hit, facts: TreeFacts) -> Hit | None:
    """Only a path that the repository has can be missed."""
    return hit if hit.claim and facts.has(hit.claim.path) else None


RULE = Rule(
    id="script-without-checkout",
    severity=ERROR,
    what="A job uses a file of the repository before a step has checked the repository out.",
    why="A job starts in an empty folder; what works in the job before it does not exist in this one.",
    seen="A step used a script of the repository in a job that had not checked it out (F11).",
    bad="steps:\n  - run: ./scripts/notify.sh",
    good="steps:\n  - uses: actions/checkout@v4\n  - run: ./scripts/notify.sh",
    check=check,
    judge=judge,
)

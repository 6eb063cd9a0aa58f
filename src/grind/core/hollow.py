"""Green without work: a run that says success although nothing, or too little, was run."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from grind.core.ci import CiJob, CiStep, Expected, ExpectedJob, matches

_RUNNERS_OWN = frozenset(
    {"set up job", "set up runner", "complete job", "complete runner", "initialize containers",
     "stop containers"}
)  # fmt: skip
_NO_WORK = re.compile(r"(?i)(?:pre|post) |(?:pre |post )?run (?:actions/|.*/setup-)[^ ]*@[^ ]*$")
"""Steps that the runner adds, and actions that only prepare: checkout, caches, tool set-up."""


def hollow_reason(jobs: Sequence[CiJob], expected: Expected, required: Collection[str] = ()) -> str:
    """Return why a successful run proves nothing, or an empty string.

    `required` names the jobs that the branch's rules require; GitHub counts them as passed when
    they are skipped.
    """
    ran = [job for job in jobs if job.conclusion == "success"]
    skipped = [job for job in jobs if job.conclusion == "skipped"]
    if not ran:
        return "no job ran to success"
    for job in skipped:
        if job.name in required:
            return f"{job.name} is required and was skipped"
        known = _known(job, expected)
        if known is not None and known.proven:
            return f"{job.name} was skipped, and ran here"
    if skipped:
        deciding = [job for job in ran if (known := _known(job, expected)) and known.decides]
        if len(deciding) == len(ran):
            return f"only {deciding[0].name} ran, and it decided that nothing else had to"
    if not any(_worked(job, expected) for job in ran):
        return "no step that ran was a command of the workflow"
    return ""


def _known(job: CiJob, expected: Expected) -> ExpectedJob | None:
    exact = next((one for one in expected.jobs if one.name == job.name), None)
    return exact or next((one for one in expected.jobs if matches(job.name, one.name)), None)


def _worked(job: CiJob, expected: Expected) -> bool:
    """Whether a command was run, as far as can be told.

    Where the plan knows commands, one of them must have run; a workflow without any (all actions)
    is held to a step that does more than prepare.
    """
    done = [step for step in job.steps if step.conclusion == "success"]
    known = _known(job, expected)
    if known is None or not any(one.commands for one in expected.jobs):
        return any(_is_work(step) for step in done)
    return any(matches(step.name, name) for step in done for name in known.commands)


def _is_work(step: CiStep) -> bool:
    return step.name.lower() not in _RUNNERS_OWN and not _NO_WORK.match(step.name)

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
        if known is not None and known.proven and not _let_off(known, ran, expected):
            return f"{job.name} was skipped, and ran here"
    let_off = False
    if skipped:
        deciding = [job for job in ran if (known := _known(job, expected)) and known.decides]
        let_off = all(
            (known := _known(job, expected)) and known.proven and _let_off(known, ran, expected)
            for job in skipped
        )
        if len(deciding) == len(ran) and not let_off:
            return f"only {deciding[0].name} ran, and it decided that nothing else had to"
    if not let_off and not any(_worked(job, expected) for job in ran):
        return "no step that ran was a command of the workflow"
    return ""


def _let_off(known: ExpectedJob, ran: Sequence[CiJob], expected: Expected) -> bool:
    """Whether a job was skipped because another one found it proven by a trusted receipt."""
    for job in ran:
        if known.skipped_by and matches(job.name, known.skipped_by):
            deciding = _known(job, expected)
            return deciding is not None and _verified(job, deciding)
    return False


def _verified(job: CiJob, known: ExpectedJob) -> bool:
    return bool(known.verifier) and any(
        step.conclusion == "success" and matches(step.name, known.verifier) for step in job.steps
    )


def _proven_instead(job: CiJob, known: ExpectedJob) -> bool:
    """Whether the commands of a job were skipped for a receipt that proved them here, too.

    The verifier succeeded, what it may let off was skipped and nothing else was, and the own
    receipt of the tree says that a command of the job was executed and green.
    """
    skipped = [step for step in job.steps if step.conclusion == "skipped"]
    meant = all(any(matches(step.name, name) for name in known.skips) for step in skipped)
    return known.proven and bool(skipped) and meant and _verified(job, known)


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
    if known is not None and _proven_instead(job, known):
        return True
    if known is None or not any(one.commands for one in expected.jobs):
        return any(_is_work(step) for step in done)
    return any(matches(step.name, name) for step in done for name in known.commands)


def _is_work(step: CiStep) -> bool:
    return step.name.lower() not in _RUNNERS_OWN and not _NO_WORK.match(step.name)

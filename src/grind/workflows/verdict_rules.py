"""The `[[verdict]]`s of grind.toml: which one selects a step, and what it makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from grind.core.config import Config, VerdictRule
from grind.core.plan import Recipe, StepClass, StepSource, Verdict
from grind.workflows.facts import Facts
from grind.workflows.finding import Finding
from grind.workflows.gating import Gating
from grind.workflows.legs import agrees
from grind.workflows.nodes import raw
from grind.workflows.syntax import Job, Step, Workflow


def tells_legs_apart(config: Config, job: Job) -> bool:
    """Whether a `[[verdict]]` may select a step in one combination of the job and not in another."""
    return any(
        rule.matrix is not None and (rule.job is None or rule.job.lower() == job.id.lower())
        for rule in config.verdict
    )


def selector(workflow: Workflow, job: Job, step: Step, file: str = "") -> dict[str, str | int]:
    """Return the fields of a `[[verdict]]` that selects this step, for remedies.

    `file` is that of the composite action that has the step, wherever it is called.
    """
    name = step.id or step.name
    place = name.text if name is not None and name.text else step.index
    if file:
        return {"workflow": file, **({"job": job.id} if name is None else {}), "step": place}
    return {"workflow": workflow.path.rpartition("/")[2], "job": job.id, "step": place}


def matching_rule(
    config: Config,
    workflow: Workflow,
    job: Job,
    step: Step,
    file: str = "",
    matrix: Mapping[str, Any] | None = None,
) -> VerdictRule | None:
    """Return the first `[[verdict]]` of grind.toml that selects this step.

    `matrix` are the values of the combination, where they are known. `file` is that of the composite
    action that has the step. A rule that names a step speaks of the steps of one file: it selects none
    of an action unless `workflow` is the action's path.
    """
    return next(
        (
            rule
            for rule in config.verdict
            if _selects(rule, workflow, job, step, file)
            and (rule.matrix is None or agrees(rule.matrix, matrix))
        ),
        None,
    )


def rule_for_job(config: Config, workflow: Workflow, job: Job) -> VerdictRule | None:
    """Return the first `[[verdict]]` that selects a job which calls a workflow: it names no step."""
    return next(
        (
            rule
            for rule in config.verdict
            if rule.step is None
            and rule.matrix is None
            and (rule.uses is None or fnmatchcase(raw(job.uses), rule.uses))
            and (rule.job is None or rule.job.lower() == job.id.lower())
            and (rule.workflow is None or _is_file(rule, workflow, ""))
        ),
        None,
    )


def _selects(rule: VerdictRule, workflow: Workflow, job: Job, step: Step, file: str) -> bool:
    if rule.uses is not None and not fnmatchcase(raw(step.uses), rule.uses):
        return False
    if file and rule.step is not None and rule.workflow is None:
        return False
    if rule.workflow is not None and not _is_file(rule, workflow, file):
        return False
    if rule.job is not None and job.id.lower() != rule.job.lower():
        return False
    names = (raw(step.id) or None, raw(step.name) or None, step.index)
    return rule.step is None or rule.step in names


def _is_file(rule: VerdictRule, workflow: Workflow, file: str) -> bool:
    glob = rule.workflow or "*"
    if file and fnmatchcase(file, glob):
        return True
    if file and rule.step is not None:
        return False
    path = workflow.path
    return fnmatchcase(path, glob) or fnmatchcase(path.rpartition("/")[2], glob)


def by_rule(
    rule: VerdictRule,
    source: StepSource,
    klass: StepClass,
    facts: Facts,
    gating: Gating | None,
) -> Finding:
    """Return what a rule makes of a step; `gating` is that of the step's own text when it runs."""
    verdict = Verdict(rule.verdict)
    if verdict is Verdict.OVERRIDDEN:
        recipe = Recipe(
            kind="run" if rule.run else "nothing",
            script=rule.run or "",
            env=dict(rule.env),
            outputs=dict(rule.outputs),
        )
        return Finding(verdict, klass, rule.reason, recipe=recipe)
    if verdict is Verdict.SATISFIED:
        return _satisfied(rule, klass, facts)
    if verdict is Verdict.EXECUTED and source.run is None:
        return Finding(
            Verdict.REFUSED,
            klass,
            "grind.toml says `executed` of a `uses:` step, which has nothing to run",
            'use verdict = "overridden" with run = "…"',
        )
    found = Finding(verdict, klass, rule.reason)
    if gating is not None:
        found = found._replace(gating=gating.gating, gating_reason=gating.reason)
    return found


def _satisfied(rule: VerdictRule, klass: StepClass, facts: Facts) -> Finding:
    recipe = Recipe(kind="nothing", outputs=dict(rule.outputs))
    if rule.check is None:
        return Finding(Verdict.SATISFIED, klass, rule.reason, recipe=recipe)
    answer = facts.ask(("bash", "-c", rule.check))
    if answer is not None and answer.exit_code == 0:
        reason = f"{rule.reason} (`{rule.check}` passes)"
        return Finding(Verdict.SATISFIED, klass, reason, recipe=recipe)
    reason = f"`{rule.check}` fails on this host ({rule.reason})"
    return Finding(Verdict.REFUSED, klass, reason, f"make `{rule.check}` pass on the host")

"""A call of another workflow that a `[[verdict]]` of grind.toml settles."""

from __future__ import annotations

from msgspec.structs import replace

from grind.core.plan import JobPlan, Recipe, StepClass, StepPlan, StepSource, Verdict
from grind.workflows.job_inputs import JobInputs
from grind.workflows.lower_job import skeleton
from grind.workflows.nodes import raw
from grind.workflows.scope import Scope
from grind.workflows.syntax import Job
from grind.workflows.verdict_rules import by_rule, rule_for_job


def call_by_rule(inputs: JobInputs, job: Job, scope: Scope) -> JobPlan | None:
    """Return the job that stands for the call by a `[[verdict]]`: a checkout and one step."""
    rule = rule_for_job(inputs.config, inputs.workflow, job)
    if rule is None or inputs.inactive is not None:
        return None
    plan = skeleton(inputs, job, scope, "")
    found = by_rule(rule, StepSource(uses=raw(job.uses)), StepClass.CHECK, inputs.facts, None)
    step = StepPlan(
        index=1,
        id="",
        name=raw(job.name) or f"call {raw(job.uses)}",
        run=None,
        uses=raw(job.uses),
        shell="",
        working_directory="",
        env={},
        klass=found.klass,
        gating=True,
        verdict=found.verdict,
        reason=found.reason,
        remedy=found.remedy,
        line=job.mark.line,
        source=StepSource(),
        recipe=found.recipe,
    )
    checkout = replace(
        step,
        index=0,
        name="checkout",
        uses="actions/checkout",
        klass=StepClass.PROVISION,
        verdict=Verdict.EXECUTED,
        reason="built in: the snapshot",
        remedy="",
        recipe=Recipe(kind="checkout"),
    )
    refused = found.verdict is Verdict.REFUSED
    return replace(
        plan,
        steps=(checkout, step),
        outputs=dict(rule.outputs),
        verdict=Verdict.REFUSED if refused else Verdict.EXECUTED,
        reason=found.reason,
        remedy=found.remedy if refused else "",
    )

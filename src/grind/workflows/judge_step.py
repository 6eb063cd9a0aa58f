"""The verdict of one step: what grind.toml says, what its condition says, and what it is."""

from __future__ import annotations

from grind.core.plan import StepClass, StepSource, Verdict
from grind.core.remedy import verdict_rule
from grind.workflows.actions import judge
from grind.workflows.classify import classify_run
from grind.workflows.conditions import condition_for, statuses
from grind.workflows.earlier import Earlier
from grind.workflows.expressions import ExpressionError, UnknownValueError
from grind.workflows.facts import Facts, Judgement
from grind.workflows.finding import Finding
from grind.workflows.judge_run import judge_run, text_gating
from grind.workflows.legs import as_values
from grind.workflows.nodes import raw
from grind.workflows.scope import Scope, never_known
from grind.workflows.step_inputs import StepInputs
from grind.workflows.syntax import Step
from grind.workflows.verdict_rules import by_rule, matching_rule


def judge_step(
    inputs: StepInputs, step: Step, source: StepSource, scope: Scope, earlier: Earlier
) -> Finding:
    """Return what becomes of a step; `scope` has its own `env:`, `earlier` are those before it."""
    return _settled(inputs, step, source, scope) or _judge(inputs, step, source, scope, earlier)


def local_action(uses: str) -> str | None:
    """Return the folder of the repository's own action that `uses` names, or None."""
    if not uses.startswith("./"):
        return None
    parts = [part for part in uses.split("/") if part not in ("", ".")]
    return "/".join(parts)


def _settled(inputs: StepInputs, step: Step, source: StepSource, scope: Scope) -> Finding | None:
    """What grind.toml or the step's own condition says, before anything else is looked at."""
    klass = _class_of(inputs, step, source)
    unknown = ""
    try:
        if not statuses(source.if_, scope.values, scope.functions, scope.memo):
            reason = f"if: {source.if_} is false, as in CI"
            return Finding(
                Verdict.SKIPPED, klass, reason, gating=False, gating_reason="CI skips it too"
            )._replace(held=True)
    except UnknownValueError as error:
        unknown = f"if: {error}" if never_known(error) else ""
    except ExpressionError as error:
        return Finding(Verdict.REFUSED, klass, f"if: {error}")
    matrix = inputs.scope.contexts.get("matrix")
    rule = matching_rule(
        inputs.config, inputs.workflow, inputs.job, step, inputs.file, as_values(matrix)
    )
    if rule is not None:
        gating = text_gating(source, inputs.facts) if rule.verdict == "executed" else None
        return by_rule(rule, source, klass, inputs.facts, gating)
    if unknown and not _status_alone_may_decide(source, scope):
        return Finding(
            Verdict.REFUSED,
            klass,
            unknown,
            verdict_rule("skipped", inputs.where(step)),
        )
    return None


def _status_alone_may_decide(source: StepSource, scope: Scope) -> bool:
    """Whether the step is not reached in a job where all went well, whatever is unknown."""
    try:
        answer = condition_for(source.if_, scope.values, "success", scope.functions)
    except ExpressionError:
        return False
    return answer is not None and answer.condition is None


def _class_of(inputs: StepInputs, step: Step, source: StepSource) -> StepClass:
    if source.run is None:
        return StepClass.PROVISION
    return inputs.facts.memo(classify_run, raw(step.name), source.run, source.shell).klass


def _judge(
    inputs: StepInputs,
    step: Step,
    source: StepSource,
    scope: Scope,
    earlier: Earlier,
) -> Finding:
    if source.run is None:
        return _judge_uses(inputs, source, scope, earlier)
    if inputs.waits_for(source.shell):
        reason = f"its shell {source.shell} is known later"
        return Finding(Verdict.EXECUTED, _class_of(inputs, step, source), reason, open=True)
    return judge_run(
        source,
        raw(step.name),
        scope,
        inputs.facts,
        secret_env=inputs.secret_env,
        where=inputs.where(step),
        provided=earlier.provided,
        secret_inputs=inputs.within.secret_inputs if inputs.within is not None else frozenset(),
    )


def _judged(facts: Facts, uses: str, *inputs: tuple[str, str]) -> Judgement:
    return judge(uses, dict(inputs), facts)


def _judge_uses(inputs: StepInputs, source: StepSource, scope: Scope, earlier: Earlier) -> Finding:
    folder = local_action(source.uses)
    if folder is not None:
        return Finding(Verdict.EXECUTED, StepClass.CHECK, calls=folder)
    shown = {name: scope.show(value) for name, value in source.with_.items()}
    judged = inputs.facts.round(_judged, inputs.facts, source.uses, *shown.items())
    if judged.hole and inputs.waits_for(*_given(source, judged.hole)):
        reason = f"judged when its input `{judged.hole}` is known"
        return Finding(Verdict.EXECUTED, judged.klass, reason, open=True)
    if judged.after_checkout and not earlier.checked_out:
        reason = "the repository is not checked out before it, without which it fails on GitHub"
        return Finding(Verdict.REFUSED, judged.klass, reason)
    return Finding(
        judged.verdict,
        judged.klass,
        judged.reason,
        judged.remedy,
        judged.recipe,
        judged.gating,
        judged.gating_reason,
    )


def _given(source: StepSource, name: str) -> tuple[str, ...]:
    return tuple(value for key, value in source.with_.items() if key.lower() == name)

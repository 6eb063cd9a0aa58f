"""Lower one step: what it would run, what it is for, and what becomes of it here."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, NamedTuple

from grind.core.config import Config
from grind.core.plan import ActionCall, StepClass, StepPlan, StepSource, Verdict
from grind.core.remedy import verdict_rule
from grind.workflows.actions import judge
from grind.workflows.classify import classify_run
from grind.workflows.conditions import statuses
from grind.workflows.expressions import UNKNOWN, ExpressionError, UnknownValueError, truthy
from grind.workflows.facts import Facts, Judgement
from grind.workflows.finding import Finding
from grind.workflows.jobenv import layered_nodes
from grind.workflows.judge_run import judge_run, text_gating
from grind.workflows.legs import as_values
from grind.workflows.lower_open import NOTHING, speaks_of
from grind.workflows.nodes import raw, raw_map, to_value
from grind.workflows.scope import Scope, env_object, never_known
from grind.workflows.syntax import Job, Scalar, Step, Workflow
from grind.workflows.verdict_rules import by_rule, matching_rule, selector


class Within(NamedTuple):
    """The composite action whose steps are lowered, and the call of it."""

    file: str
    """Path of the action's file."""
    folders: tuple[str, ...]
    """The folders of this action and of those that it is called from, outermost first."""
    parent: int
    """Index of the calling step."""
    inputs: Mapping[str, Any]
    env: Mapping[str, Any]
    """The calling step's own `env:`, which lies over the job's."""
    secret_inputs: frozenset[str]
    """Inputs that hold secrets, lower case."""
    forgiven: str
    """Why a failure of the action cannot fail CI, or nothing."""

    def inside(self, scope: Scope) -> Scope:
        """Return what an expression of the action may use, from what one of the job may."""
        github = {**scope.contexts.get("github", {}), "action_path": UNKNOWN}
        return scope.without("needs", "secrets", "vars").having(inputs=self.inputs, github=github)


class Kept(NamedTuple):
    """Plans of steps of one job that were made before, by what they depend on; see `lower_same`."""

    now: dict[Hashable, StepPlan]
    """Of this round of questions."""
    lasting: dict[Hashable, StepPlan]
    """Of all rounds."""

    def find(self, key: Hashable) -> StepPlan | None:
        """Return the plan that was made for `key`, if there is one."""
        return self.lasting.get(key) or self.now.get(key)

    def keep(self, key: Hashable, plan: StepPlan, *, lasting: bool) -> None:
        """Remember a plan; `lasting` says that no answer of the host was asked for it."""
        (self.lasting if lasting else self.now)[key] = plan


class StepInputs(NamedTuple):
    """What lowering a step depends on."""

    config: Config
    facts: Facts
    workflow: Workflow
    job: Job
    scope: Scope
    secret_env: frozenset[str]
    """Variables of the workflow and the job that hold secrets; they are empty here."""
    job_continue_on_error: bool
    within: Within | None = None
    later: frozenset[str] = NOTHING
    """Contexts of which more is known when the job is lowered again; none when it is not."""
    kept: Kept | None = None
    """Plans of steps of the same job, for its other combinations; see `lower_same`."""

    def waits_for(self, *texts: str) -> bool:
        """Whether a template will be known when the job is lowered again."""
        later = self.later
        if later and self.within is not None:
            later |= {"inputs"}
        return speaks_of(texts, later)

    @property
    def file(self) -> str:
        """Path of the action's file, or nothing for a step of the workflow."""
        return self.within.file if self.within is not None else ""

    def where(self, step: Step) -> dict[str, str | int]:
        """Return the fields of a `[[verdict]]` that selects a step."""
        return selector(self.workflow, self.job, step, self.file)


def lower_step(inputs: StepInputs, step: Step, earlier: tuple[StepPlan, ...]) -> StepPlan:
    """Return the plan of one step; `earlier` are the job's steps before it.

    A step that calls an action of the repository has a `call`, whose steps are still to be lowered.
    """
    outer = _scope(inputs, earlier)
    try:
        scope = outer.having_env(raw_map(step.env))
    except ExpressionError:
        scope = outer  # a broken value: whoever judges the step says so
    source = _source(inputs, step, scope)
    finding = _settled(inputs, step, source, scope) or _judge(inputs, step, source, scope, earlier)
    if inputs.job_continue_on_error and finding.gating:
        finding = finding._replace(gating=False, gating_reason="continue-on-error of the job")
    elif source.continue_on_error is True and finding.gating:
        finding = finding._replace(gating=False, gating_reason="continue-on-error of the step")
    elif inputs.within is not None and inputs.within.forgiven and finding.gating:
        finding = finding._replace(gating=False, gating_reason=inputs.within.forgiven)
    return StepPlan(
        index=len(earlier),
        id=raw(step.id),
        name=_name(step, scope),
        run=None if source.run is None else scope.show(source.run),
        uses=raw(step.uses) if step.uses is not None else None,
        shell=source.shell,
        working_directory=scope.show(source.working_directory),
        env={name: outer.show(value) for name, value in source.env.items()},
        klass=finding.klass,
        gating=finding.gating,
        gating_reason=finding.gating_reason,
        verdict=finding.verdict,
        reason=finding.reason,
        remedy=finding.remedy,
        line=step.mark.line,
        source=source,
        recipe=finding.recipe,
        held=finding.held,
        parent=inputs.within.parent if inputs.within is not None else None,
        file=inputs.file,
        open=finding.open,
        call=ActionCall(path=finding.calls) if finding.calls is not None else None,
    )


def _scope(inputs: StepInputs, earlier: tuple[StepPlan, ...]) -> Scope:
    """What is known of a step before anything ran: an earlier step may have set any variable."""
    quiet = all(
        s.call is not None or (s.recipe is not None and s.recipe.kind == "checkout")
        for s in earlier
    )
    env = env_object({}, complete=False)
    if quiet:
        layers = (raw_map(inputs.workflow.env), raw_map(inputs.job.env))
        env = env_object(layered_nodes(layers, inputs.scope), complete=True)
    if inputs.within is not None:
        env = env_object({**dict(env.items()), **inputs.within.env}, complete=env.complete)
    scope = inputs.scope.having(env=env, steps=UNKNOWN if earlier else {}, job=UNKNOWN)
    return inputs.within.inside(scope) if inputs.within is not None else scope


def _source(inputs: StepInputs, step: Step, scope: Scope) -> StepSource:
    job, workflow = inputs.job, inputs.workflow
    shell, folder = step.shell, step.working_directory
    if inputs.within is None:  # an action does not see the defaults of whoever calls it
        shell = shell or job.defaults.shell or workflow.defaults.shell
        folder = folder or job.defaults.working_directory or workflow.defaults.working_directory
    is_run = step.run is not None
    return StepSource(
        if_=raw(step.if_),
        name=raw(step.name),
        run=raw(step.run) if step.run is not None else None,
        uses=raw(step.uses),
        with_=raw_map(step.with_),
        shell=scope.show(raw(shell)) if is_run else "",
        working_directory=raw(folder) if is_run else "",
        env=raw_map(step.env),
        continue_on_error=_boolean(step.continue_on_error, scope),
        timeout_minutes=_number(step.timeout_minutes, scope),
    )


def local_action(uses: str) -> str | None:
    """Return the folder of the repository's own action that `uses` names, or None."""
    if not uses.startswith("./"):
        return None
    parts = [part for part in uses.split("/") if part not in ("", ".")]
    return "/".join(parts)


def _boolean(node: Scalar | None, scope: Scope) -> bool | str:
    if node is None:
        return False
    try:
        return truthy(to_value(node, scope))
    except ExpressionError:
        return node.text


def _number(node: Scalar | None, scope: Scope) -> float | str | None:
    if node is None:
        return None
    try:
        value = to_value(node, scope)
    except ExpressionError:
        return node.text
    return float(value) if isinstance(value, int | float) else node.text


def _name(step: Step, scope: Scope) -> str:
    if step.name is not None:
        return scope.show(raw(step.name))
    if step.uses is not None:
        return f"Run {step.uses.text}"
    if step.run is not None:
        first = next((line for line in raw(step.run).splitlines() if line.strip()), "")
        return f"Run {scope.show(first.strip())}"
    return f"step {step.index + 1}"


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
    from grind.workflows.conditions import condition_for

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
    earlier: tuple[StepPlan, ...],
) -> Finding:
    if source.run is None:
        return _judge_uses(inputs, source, scope, earlier)
    if inputs.waits_for(source.shell):
        reason = f"its shell {source.shell} is known later"
        return Finding(Verdict.EXECUTED, _class_of(inputs, step, source), reason, open=True)
    provided = any(s.recipe is not None and s.recipe.kind == "provide" for s in earlier)
    return judge_run(
        source,
        raw(step.name),
        scope,
        inputs.facts,
        secret_env=inputs.secret_env,
        where=inputs.where(step),
        provided=provided,
        secret_inputs=inputs.within.secret_inputs if inputs.within is not None else frozenset(),
    )


def _judged(facts: Facts, uses: str, *inputs: tuple[str, str]) -> Judgement:
    return judge(uses, dict(inputs), facts)


def _judge_uses(
    inputs: StepInputs, source: StepSource, scope: Scope, earlier: tuple[StepPlan, ...]
) -> Finding:
    folder = local_action(source.uses)
    if folder is not None:
        return Finding(Verdict.EXECUTED, StepClass.CHECK, calls=folder)
    shown = {name: scope.show(value) for name, value in source.with_.items()}
    judged = inputs.facts.round(_judged, inputs.facts, source.uses, *shown.items())
    if judged.hole and inputs.waits_for(*_given(source, judged.hole)):
        reason = f"judged when its input `{judged.hole}` is known"
        return Finding(Verdict.EXECUTED, judged.klass, reason, open=True)
    if judged.after_checkout and not any(map(_checks_out, earlier)):
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


def _checks_out(step: StepPlan) -> bool:
    return step.recipe is not None and step.recipe.kind == "checkout" and not step.held

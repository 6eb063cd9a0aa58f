"""Lower one step: what it would run, what it is for, and what becomes of it here."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import NamedTuple

from grind.core.config import Config, VerdictRule
from grind.core.plan import Recipe, StepClass, StepPlan, StepSource, Verdict
from grind.workflows.actions import judge
from grind.workflows.classify import classify_run
from grind.workflows.conditions import statuses
from grind.workflows.expressions import UNKNOWN, ExpressionError, UnknownValueError, truthy
from grind.workflows.facts import Facts, toml_text
from grind.workflows.gating import can_fail
from grind.workflows.nodes import raw, raw_map, to_value
from grind.workflows.scope import Scope, secrets_in
from grind.workflows.shells import resolve_shell
from grind.workflows.syntax import Job, Scalar, Step, Workflow


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


class _Finding(NamedTuple):
    verdict: Verdict
    klass: StepClass
    reason: str = ""
    remedy: str = ""
    recipe: Recipe | None = None
    gating: bool = True
    gating_reason: str = ""


def lower_step(inputs: StepInputs, step: Step, earlier: tuple[StepPlan, ...]) -> StepPlan:
    """Return the plan of one step; `earlier` are the job's steps before it."""
    scope = _scope(inputs, earlier)
    source = _source(inputs, step, scope)
    finding = _settled(inputs, step, source, scope) or _judge(inputs, step, source, scope)
    if inputs.job_continue_on_error and finding.gating:
        finding = finding._replace(gating=False, gating_reason="continue-on-error of the job")
    elif source.continue_on_error is True and finding.gating:
        finding = finding._replace(gating=False, gating_reason="continue-on-error of the step")
    return StepPlan(
        index=step.index,
        id=raw(step.id),
        name=_name(step, scope),
        run=None if source.run is None else scope.show(source.run),
        uses=raw(step.uses) if step.uses is not None else None,
        shell=source.shell,
        working_directory=scope.show(source.working_directory),
        env={name: scope.show(value) for name, value in source.env.items()},
        klass=finding.klass,
        gating=finding.gating,
        gating_reason=finding.gating_reason,
        verdict=finding.verdict,
        reason=finding.reason,
        remedy=finding.remedy,
        line=step.mark.line,
        source=source,
        recipe=finding.recipe,
    )


def _scope(inputs: StepInputs, earlier: tuple[StepPlan, ...]) -> Scope:
    """What is known of a step before anything ran: an earlier step may have set any variable."""
    quiet = all(s.recipe is not None and s.recipe.kind == "checkout" for s in earlier)
    env: object = UNKNOWN
    if quiet:
        known: dict[str, object] = {}
        for layer in (inputs.workflow.env, inputs.job.env):
            for name, text in raw_map(layer).items():
                known[name] = _value_or_unknown(inputs.scope.having(env=dict(known)), text)
        env = known
    return inputs.scope.having(env=env, steps=UNKNOWN if earlier else {}, job=UNKNOWN)


def _value_or_unknown(scope: Scope, text: str) -> object:
    try:
        return scope.text(text)
    except ExpressionError:
        return UNKNOWN


def _source(inputs: StepInputs, step: Step, scope: Scope) -> StepSource:
    job, workflow = inputs.job, inputs.workflow
    shell = step.shell or job.defaults.shell or workflow.defaults.shell
    folder = (
        step.working_directory
        or job.defaults.working_directory
        or workflow.defaults.working_directory
    )
    is_run = step.run is not None
    return StepSource(
        if_=raw(step.if_),
        name=raw(step.name),
        run=step.run.text if step.run is not None else None,
        uses=raw(step.uses),
        with_=raw_map(step.with_),
        shell=scope.show(raw(shell)) if is_run else "",
        working_directory=raw(folder) if is_run else "",
        env=raw_map(step.env),
        continue_on_error=_boolean(step.continue_on_error, scope),
        timeout_minutes=_number(step.timeout_minutes, scope),
    )


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
        return float(to_value(node, scope))
    except (ExpressionError, TypeError, ValueError):
        return node.text


def _name(step: Step, scope: Scope) -> str:
    if step.name is not None:
        return scope.show(step.name.text)
    if step.uses is not None:
        return f"Run {step.uses.text}"
    if step.run is not None:
        first = next((line for line in step.run.text.splitlines() if line.strip()), "")
        return f"Run {scope.show(first.strip())}"
    return f"step {step.index + 1}"


def _settled(inputs: StepInputs, step: Step, source: StepSource, scope: Scope) -> _Finding | None:
    """What grind.toml or the step's own condition says, before anything else is looked at."""
    klass = _class_of(step, source)
    try:
        if not statuses(source.if_, scope.contexts, scope.functions):
            reason = f"if: {source.if_} is false, as in CI"
            return _Finding(
                Verdict.SKIPPED, klass, reason, gating=False, gating_reason="CI skips it too"
            )
    except UnknownValueError:
        pass  # decided when it is known
    except ExpressionError as error:
        return _Finding(Verdict.REFUSED, klass, f"if: {error}")
    rule = matching_rule(inputs.config, inputs.workflow, inputs.job, step)
    if rule is None:
        return None
    return _by_rule(inputs, rule, source, klass)


def _by_rule(
    inputs: StepInputs, rule: VerdictRule, source: StepSource, klass: StepClass
) -> _Finding:
    verdict = Verdict(rule.verdict)
    if verdict is Verdict.OVERRIDDEN:
        recipe = Recipe(
            kind="run" if rule.run else "nothing",
            script=rule.run or "",
            env=dict(rule.env),
            outputs=dict(rule.outputs),
        )
        return _Finding(verdict, klass, rule.reason, recipe=recipe)
    if verdict is Verdict.SATISFIED:
        recipe = Recipe(kind="nothing", outputs=dict(rule.outputs))
        if rule.check is None:
            return _Finding(verdict, klass, rule.reason, recipe=recipe)
        answer = inputs.facts.ask(("bash", "-c", rule.check))
        if answer is not None and answer.exit_code == 0:
            return _Finding(verdict, klass, f"{rule.reason} (`{rule.check}` passes)", recipe=recipe)
        reason = f"`{rule.check}` fails on this host ({rule.reason})"
        return _Finding(Verdict.REFUSED, klass, reason, f"make `{rule.check}` pass on the host")
    if verdict is Verdict.EXECUTED and source.run is None:
        return _Finding(
            Verdict.REFUSED,
            klass,
            "grind.toml says `executed` of a `uses:` step, which has nothing to run",
            'use verdict = "overridden" with run = "…"',
        )
    return _Finding(verdict, klass, rule.reason)


def _class_of(step: Step, source: StepSource) -> StepClass:
    if source.run is None:
        return StepClass.PROVISION
    return classify_run(raw(step.name), source.run, source.shell).klass


def _judge(inputs: StepInputs, step: Step, source: StepSource, scope: Scope) -> _Finding:
    if step.control is not None or step.background is not None:
        what = step.control[0] if step.control else "background"
        return _Finding(
            Verdict.REFUSED, StepClass.CHECK, f"parallel steps (`{what}`) are not done here yet"
        )
    if source.run is not None:
        return _judge_run(inputs, step, source, scope)
    return _judge_uses(inputs, source, scope)


def _judge_uses(inputs: StepInputs, source: StepSource, scope: Scope) -> _Finding:
    shown = {name: scope.show(value) for name, value in source.with_.items()}
    judged = judge(source.uses, shown, inputs.facts)
    return _Finding(
        judged.verdict,
        judged.klass,
        judged.reason,
        judged.remedy,
        judged.recipe,
        judged.gating,
        judged.gating_reason,
    )


def _judge_run(inputs: StepInputs, step: Step, source: StepSource, scope: Scope) -> _Finding:
    text = source.run or ""
    found = classify_run(raw(step.name), scope.show(text), source.shell)
    gating = can_fail(text, source.shell)
    finding = _Finding(
        Verdict.EXECUTED, found.klass, gating=gating.gating, gating_reason=gating.reason
    )
    if found.klass is StepClass.DEPLOY:
        return finding._replace(verdict=Verdict.SKIPPED, reason=found.reason)
    if found.klass is StepClass.NOTIFY:
        reason = f"only tells somebody ({found.reason}): never executed"
        return finding._replace(verdict=Verdict.SKIPPED, reason=reason)
    where = _selector(inputs, step)
    if found.klass is StepClass.PROVISION:
        return finding._replace(
            verdict=Verdict.REFUSED,
            reason=f"changes the machine: {found.reason}",
            remedy=f'{where}verdict = "satisfied-by-host"\ncheck = "command -v …"\nreason = "…"',
        )
    secrets = _secrets(inputs, source)
    if secrets:
        return finding._replace(
            verdict=Verdict.SKIPPED,
            reason=f"uses the secret {', '.join(secrets)}: never run here",
            remedy=f'{where}verdict = "overridden"\nrun = "…"\nreason = "…"',
        )
    shell = resolve_shell(source.shell)
    if shell.problem:
        return finding._replace(verdict=Verdict.REFUSED, reason=shell.problem)
    if shell.check is not None:
        answer = inputs.facts.ask(shell.check)
        if answer is None or answer.exit_code != 0:
            return finding._replace(
                verdict=Verdict.REFUSED,
                reason=f"shell {source.shell or 'bash'} is not on this host",
                remedy=f"put `{shell.check[0]}` on the host's PATH",
            )
    return _broken(source, scope, finding)


def _broken(source: StepSource, scope: Scope, finding: _Finding) -> _Finding:
    """Refuse a step whose expressions cannot be evaluated whatever is learned later."""
    fields = {"run": source.run or "", "working-directory": source.working_directory}
    for key, text in (fields | source.env).items():
        try:
            scope.text(text)
        except UnknownValueError:
            continue
        except ExpressionError as error:
            return finding._replace(verdict=Verdict.REFUSED, reason=f"{key}: {error}")
    return finding


def _secrets(inputs: StepInputs, source: StepSource) -> tuple[str, ...]:
    """Return what secrets the step itself uses, directly or by a variable of its job."""
    direct = secrets_in((source.run or "", *source.env.values()))
    text = source.run or ""
    named = tuple(
        f"in ${name}"
        for name in sorted(inputs.secret_env)
        if f"${name}" in text or f"${{{name}" in text or f"env.{name}" in text
    )
    return direct + named


def _selector(inputs: StepInputs, step: Step) -> str:
    file = inputs.workflow.path.rpartition("/")[2]
    name = step.id or step.name
    which = toml_text(name.text) if name is not None else str(step.index)
    job = toml_text(inputs.job.id)
    return f"[[verdict]]\nworkflow = {toml_text(file)}\njob = {job}\nstep = {which}\n"


def matching_rule(config: Config, workflow: Workflow, job: Job, step: Step) -> VerdictRule | None:
    """Return the first `[[verdict]]` of grind.toml that selects this step."""
    for rule in config.verdict:
        if rule.uses is not None and not fnmatchcase(raw(step.uses), rule.uses):
            continue
        if rule.workflow is not None and not (
            fnmatchcase(workflow.path, rule.workflow)
            or fnmatchcase(workflow.path.rpartition("/")[2], rule.workflow)
        ):
            continue
        if rule.job is not None and job.id.lower() != rule.job.lower():
            continue
        if rule.step is not None and rule.step not in (
            raw(step.id) or None,
            raw(step.name) or None,
            step.index,
        ):
            continue
        return rule
    return None

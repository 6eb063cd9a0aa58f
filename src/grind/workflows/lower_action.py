"""Lower a job's steps, and with a call of the repository's own composite action the action's steps.

The steps of an action follow the step that calls it, with its index as their `parent`. What cannot
be followed refuses the call: an action of another kind, one that is broken, a circle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec.structs import replace

from grind.core.plan import ActionCall, StepClass, StepPlan, Verdict
from grind.core.remedy import verdict_rule
from grind.workflows.action import Action, read_action
from grind.workflows.availability import check_expressions
from grind.workflows.earlier import Earlier
from grind.workflows.expressions import UNKNOWN, ExpressionError, Object
from grind.workflows.facts import Facts
from grind.workflows.literals import string_of
from grind.workflows.lower_same import same_key
from grind.workflows.lower_step import lower_step
from grind.workflows.nodes import raw, raw_map
from grind.workflows.parallel import control_plan, in_background, is_background, unfold
from grind.workflows.scope import Scope, inputs_in, secrets_in
from grind.workflows.step_inputs import StepInputs, Within
from grind.workflows.syntax import Step

DEPTH: Final = 10
"""Composite actions within each other (`Constants.CompositeActionsMaxDepth` of the runner)."""
_MOST_STEPS: Final = 5000
"""Steps of one job, more than which are not followed: calls of calls grow fast."""
_NAMES: Final = ("action.yml", "action.yaml")


def lower_steps(
    inputs: StepInputs, steps: Iterable[Step], earlier: Earlier | None = None
) -> tuple[StepPlan, ...]:
    """Return the plans of `steps`, and of the steps of the actions that they call.

    `earlier` are the job's steps before them, and have these added.
    """
    earlier = earlier if earlier is not None else Earlier()
    first = len(earlier)
    for step, members in unfold(steps):
        if step.control is not None:
            earlier.add(_control(inputs, step, earlier, members))
            continue
        plan = _lower(inputs, step, earlier)
        if is_background(step):
            plan = in_background(plan, earlier, inputs.where(step))
        if plan.call is None:
            earlier.add(plan)
        else:
            _call(inputs, step, plan, earlier)
    return earlier.since(first)


def _control(inputs: StepInputs, step: Step, earlier: Earlier, members: int) -> StepPlan:
    plan = control_plan(step, earlier, members)
    if inputs.job_continue_on_error:
        return replace(plan, gating=False, gating_reason="continue-on-error of the job")
    if plan.source.continue_on_error is True:
        return replace(plan, gating=False, gating_reason="continue-on-error of the step")
    return plan


def _lower(inputs: StepInputs, step: Step, earlier: Earlier) -> StepPlan:
    """Return the plan of one step; that of another combination, where nothing tells them apart.

    What asked the host nothing is the same in the next round of questions too.
    """
    # A member of a `parallel` is made anew each time, so it cannot be known again by what it is.
    own = inputs.kept is None or step.background is not None
    key = None if own else same_key(inputs, step, earlier)
    if key is None or inputs.kept is None:
        return lower_step(inputs, step, earlier)
    found = inputs.kept.find(key)
    if found is None:
        asked = inputs.facts.asked
        found = lower_step(inputs, step, earlier)
        inputs.kept.keep(key, found, lasting=inputs.facts.asked == asked)
    return found


class _Unfollowed(Exception):  # noqa: N818 - an answer, not an error
    pass


def _call(inputs: StepInputs, step: Step, plan: StepPlan, earlier: Earlier) -> None:
    """Add the plans of a step that calls an action of the repository, and of the action's."""
    folder = plan.call.path if plan.call is not None else ""
    try:
        action = _find(inputs, folder, earlier)
    except _Unfollowed as why:
        remedy = verdict_rule("overridden", {"uses": raw(step.uses)}, run=_RUN)
        earlier.add(
            replace(plan, verdict=Verdict.REFUSED, reason=str(why), remedy=remedy, call=None)
        )
        return
    given = _given(step, action)
    call = ActionCall(
        path=folder,
        inputs=given,
        outputs={raw(one.name): raw(one.value) for one in action.outputs},
    )
    plan = replace(plan, call=call)
    inner = _inside(inputs, step, plan, action, first=not earlier)
    earlier.add(plan)
    own = lower_steps(inner, action.steps, earlier)
    earlier.sum_up(_summed_up(plan, own, action.path))


_RUN: Final = "a command that does the same"


def _find(inputs: StepInputs, folder: str, earlier: Earlier) -> Action:
    """Return the action in a folder of the repository. Raises _Unfollowed with the reason."""
    folders = inputs.within.folders if inputs.within is not None else ()
    shown = f"./{folder}"
    if "${{" in folder or ".." in folder.split("/"):
        raise _Unfollowed(f"{shown} names no folder of the repository")
    if folder in folders:
        raise _Unfollowed(f"a circle: {' → '.join(f'./{f}' for f in (*folders, folder))}")
    if len(folders) >= DEPTH:
        raise _Unfollowed(f"{shown} is called from {DEPTH} actions, more than GitHub allows")
    if len(earlier) > _MOST_STEPS:
        raise _Unfollowed(f"the job has more than {_MOST_STEPS} steps with those of its actions")
    elsewhere = _other_checkout(folder, earlier.checkouts)
    if elsewhere:
        raise _Unfollowed(elsewhere)
    action = _read(inputs.facts, folder)
    if action.kind != "composite":
        raise _Unfollowed(f"{shown} is a {action.using or 'broken'} action, which is not run here")
    return action


def _other_checkout(folder: str, paths: set[str]) -> str:
    """Why the action's folder in the workspace is not the one in the repository, or nothing."""
    if not paths:
        return f"./{folder} is called before the repository is checked out"
    if "" not in paths:
        return f"./{folder} is not where the repository is checked out ({', '.join(sorted(paths))})"
    return ""


def _read(facts: Facts, folder: str) -> Action:
    for name in _NAMES:
        path = f"{folder}/{name}" if folder else name
        source = facts.read(path)
        if source is None:
            continue
        reading = read_action(path, source.encode())
        problems = reading.problems
        if reading.action is not None and not problems:
            problems = check_expressions(reading.action)
        if problems or reading.action is None:
            raise _Unfollowed(f"GitHub would refuse it: {'; '.join(map(str, problems[:3]))}")
        return reading.action
    raise _Unfollowed(f"the snapshot has no {' or '.join(_NAMES)} in {folder or 'its root'}")


def _given(step: Step, action: Action) -> dict[str, str]:
    """Return the templates of the action's inputs; what is not given has its default.

    As the runner: nothing is refused for want of a `required` input, and inputs that the action
    does not declare reach it too.
    """
    given = raw_map(step.with_)
    names = {name.lower() for name in given}
    for one in action.inputs:
        name = raw(one.name)
        if name.lower() not in names:
            given[name] = string_of(one.default) if one.default is not None else ""
    return given


def _inside(
    inputs: StepInputs, step: Step, plan: StepPlan, action: Action, *, first: bool
) -> StepInputs:
    """Return what the action's own steps depend on; `first` says that no step is before."""
    outer = inputs.within
    scope = inputs.scope.having(steps={} if first else UNKNOWN, env=Object(complete=False))
    if outer is not None:
        scope = outer.inside(scope)
    call = plan.call or ActionCall(path="")
    hidden = outer.secret_inputs if outer is not None else frozenset()
    env = raw_map(step.env)
    forgiven = (outer.forgiven if outer is not None else "") or (
        "continue-on-error of the step that calls it"
        if plan.source.continue_on_error is True
        else ""
    )
    return inputs._replace(
        secret_env=inputs.secret_env | {n for n, v in env.items() if _hides(v, hidden)},
        within=Within(
            file=action.path,
            folders=(*(outer.folders if outer is not None else ()), call.path),
            parent=plan.index,
            inputs=_known(call.inputs, scope),
            env={**(outer.env if outer is not None else {}), **_known(env, scope)},
            secret_inputs=frozenset(n.lower() for n, v in call.inputs.items() if _hides(v, hidden)),
            forgiven=forgiven,
        ),
    )


def _hides(template: str, secret_inputs: frozenset[str]) -> bool:
    return bool(secrets_in((template,)) or inputs_in((template,), secret_inputs))


def _known(templates: Mapping[str, str], scope: Scope) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for name, template in templates.items():
        try:
            known[name] = scope.text(template)
        except ExpressionError:
            known[name] = UNKNOWN
    return known


def _summed_up(plan: StepPlan, own: tuple[StepPlan, ...], file: str) -> StepPlan:
    """Give the calling step what follows from the action's own steps."""
    inner = [step for step in own if step.parent == plan.index]
    refused = next((step for step in inner if step.verdict is Verdict.REFUSED), None)
    if refused is not None:
        at = (
            refused.reason
            if refused.call is not None
            else f"{file}:{refused.line}: {refused.reason}"
        )
        plan = replace(plan, verdict=Verdict.REFUSED, reason=at, remedy=refused.remedy)
    else:
        plan = replace(plan, reason=f"the steps of {file}")
    gates = plan.gating and (not inner or any(step.gating for step in inner))
    return replace(
        plan,
        klass=class_of(step.klass for step in inner if not step.held),
        gating=gates,
        gating_reason=plan.gating_reason
        if gates or plan.gating_reason
        else "none of its steps can fail",
    )


def class_of(classes: Iterable[StepClass]) -> StepClass:
    """Return what several steps are for in all: whatever weighs most."""
    found = list(classes)
    for klass in (StepClass.DEPLOY, StepClass.E2E, StepClass.CHECK, StepClass.BUILD):
        if klass in found:
            return klass
    return found[0] if found else StepClass.CHECK

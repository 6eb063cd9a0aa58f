"""Parallel steps: `background`, `wait`, `wait-all`, `cancel`, and groups of `parallel`.

As GitHub has them since June 2026, by its documentation and by the runner's own text
(actions/runner, BackgroundStepCoordinator): what a background step wrote, and that it has failed,
is known to the others when a `wait` or `cancel` has named it; the end of the job waits for all; a
failure counts at the end of the job even where the `wait` forgives it; who was told to end and did
has failed nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec.structs import replace

from grind.core.plan import StepClass, StepPlan, StepSource, Verdict
from grind.core.remedy import verdict_rule
from grind.workflows.earlier import Earlier
from grind.workflows.nodes import raw
from grind.workflows.syntax import Data, Scalar, Seq, Step

MOST: Final = 10
"""Steps that may run in the background at once; GitHub makes the eleventh wait for a place."""

_BEHIND: Final = 1000
"""More steps than a job has: the members of the group at `i` are numbered from `(i + 1) * this`."""


_NAMES: Final = {
    "wait": "Wait for",
    "wait-all": "Wait for all:",
    "cancel": "Cancel",
    "parallel": "Wait for the group:",
}


def unfold(steps: Iterable[Step]) -> Iterator[tuple[Step, int]]:
    """Yield the steps of a job as they run, each with the number of a group's members before it.

    A group is its members, in the background, and a `wait` for them: only that has a number.
    """
    for step in steps:
        if step.control is None or step.control[0] != "parallel":
            yield step, 0
            continue
        for place, member in enumerate(step.parallel):
            background = Scalar(value=True, text="true", mark=member.mark)
            # A rule of grind.toml that selects by number must select one step of the job.
            number = _BEHIND * (step.index + 1) + place
            yield replace(member, background=background, index=number), 0
        yield step, len(step.parallel)


def is_background(step: Step) -> bool:
    """Whether a step runs in the background; `background: false` says that it does not."""
    return step.background is not None and step.background.value is not False


def control_plan(step: Step, earlier: Earlier, members: int) -> StepPlan:
    """Return the plan of a step that waits for others or ends them; `members` counts the steps of
    the group that a `parallel` ends with."""
    kind, value = step.control if step.control is not None else ("", None)
    targets = _targets(kind, value, earlier, members)
    names = ", ".join(earlier[index].name for index in targets) or "nothing"
    plan = StepPlan(
        index=len(earlier),
        id=raw(step.id),
        name=raw(step.name) or f"{_NAMES[kind]} {names}",
        run=None,
        uses=None,
        shell="",
        working_directory="",
        env={},
        klass=StepClass.CHECK,
        gating=True,
        verdict=Verdict.EXECUTED,
        line=step.mark.line,
        source=StepSource(
            name=raw(step.name),
            continue_on_error=_flag(step.continue_on_error),
        ),
        control="cancel" if kind == "cancel" else "wait",
        targets=targets,
    )
    at = next((i for i in targets if i in earlier.cancelled), None)
    if kind == "wait" and at is not None:
        reason = f"waits for a step that is cancelled above: {earlier[at].name}"
        return replace(
            plan, verdict=Verdict.REFUSED, reason=f"{reason}; GitHub need not wait for it"
        )
    return plan


def in_background(plan: StepPlan, earlier: Earlier, where: Mapping[str, str | int]) -> StepPlan:
    """Return the plan of a step that runs in the background, or its refusal."""
    if plan.verdict in (Verdict.SKIPPED, Verdict.REFUSED):
        return replace(plan, background=True)
    if plan.call is not None:
        return _refused(
            plan, "an action of the repository in the background is not followed here", where
        )
    if plan.recipe is not None and plan.recipe.kind == "checkout":
        return _refused(plan, "a checkout in the background is not done here", where)
    if len(earlier.open) >= MOST:
        reason = f"more than {MOST} steps may be in the background at once: GitHub lets it wait"
        return _refused(plan, f"{reason}, which is not done here", where)
    return replace(plan, background=True)


def _targets(kind: str, value: Data | None, earlier: Earlier, members: int) -> tuple[int, ...]:
    if kind == "parallel":
        return tuple(range(len(earlier) - members, len(earlier)))
    if kind == "wait-all":
        return tuple(earlier.open)
    items = value.items if isinstance(value, Seq) else (value,)
    wanted = {item.text.lower() for item in items if isinstance(item, Scalar)}
    # What is not in the background has ended already: GitHub's runner passes it over.
    return tuple(earlier.in_background(wanted))


def _flag(node: Scalar | None) -> bool | str:
    if node is None:
        return False
    return node.value if isinstance(node.value, bool) else node.text


def _refused(plan: StepPlan, reason: str, where: Mapping[str, str | int]) -> StepPlan:
    remedy = verdict_rule("overridden", where, run="a command that does the same")
    return replace(
        plan, verdict=Verdict.REFUSED, reason=reason, remedy=remedy, call=None, recipe=None
    )

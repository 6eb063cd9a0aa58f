"""What lowering a step asks of the steps of its job before it; kept as they are lowered.

Each question costs the same however many steps there are.
"""

from __future__ import annotations

from collections.abc import Iterable

from grind.core.plan import StepPlan


class Earlier:
    """The steps of a job that are lowered, in order, those of its actions among them."""

    def __init__(self) -> None:
        self._steps: list[StepPlan] = []
        self.quiet = True
        """Whether none of them can set a variable: they check out, or call an action, whose own
        steps are among them."""
        self.provided = False
        """Whether one puts a program in place of a step."""
        self.checked_out = False
        """Whether one checks the repository out, wherever to."""
        self.checkouts: set[str] = set()
        """The folders of the workspace that are checked out to, with those of steps that CI skips."""
        self.open: dict[int, None] = {}
        """Indices of background steps that nobody has waited for, in order."""
        self.cancelled: set[int] = set()
        """Indices of the steps that another tells to end."""
        self._background: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._steps)

    def __getitem__(self, index: int) -> StepPlan:
        return self._steps[index]

    def since(self, index: int) -> tuple[StepPlan, ...]:
        """Return the steps from this index on."""
        return tuple(self._steps[index:])

    def add(self, step: StepPlan) -> None:
        """The next step is lowered."""
        self._steps.append(step)
        recipe = step.recipe
        kind = recipe.kind if recipe is not None else ""
        self.quiet = self.quiet and (step.call is not None or kind == "checkout")
        self.provided = self.provided or kind == "provide"
        if recipe is not None and kind == "checkout":
            self.checked_out = self.checked_out or not step.held
            self.checkouts.add(recipe.env.get("path", "").strip("/"))
        if step.background:
            self.open[step.index] = None
            self._background.setdefault(step.id.lower(), []).append(step.index)
        for target in step.targets if step.control else ():
            self.open.pop(target, None)
        if step.control == "cancel":
            self.cancelled.update(step.targets)

    def sum_up(self, caller: StepPlan) -> None:
        """Put what follows from an action's own steps into the plan of the step that calls it."""
        self._steps[caller.index] = caller

    def in_background(self, ids: Iterable[str]) -> list[int]:
        """Return the indices of the background steps with these ids (lower case), in order."""
        return sorted(index for name in set(ids) for index in self._background.get(name, ()))

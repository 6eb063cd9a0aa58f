"""What lowering finds out about one step."""

from __future__ import annotations

from typing import NamedTuple

from grind.core.plan import Recipe, StepClass, Verdict


class Finding(NamedTuple):
    """Verdict, class and gating of a step, each with its reason."""

    verdict: Verdict
    klass: StepClass
    reason: str = ""
    remedy: str = ""
    recipe: Recipe | None = None
    gating: bool = True
    gating_reason: str = ""
    held: bool = False
    """Whether its condition is false whatever happens."""
    open: bool = False
    """Whether it is judged again when more is known."""
    calls: str | None = None
    """Folder of the repository's own action that the step calls, which is still to be lowered."""

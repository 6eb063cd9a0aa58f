"""Whether a step that ended well ran the tests that it is there for (F20). Pure."""

from __future__ import annotations

from grind.workflows.moves import StepResult


def shortfall(ran: int | None, wanted: int | None, *, filtered: bool) -> str:
    """Return why the step has proven too little, or nothing.

    `ran` is the number of tests its output tells of, None when it tells of none; `wanted` what
    grind.toml asks for; `filtered` says that the step selects tests by name.
    """
    if wanted is None:
        return "ran no test: its filter matches nothing" if filtered and ran == 0 else ""
    if ran is not None and ran >= wanted:
        return ""
    said = "an unknown number of" if ran is None else str(ran)
    return f"ran {said} tests, and grind.toml wants at least {wanted}"


def failed(result: StepResult, reason: str) -> StepResult:
    """Return the result of a step that ended well, as a failure; it may be forgiven."""
    forgiven = result.step.source.continue_on_error is True
    return result._replace(
        outcome="failure", conclusion="success" if forgiven else "failure", reason=reason
    )

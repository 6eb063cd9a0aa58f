"""What can be asked of a service: a check, and how it came out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

PASS, WARN, FAIL = "pass", "warn", "fail"

LONGEST_OUTPUT = 500  # characters: an answer is for a glance, the log has the rest


class CheckFailed(Exception):  # noqa: N818 (read in a check as a statement: raise CheckFailed)
    """Raised by a check that failed with a reason that the whole world may read.

    The text of every other exception stays in the log: it may name users, paths or passwords.
    """


class Outcome(NamedTuple):
    """How a check came out. `output` is public, `milliseconds` is what it took, `at` Unix time."""

    status: str
    output: str = ""
    milliseconds: float = 0.0
    at: float = 0.0


CheckFunction = Callable[[], "Outcome | bool | Awaitable[Outcome | bool | None] | None"]


class Check(NamedTuple):
    """One question, asked with `function` (sync or async) for at most `timeout` seconds.

    A check passes when it returns None, True or `passed()`; it fails when it returns False or
    `failed()`, raises, or is not done in time. A check that is not `critical` can only warn.
    """

    name: str
    function: CheckFunction
    timeout: float = 2.0
    critical: bool = True


def passed(output: str = "") -> Outcome:
    """Say that all is well, with a remark for the reader."""
    return Outcome(PASS, output)


def warned(output: str) -> Outcome:
    """Say that the service works, but somebody should look."""
    return Outcome(WARN, output)


def failed(output: str) -> Outcome:
    """Say that it does not work, with a reason that the whole world may read."""
    return Outcome(FAIL, output)


def check_problem(check: Check) -> str:
    """Return what is wrong with how `check` was written, or an empty string."""
    if not check.name or not check.name.isprintable():
        return f"check {check.name!r}: expected a printable name"
    function: object = check.function  # of that type only if the caller's types were checked
    if not callable(function):
        return f"check {check.name!r}: {type(function).__name__} cannot be called"
    if not 0 < check.timeout <= 3600:  # also refuses NaN
        return f"check {check.name!r}: timeout {check.timeout!r}: expected 0 < seconds <= 3600"
    return ""


def is_async(function: object) -> bool:
    """Tell whether calling `function` gives something to await (partials and objects too)."""
    import inspect  # heavy, and only needed where there are checks

    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
        getattr(function, "__call__", None)  # noqa: B004 (not whether it is callable, but how)
    )


def from_return(value: Any) -> Outcome:
    """Read what a check returned. Anything but the documented values is a failure, not a guess."""
    if value is None or value is True:
        return Outcome(PASS)
    if value is False:
        return Outcome(FAIL, "the check returned False")
    if isinstance(value, Outcome) and value.status in (PASS, WARN, FAIL):
        return value
    return Outcome(FAIL, f"the check returned {type(value).__name__}, which is no outcome")


def from_exception(check: Check, error: BaseException) -> Outcome:
    """Read what a check raised: its class is shown, its text only when it was meant to be."""
    if isinstance(error, CheckFailed):
        return Outcome(FAIL, str(error) or "failed")
    import logging  # not at start-up: a healthy service may never need it

    logging.getLogger("grind_health").warning("check %s failed", check.name, exc_info=error)
    return Outcome(FAIL, type(error).__name__)

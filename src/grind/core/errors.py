"""Expected errors: values with an exit code, that leave through one door (`grind.cli`).

An expected error says what is wrong, where, and what to do next. It is never a traceback.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class ExitCode(IntEnum):
    """What a grind process says when it ends (documented in docs/exit-codes.md)."""

    DONE = 0
    STEP_FAILED = 1
    USAGE = 2
    REFUSED = 3
    DRIFT = 4
    ROLLED_BACK = 5
    ROLLBACK_FAILED = 6
    UNREACHABLE = 7
    CI_FLAKY = 20
    CI_HOLLOW = 21
    CI_SUPERSEDED = 22
    CI_TIMED_OUT = 23
    CI_ACTION_REQUIRED = 24
    CI_STARTUP_FAILURE = 25
    CI_NONE_EXPECTED = 26
    CI_NOT_CREATED = 27
    CRASHED = 70
    PAUSED = 75
    INTERRUPTED = 130
    PIPE_CLOSED = 141

    @property
    def meaning(self) -> str:
        """One sentence for docs/exit-codes.md."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.DONE: "Done, or proven.",
    ExitCode.STEP_FAILED: "A gating step failed, here or in CI.",
    ExitCode.USAGE: "The command line or the configuration is wrong; nothing was begun.",
    ExitCode.REFUSED: "Refused by the gate or a policy; the message names what is missing.",
    ExitCode.DRIFT: "What runs, what is built and what CI does differ.",
    ExitCode.ROLLED_BACK: "An activation failed and the host is back on its recorded generation.",
    ExitCode.ROLLBACK_FAILED: "An activation failed and so did going back: act now.",
    ExitCode.UNREACHABLE: "A host or the forge cannot be reached.",
    ExitCode.CI_FLAKY: "CI is green, but not at the first attempt.",
    ExitCode.CI_HOLLOW: "CI is green without having run what it should: skipped, or no command.",
    ExitCode.CI_SUPERSEDED: "CI was cancelled, because a newer run took its place.",
    ExitCode.CI_TIMED_OUT: "CI ran into its time limit.",
    ExitCode.CI_ACTION_REQUIRED: "CI waits for somebody's approval.",
    ExitCode.CI_STARTUP_FAILURE: "CI could not start a workflow: its file is not valid there.",
    ExitCode.CI_NONE_EXPECTED: "No workflow runs for this commit, so nothing has tested it.",
    ExitCode.CI_NOT_CREATED: "A workflow that should run for this commit was not started.",
    ExitCode.CRASHED: "A fault in grind itself; the message says where its traceback is.",
    ExitCode.PAUSED: "Paused (a full disk, CI that is not over, …); the same command goes on.",
    ExitCode.INTERRUPTED: "Interrupted by the operator (Ctrl-C).",
    ExitCode.PIPE_CLOSED: "Whoever read the output has gone away (`grind log | head`).",
}


class Problem(NamedTuple):
    """One thing that is wrong with an input, at a place a person can go to."""

    file: str
    line: int | None
    column: int | None
    message: str
    expected: str = ""

    def __str__(self) -> str:
        """Render as `file:line:column: message (expected …)`, the form editors can follow."""
        place = self.file
        if self.line is not None:
            place += f":{self.line}"
            if self.column is not None:
                place += f":{self.column}"
        expected = f" (expected {self.expected})" if self.expected else ""
        return f"{place}: {self.message}{expected}"


class GrindError(Exception):
    """An expected error. `message` is for a person, `remedy` is the next thing to type or edit."""

    code: ExitCode = ExitCode.USAGE

    def __init__(self, message: str, *, remedy: str = "", code: ExitCode | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        if code is not None:
            self.code = code


class ProblemsError(GrindError):
    """Bad input, with all its problems at once."""

    def __init__(self, what: str, problems: tuple[Problem, ...], *, remedy: str = "") -> None:
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"{what}\n{lines}", remedy=remedy)
        self.problems = problems


class RefusedError(GrindError):
    """The gate or a policy says no; the remedy names the command that supplies what is missing."""

    code = ExitCode.REFUSED


class UnreachableError(GrindError):
    """A host or the forge does not answer."""

    code = ExitCode.UNREACHABLE


class LimitedError(UnreachableError):
    """The forge answers, but wants to be left alone for `seconds`."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message, remedy="wait, or give a token with a higher limit")
        self.seconds = seconds


class InterruptedRunError(GrindError):
    """The operator stopped it."""

    code = ExitCode.INTERRUPTED

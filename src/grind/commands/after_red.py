"""After a red run of CI, or a revision that does not answer: the rollback plan, and nothing more,
unless it was asked for before (`--rollback-on-red`)."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from grind.core.errors import ExitCode, GrindError
from grind.core.texts import one_line

if TYPE_CHECKING:
    from grind.flows.basis import Basis
    from grind.wiring import Session

_RED = (
    ExitCode.STEP_FAILED,
    ExitCode.CI_TIMED_OUT,
    ExitCode.CI_STARTUP_FAILURE,
)
"""What says that the commit is bad. Flaky, hollow, superseded, paused and their kin do not."""


def add_red_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--rollback-on-red`."""
    parser.add_argument(
        "--rollback-on-red",
        action="store_true",
        help="when the commit is red, carry out the rollback plan that is otherwise only shown",
    )


def after_red(
    session: Session, args: argparse.Namespace, basis: Basis, commit: str, code: int
) -> int:
    """Show how to roll the commit back, or do it; return the exit code that holds now.

    Rolled back it is 5, and 6 when that failed; otherwise it stays what it was.
    """
    from grind.commands import rollback_code

    if code not in _RED:
        return code
    carry_out = bool(args.rollback_on_red)
    arguments = argparse.Namespace(
        plan=not carry_out,
        now=False,
        accept_weakened=None,
        reason=f"CI of {commit[:12]} is red",
        json=args.json,
    )
    sys.stdout.flush()
    try:
        plan = rollback_code.plan_of(session, basis, commit)
        undone = rollback_code.carry_out(session, basis, plan, arguments)
        if carry_out:
            return _after_code(args, basis, undone)
    except GrindError as error:
        if carry_out:
            raise GrindError(
                f"the commit is red, and rolling it back failed: {error.message}",
                remedy=error.remedy,
                code=ExitCode.ROLLBACK_FAILED,
            ) from error
        _tell(args, f"no rollback of the code: {one_line(error.message.partition(chr(10))[0])}")
        return code
    _tell(args, f"nothing was rolled back: `grind rollback code {commit[:12]}` would do this")
    for kind, there in (("host", basis.config.activate), ("runtime", basis.config.rollback.units)):
        if there:
            _tell(args, f"`grind rollback {kind} --plan` shows what can be done to the host")
    return code


def _after_code(args: argparse.Namespace, basis: Basis, undone: int) -> int:
    if undone:
        return int(ExitCode.ROLLBACK_FAILED)
    if basis.config.activate is not None:
        _tell(args, "the host is left as it is: `grind rollback host --plan` shows the way back")
    return int(ExitCode.ROLLED_BACK)


def _tell(args: argparse.Namespace, text: str) -> None:
    """A sentence for a person; the stream of events has the plan itself."""
    if not args.json:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

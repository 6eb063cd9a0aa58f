"""`grind rollback`: undo a landed change, a host's activation, or restart what runs on a host.

Each is a plan that is shown first, journalled, and probed after. Nothing is ever rolled back unasked
outside of an activation.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from grind.commands import rollback_code, rollback_host, rollback_runtime
from grind.core.errors import ExitCode, GrindError
from grind.core.texts import one_line

HELP = "undo a landed change, a host's activation, or restart the units of a host"
EXAMPLES = """\
  grind rollback --plan                 what each kind would do, and do nothing
  grind rollback code                   revert what grind landed last, proven as any change
  grind rollback code 1a2b3c4 --now --reason "data loss"
  grind rollback host                   to the recorded good generation, then probe it
  grind rollback host --to 41           to that one
  grind rollback runtime                restart the units of [rollback] units, in order
  grind rollback runtime container@web hypervisor
"""

_PARTS: dict[str, Any] = {
    "code": (
        rollback_code.add_code_arguments,
        rollback_code.run_code,
        "push a revert commit of a landed change",
    ),
    "host": (
        rollback_host.add_host_arguments,
        rollback_host.run_host,
        "bring a host back to its recorded good generation",
    ),
    "runtime": (
        rollback_runtime.add_runtime_arguments,
        rollback_runtime.run_runtime,
        "restart units of a host, in order",
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: one set for each thing that can be rolled back."""
    parser.add_argument(
        "--plan",
        action="store_true",
        dest="all_plans",
        help="say what each of the three would do, and do nothing",
    )
    parts = parser.add_subparsers(dest="what", metavar="WHAT")
    for name, (add, _, told) in _PARTS.items():
        add(parts.add_parser(name, help=told, description=told, allow_abbrev=False))


def run(args: argparse.Namespace) -> int:
    """Roll back what was named."""
    if args.what is not None:
        return int(_PARTS[args.what][1](args))
    if args.all_plans:
        return plans()
    raise GrindError(
        f"say what to roll back: {', '.join(_PARTS)}",
        remedy="`grind rollback --plan` shows what each would do",
    )


def plans() -> int:
    """Show what each kind of rollback would do from here; one that cannot be done says why."""
    for name, (add, run_part, _) in _PARTS.items():
        parser = argparse.ArgumentParser()
        add(parser)
        sys.stdout.flush()
        try:
            run_part(parser.parse_args(["--plan"]))
        except GrindError as error:
            told = (
                f"roll back {name}: not possible: {one_line(error.message.partition(chr(10))[0])}"
            )
            remedy = f"  → {one_line(error.remedy)}\n" if error.remedy else ""
            sys.stdout.write(f"{told}\n{remedy}")
    return int(ExitCode.DONE)

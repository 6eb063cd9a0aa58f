"""`grind rollback host`: undo what was done to a host, as a plan that is shown first."""

from __future__ import annotations

import argparse
from typing import Any

from grind.commands import rollinghost
from grind.core.errors import GrindError

HELP = "undo: bring a host back to its recorded good generation"
EXAMPLES = """\
  grind rollback host --plan        say what would be done, and do nothing
  grind rollback host               to the recorded good generation, then probe it
  grind rollback host --to 41       to that one
"""

_PARTS: dict[str, Any] = {
    "host": (rollinghost.add_host_arguments, rollinghost.run_host, "a host's generation")
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: one set for each thing that can be rolled back."""
    parts = parser.add_subparsers(dest="what", metavar="WHAT")
    for name, (add, _, told) in _PARTS.items():
        add(parts.add_parser(name, help=told, description=told, allow_abbrev=False))


def run(args: argparse.Namespace) -> int:
    """Roll back what was named."""
    if args.what is None:
        raise GrindError(
            f"say what to roll back: {', '.join(_PARTS)}", remedy="grind rollback --help"
        )
    return int(_PARTS[args.what][1](args))

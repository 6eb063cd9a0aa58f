"""The first thing that the door starts: Python without `site`, which is a third of what starting costs.

An answer of `grind status` from what is remembered needs this package and the standard library alone.
For all else `site` is called as Python would have called it, and the command line runs as ever.
"""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run the command line; return its exit code."""
    asked = ""
    if sys.argv[1:2] == ["status"]:
        asked = "status"
        code = _status(sys.argv[2:])
        if code is not None:
            return code
    gc.enable()
    import site

    site.main()
    from grind.cli import Commands, run

    code = run(sys.argv[1:], Commands(asked=asked))
    gc.freeze()  # at its end Python would look through all that is still there for cycles, twice
    return code


def _status(argv: list[str]) -> int | None:
    from grind import cli

    try:
        gc.disable()  # it is over before there is anything to collect
        from grind.commands.status import run_line

        cli.from_here_on_safe_to_print()
        code = run_line(argv)
        if code is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        return cli.pipe_closed()
    except KeyboardInterrupt:
        return cli.interrupted()
    return code

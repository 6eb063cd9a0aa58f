"""The first thing that the door starts: Python without `site`, which is a third of what starting costs.

An answer of `grind lint` that still holds needs this package and the standard library alone. For all
else `site` is called as Python would have called it, and the command line runs as ever.
"""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run the command line; return its exit code."""
    code = _again(sys.argv[2:]) if sys.argv[1:2] == ["lint"] else None
    if code is not None:
        return code
    import site

    site.main()
    from grind.cli import run

    code = run(sys.argv[1:])
    gc.freeze()  # at its end Python would look through all that is still there for cycles, twice
    return code


def _again(argv: list[str]) -> int | None:
    from grind.commands.lint import again

    try:
        code = again(argv)
        if code is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        from grind.cli import pipe_closed

        return pipe_closed()
    return code

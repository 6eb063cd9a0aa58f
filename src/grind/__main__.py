"""The entry point: `python -m grind` and the console script."""

from __future__ import annotations

import gc
import sys


def main() -> int:
    """Run the command line and return its exit code."""
    from grind.cli import run

    code = run(sys.argv[1:])
    gc.freeze()  # at its end Python would look through all that is still there for cycles, twice
    return code


if __name__ == "__main__":
    sys.exit(main())

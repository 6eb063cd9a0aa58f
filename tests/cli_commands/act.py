"""Does what it is told."""

from __future__ import annotations

import argparse
import errno
import os
import signal
import sys

from grind.core.errors import ExitCode, GrindError, Problem, ProblemsError, RefusedError

HELP = "do what the tests want\n\nat more length"
EXAMPLES = "  grind act ok    nothing else"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--number", type=int, default=0)


def run(args: argparse.Namespace) -> int:
    match args.what:
        case "ok":
            print("done")
        case "refused":
            raise RefusedError("no proof for \x1b[2Jtree", remedy="grind check")
        case "problems":
            raise ProblemsError("bad:", (Problem("a.toml", 1, 2, "odd", "even"),))
        case "fault":
            raise KeyError("secret-looking\x1b]0;x\x07")
        case "full":
            raise OSError(errno.ENOSPC, "No space left on device", "/some/file")
        case "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
        case "many":
            for i in range(200_000):
                print(i)
        case "odd-text":
            print("caf\udce9 ✓")
        case "full-output":
            print("x")
        case "own-code":
            raise GrindError("paused", code=ExitCode.PAUSED)
        case _:
            sys.stderr.write("?")
    return args.number

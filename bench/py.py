"""`grind py -c pass` once it is known, beside the interpreter that it runs, called by its store path.

The flake's Python is this machine's own, linked into a private store: what is measured is what grind adds.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.nixworld import SYSTEM, NixWorld, raw

from bench import samples
from bench.table import Row, Skipped
from bench.timing import environment, medians, program

ROUNDS = 51
GOAL = 1.5
"""Of the interpreter by itself (issue 7)."""


def rows() -> Iterator[Row | Skipped]:
    """Measure the warm call."""
    what = "grind py -c pass, warm"
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin:/bin")
    if shutil.which("nix") is None or python is None:
        yield Skipped("py", what, "nix is not installed")
        return
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        nix = NixWorld(Path(scratch) / "nix")
        link = f"PATH=/usr/bin:/bin; mkdir -p $out/bin; ln -s {python} $out/bin/python3"
        own = raw("python3", link)
        shell = raw("shell", "echo > $out", f'PATH = "${{{own}}}/bin";')
        flake = f"{{ outputs = _: {{ devShells.{SYSTEM}.default = {shell}; }}; }}\n"
        place = samples.repository(Path(scratch) / "repo", {"flake.nix": flake})
        env = environment(**nix.env, HOME=scratch, GRIND_STATE_DIR=f"{scratch}/state")
        call = program(samples.grind("py", "-c", "pass"), cwd=place, env=env)
        call()
        long_ago = time.time() - 1000
        for path in (place / "flake.nix", place / ".git/index"):
            os.utime(path, (long_ago, long_ago))
        for _ in range(3):
            call()
        (interpreter,) = (nix.root / "store").glob("*-python3/bin/python3")
        alone = program([str(interpreter), "-c", "pass"], cwd=place, env=env)
        found = medians({"grind": call, "alone": alone}, ROUNDS)
    yield Row("py", what, found["grind"], "the interpreter by store path", found["alone"], GOAL)

"""`grind stats` beside `git log --name-only` on a generated repository.

Run as `python -m bench.stats [--commits N] [--rounds N]`. The goal: under 3 x git's own listing on
10,000 commits with 30 workflows. Runs alternate, figures are medians of whole processes, start-up
and all; `git log --name-only` is run as a user would, its output thrown away.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

GOAL = 3.0
WORKFLOWS = 30
SEED = 20260221


def stream(commits: int) -> Iterator[bytes]:
    """Yield a history for `git fast-import`: 400 source files, workflows, fixes in bursts."""
    chance = random.Random(SEED)
    when = 1_600_000_000
    touched: list[str] = []
    for number in range(commits):
        fixing = bool(touched) and chance.random() < 0.15
        when += chance.randrange(300, 3000) if fixing else chance.randrange(3000, 30_000)
        if not fixing:
            touched = [f"src/part{chance.randrange(20)}/file{chance.randrange(20)}.rs"]
            touched += [f"src/more{chance.randrange(20)}.rs" for _ in range(chance.randrange(4))]
            if chance.random() < 0.1:
                touched.append(f".github/workflows/w{chance.randrange(WORKFLOWS)}.yml")
        yield b"commit refs/heads/main\n"
        yield f"committer Someone <someone@example.com> {when} +0000\n".encode()
        message = f"Change {number}".encode()
        yield b"data %d\n%s\n" % (len(message), message)
        for path in touched:
            body = f"{number} {path}\n".encode()
            yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(body), body)
        if not any(path.startswith(".github") for path in touched):
            touched = []


def build(folder: Path, commits: int) -> None:
    """Make the repository, packed as a clone would be."""
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    with subprocess.Popen(
        ["git", "-C", str(folder), "fast-import", "--quiet"], stdin=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        for part in stream(commits):
            process.stdin.write(part)
        process.stdin.close()
        assert process.wait() == 0
    subprocess.run(["git", "-C", str(folder), "gc", "--quiet"], check=True)


def timed(command: list[str]) -> float:
    """Return the seconds that one run of `command` takes."""
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def main(argv: list[str]) -> int:
    """Print the table; return 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--commits", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args(argv)
    code = "import sys; from grind.commands.stats import run; sys.exit(run(sys.argv[1:]))"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "repository"
        build(folder, options.commits)
        peers = {
            "git log --name-only": ["git", "-C", str(folder), "log", "--name-only"],
            "grind stats": [sys.executable, "-c", code, "-C", str(folder)],
            "grind stats --json": [sys.executable, "-c", code, "-C", str(folder), "--json"],
        }
        os.environ["GIT_PAGER"] = "cat"
        runs: dict[str, list[float]] = {name: [] for name in peers}
        for _ in range(options.rounds):
            for name, command in peers.items():
                runs[name].append(timed(command))
    medians = {name: statistics.median(times) for name, times in runs.items()}
    base = medians["git log --name-only"]
    print(f"{options.commits:,} commits, {WORKFLOWS} workflows")
    for name, seconds in medians.items():
        print(f"  {name:<22} {seconds:7.2f} s {seconds / base:6.2f} x")
    return int(medians["grind stats"] >= GOAL * base)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

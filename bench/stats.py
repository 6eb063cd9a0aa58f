"""`grind stats` beside `git log --name-only` on a generated repository: whole processes."""

from __future__ import annotations

import random
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import samples
from bench.table import Row
from bench.timing import environment, medians, program

GOAL = 3.0
COMMITS = 10_000
ROUNDS = 9
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
    env = environment()
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], env=env, check=True)
    history = b"".join(stream(commits))
    command = ["git", "-C", str(folder), "fast-import", "--quiet"]
    subprocess.run(command, input=history, env=env, check=True)
    samples.git(folder, "gc", "--quiet")


def rows() -> Iterator[Row]:
    """Measure the text and the JSON."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        folder = Path(scratch) / "repository"
        build(folder, COMMITS)
        last = f"Change {COMMITS - 1}"
        log = ["git", "-C", str(folder), "log", "--name-only"]
        found = medians(
            {
                "log": program(log, says=last),
                "text": program(samples.grind("stats", "-C", str(folder)), says="fix"),
                "json": program(samples.grind("stats", "-C", str(folder), "--json"), says="{"),
            },
            ROUNDS,
        )
    what = f"grind stats, {COMMITS:,} commits, {WORKFLOWS} workflows"
    yield Row("stats", what, found["text"], "git log --name-only", found["log"], GOAL)
    yield Row("stats", "grind stats --json", found["json"], "git log --name-only", found["log"])

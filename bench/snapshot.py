"""A snapshot beside `git status`, in a repository with 5,000 files in 500 folders and one change."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import samples
from bench.table import Row
from bench.timing import BenchError, environment, medians, program, seconds
from grind.adapters.git.repository import GitRepository

FILES = 5_000
ROUNDS = 31
GOAL = 2.0


def rows() -> Iterator[Row]:
    """Measure it with what was verified before, and with an index that has changed since."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        place = build(Path(scratch) / "files")
        status = program(["git", "status"], cwd=place, says="f301.txt")

        def snapshot() -> None:
            taken = GitRepository(str(place), environment()).snapshot()
            if taken.modified != 1 or taken.new or taken.deleted:
                raise BenchError(f"not the snapshot of one change: {taken}")

        def unverified() -> float:
            os.utime(place / ".git" / "index")  # as after a commit: look at all files anew
            return seconds(snapshot)

        def verified() -> float:
            snapshot()
            return seconds(snapshot)

        found = medians({"status": status, "verified": verified, "unverified": unverified}, ROUNDS)
    what = f"snapshot, {FILES:,} files, one change"
    yield Row("snapshot", what, found["verified"], "git status", found["status"], GOAL)
    what = "the same, just after a commit"
    yield Row("snapshot", what, found["unverified"], "git status", found["status"])


def build(place: Path) -> Path:
    """Make the repository."""
    place = samples.repository(
        place,
        {f"d{n // 100}/s{n % 10}/f{n}.txt": f"line {n}\n" * 20 for n in range(FILES)},
    )
    time.sleep(1.1)  # seconds: git's own protection against races has passed
    samples.git(place, "status")
    with open(place / "d3" / "s1" / "f301.txt", "a") as file:
        file.write("one change\n")
    return place

"""A snapshot beside `git status`, as a ratio of medians: `python bench/snapshot.py`.

The repository has 5,000 files in 500 folders and one change, as issue 2 asks (at most 2 ×). The two
take turns, so that a busy machine is equally busy for both.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from grind.adapters.git.repository import GitRepository

FILES = 5_000
ROUNDS = 31


def build(path: str) -> None:
    """Make the repository."""
    for number in range(FILES):
        folder = os.path.join(path, f"d{number // 100}", f"s{number % 10}")
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, f"f{number}.txt"), "w") as file:
            file.write(f"line {number}\n" * 20)
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    for args in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "files"], ["status"]):
        command = ["git", *identity, *args]
        subprocess.run(command, cwd=path, check=True, stdout=subprocess.DEVNULL)


def timed(action: Callable[[], object]) -> float:
    """Return how many milliseconds an action takes."""
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1_000


def measure(path: str) -> dict[str, float]:
    """Return the medians in milliseconds."""

    def status() -> None:
        subprocess.run(["git", "status"], cwd=path, check=True, stdout=subprocess.DEVNULL)

    def snapshot() -> None:
        GitRepository(path, os.environ).snapshot()

    def unverified() -> None:
        os.utime(os.path.join(path, ".git", "index"))  # as after a commit: look at all files anew
        snapshot()

    actions = {"git status": status, "snapshot": snapshot, "snapshot, index changed": unverified}
    times: dict[str, list[float]] = {name: [] for name in actions}
    for action in actions.values():
        action()
    for _ in range(ROUNDS):
        for name, action in actions.items():
            times[name].append(timed(action))
        snapshot()
    return {name: statistics.median(values) for name, values in times.items()}


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory() as path:
        build(path)
        time.sleep(1.1)  # seconds: git's own protection against races has passed
        with open(os.path.join(path, "d3", "s1", "f301.txt"), "a") as file:
            file.write("one change\n")
        medians = measure(path)
    base = medians["git status"]
    for name, median in medians.items():
        print(f"{name:26} {median:7.1f} ms {median / base:5.2f} x")
    return 0


if __name__ == "__main__":
    sys.exit(main())

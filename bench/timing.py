"""The only code that times. Sides take turns, so that what else the machine does hits all alike."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

Side = Callable[[], float]
"""Does the work once, checks that it worked, and returns the seconds that count."""

_NOT_OURS = ("PYTHON", "GIT_", "GITHUB_", "RUNNER_", "GRIND_", "PRE_COMMIT")


class BenchError(Exception):
    """What was to be timed did not work: there is no figure."""


class Stopwatch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._began = time.perf_counter()

    def seconds(self) -> float:
        """Return how long it has run."""
        return time.perf_counter() - self._began


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes."""
    watch = Stopwatch()
    work()
    return watch.seconds()


def in_turns(sides: Mapping[str, Side], rounds: int, warm: int = 1) -> dict[str, list[float]]:
    """Return each side's figures, one per round. The first `warm` rounds are not among them.

    Every other round goes backwards, so that nobody always comes after the same neighbour.
    """
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(-warm, rounds):
        for name in list(sides) if number % 2 else reversed(list(sides)):
            figure = sides[name]()
            if number >= 0:
                taken[name].append(figure)
    return taken


def medians(sides: Mapping[str, Side], rounds: int, warm: int = 1) -> dict[str, float]:
    """Return each side's median over the rounds, in seconds."""
    return {name: median(figures) for name, figures in in_turns(sides, rounds, warm).items()}


def median(figures: Sequence[float]) -> float:
    """Return the middle one."""
    return statistics.median(figures)


def environment(**extra: str) -> dict[str, str]:
    """Return what every timed process sees: the user's environment without what would favour one
    side. PYTHONDONTWRITEBYTECODE in it would make grind compile itself at every start, and not the
    tools that pip has compiled."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
    env.pop("CI", None)
    return env | {"GIT_PAGER": "cat", "GIT_CONFIG_GLOBAL": os.devnull} | extra


def program(
    argv: Sequence[str],
    *,
    cwd: str | os.PathLike[str] = ".",
    env: Mapping[str, str] | None = None,
    says: str = "",
    code: int = 0,
) -> Side:
    """Return a side that runs a whole process. It must exit with `code` and say `says` on its output."""
    where = env if env is not None else environment()

    def run() -> float:
        watch = Stopwatch()
        done = subprocess.run(argv, cwd=cwd, env=where, capture_output=True, check=False)
        spent = watch.seconds()
        if done.returncode != code or says.encode() not in done.stdout:
            told = (done.stdout + done.stderr)[-2000:].decode("utf-8", "replace")
            raise BenchError(
                f"{' '.join(argv)}: exit code {done.returncode}, expected {code} and {says!r}:\n{told}"
            )
        return spent

    return run

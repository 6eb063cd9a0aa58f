"""100 no-op steps in one lane beside a plain bash loop that starts 100 `bash -e FILE`.

Start-up is not counted on either side: 101 steps less 1 step.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.table import Row
from bench.timing import BenchError, Stopwatch, in_turns, median, program
from grind.adapters.clock import SystemClock
from grind.adapters.localhost import LocalHost
from grind.ports import Ended, LaneDone, LaneSpec, StepTask

ROUNDS = 15
BOUND = 1.5
LOOP = 'for f; do bash -e "$f" || exit; done; echo done'


def job_env() -> list[tuple[str, str]]:
    """As many variables as a real job has."""
    fixed = {"PATH": os.environ["PATH"], "CI": "true", "LANG": "C.UTF-8"}
    many = {f"GITHUB_FACT_{number}": f"value of fact {number}" for number in range(40)}
    return [*fixed.items(), *many.items()]


async def lane_seconds(folder: Path, run: str, steps: int) -> float:
    """Queue `steps` no-op steps and follow them to the end."""
    host = LocalHost(folder / "state", os.environ, SystemClock())
    lane = await host.lane(LaneSpec(run=run, key="bench", repository="", name="bench"))
    await lane.begin(job_env(), {})
    tasks = [
        StepTask(index=index, argv=("bash", "-e", "{0}"), script=":\n") for index in range(steps)
    ]
    watch = Stopwatch()
    await lane.submit(tasks, final=True)
    events = [event async for event in lane.events()]
    spent = watch.seconds()
    good = [event for event in events if isinstance(event, Ended) and event.exit_code == 0]
    if len(good) != steps or events[-1] != LaneDone("success"):
        raise BenchError(f"{len(good)} of {steps} steps went well, and then {events[-1]}")
    return spent


def loop_seconds(folder: Path, steps: int, env: dict[str, str] | None = None) -> float:
    """Start as many scripts from a plain loop, in the environment of a lane's steps or in `env`."""
    files = []
    for index in range(steps):
        path = folder / f"{index}.sh"
        path.write_text(":\n")
        files.append(str(path))
    where = env if env is not None else {"SHELL": "/bin/bash", **dict(job_env())}
    return program(["bash", "-c", LOOP, "bash", *files], env=where, says="done")()


def rows() -> Iterator[Row]:
    """Measure both."""
    numbers = iter(range(1000))

    def lane(steps: int) -> float:
        return asyncio.run(lane_seconds(folder, f"run-{next(numbers)}", steps))

    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        folder = Path(scratch)
        taken = in_turns(
            {
                "many": lambda: lane(101),
                "loop, many": lambda: loop_seconds(folder, 101),
                "one": lambda: lane(1),
                "loop, one": lambda: loop_seconds(folder, 1),
            },
            ROUNDS,
        )
    grind = [many - one for many, one in zip(taken["many"], taken["one"], strict=True)]
    loop = [many - one for many, one in zip(taken["loop, many"], taken["loop, one"], strict=True)]
    what, beside = "100 no-op steps, the lane alone", "bash loop of 100 bash -e FILE"
    yield Row("runner", what, median(grind), beside, median(loop), BOUND)

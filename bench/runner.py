"""100 no-op steps in one lane beside a plain bash loop that starts 100 `bash -e FILE`.

Start-up is not counted on either side: 101 steps less 1 step. Prints the medians and their ratio.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from grind.adapters.localhost import LocalHost
from grind.ports import Ended, LaneDone, LaneSpec, StepTask

ROUNDS = 9
BOUND = 1.5
LOOP = 'for f in "$@"; do bash -e "$f"; done'


class RealClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def job_env() -> list[tuple[str, str]]:
    """As many variables as a real job has."""
    fixed = {"PATH": os.environ["PATH"], "CI": "true", "LANG": "C.UTF-8"}
    many = {f"GITHUB_FACT_{number}": f"value of fact {number}" for number in range(40)}
    return [*fixed.items(), *many.items()]


async def lane_seconds(host: LocalHost, run: str, steps: int) -> float:
    """Queue `steps` no-op steps and follow them to the end."""
    lane = await host.lane(LaneSpec(run=run, key="bench", repository="", name="bench"))
    await lane.begin(job_env(), {})
    tasks = [
        StepTask(index=index, argv=("bash", "-e", "{0}"), script=":\n") for index in range(steps)
    ]
    began = time.perf_counter()
    await lane.submit(tasks, final=True)
    ended = 0
    async for event in lane.events():
        ended += isinstance(event, Ended)
        last = event
    seconds = time.perf_counter() - began
    assert isinstance(last, LaneDone), last
    assert ended == steps
    return seconds


def loop_seconds(folder: Path, steps: int) -> float:
    """Start as many scripts from a plain loop, in the same environment."""
    files = []
    for index in range(steps):
        path = folder / f"{index}.sh"
        path.write_text(":\n")
        files.append(str(path))
    began = time.perf_counter()
    subprocess.run(["bash", "-c", LOOP, "bash", *files], env=dict(job_env()), check=True)
    return time.perf_counter() - began


async def measure(folder: Path) -> tuple[float, float]:
    """Return the medians (lane, loop) of 101 less 1, taken in turns."""
    host = LocalHost(folder / "state", os.environ, RealClock())
    lanes, loops = [], []
    for number in range(ROUNDS):
        lanes.append(
            await lane_seconds(host, f"many-{number}", 101)
            - await lane_seconds(host, f"one-{number}", 1)
        )
        loops.append(loop_seconds(folder, 101) - loop_seconds(folder, 1))
    return statistics.median(lanes), statistics.median(loops)


def main() -> int:
    """Print one row of the table; fail above the bound."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as folder:
        lane, loop = asyncio.run(measure(Path(folder)))
    ratio = lane / loop
    print(f"100 steps: lane {lane * 1000:.0f} ms, bash loop {loop * 1000:.0f} ms", end=", ")
    print(f"ratio {ratio:.2f} (bound {BOUND})")
    return 0 if ratio <= BOUND else 1


if __name__ == "__main__":
    raise SystemExit(main())

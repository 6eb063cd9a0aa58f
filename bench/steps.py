"""100 no-op steps of one job through `grind check --again` beside a plain bash loop that starts 100
`bash -e FILE` in the environment that the steps have. Start-up is not counted on either side: 101
steps less 1 step.

bench/runner.py has the same without the client: the host's share of it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import runner, samples
from bench.table import Row
from bench.timing import Side, environment, in_turns, median, program

ROUNDS = 15
GOAL = 1.5
HEAD = "on: push\njobs:\n  steps:\n    runs-on: ubuntu-latest\n    steps:\n"
STEP = "      - run: ':'\n"


def rows() -> Iterator[Row]:
    """Measure both."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        folder = Path(scratch)
        env = step_env(folder)
        taken = in_turns(
            {
                "many": checking(folder, 101),
                "loop, many": lambda: runner.loop_seconds(folder, 101, env),
                "one": checking(folder, 1),
                "loop, one": lambda: runner.loop_seconds(folder, 1, env),
            },
            ROUNDS,
        )
    grind = [many - one for many, one in zip(taken["many"], taken["one"], strict=True)]
    loop = [many - one for many, one in zip(taken["loop, many"], taken["loop, one"], strict=True)]
    what, beside = "100 no-op steps, grind check --again", "bash loop of 100 bash -e FILE"
    yield Row("steps", what, median(grind), beside, median(loop), GOAL)


def step_env(folder: Path) -> dict[str, str]:
    """Return the environment of a step, as a step tells it."""
    told = folder / "env"
    step = STEP.replace(":'", f"env -0 >{told}'", 1)
    place = samples.repository(folder / "env-sample", {".github/workflows/ci.yml": HEAD + step})
    env = environment(XDG_STATE_HOME=str(folder / "state"))
    program(samples.grind("check"), cwd=place, env=env, says="1 step executed")()
    pairs = (pair.partition("=") for pair in told.read_text().split("\0") if pair)
    return {name: value for name, _, value in pairs}


def checking(folder: Path, steps: int) -> Side:
    """Return a side that proves a job of so many steps, although it is proven."""
    workflow = {".github/workflows/ci.yml": HEAD + STEP * steps}
    place = samples.repository(folder / f"steps-{steps}", workflow)
    env = environment(XDG_STATE_HOME=str(folder / "state"))
    noun = "step" if steps == 1 else "steps"
    says = f"{steps} {noun} executed"
    return program(samples.grind("check", "--again"), cwd=place, env=env, says=says)

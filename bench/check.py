"""`grind check` of a trivial job beside doing the same by hand: a fresh clone and `bash -e`.

There is no goal: a clone and a bash make no plan, no journal and no receipt. It shows what all of
that costs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import samples
from bench.receipt import WORKFLOW
from bench.table import Row
from bench.timing import environment, medians, program

ROUNDS = 15
BY_HAND = """\
rm -rf "$2" && git clone -q --shared "$1" "$2" && cd "$2" &&
echo 'test -f notes.txt' >"$2/.step" && bash -e "$2/.step" && echo done
"""


def rows() -> Iterator[Row]:
    """Measure both."""
    with tempfile.TemporaryDirectory(prefix="grind-bench-") as scratch:
        folder = Path(scratch)
        files = {".github/workflows/ci.yml": WORKFLOW, "notes.txt": "one\n"}
        place = samples.repository(folder / "one", files)
        samples.with_remote(place)
        env = environment(XDG_STATE_HOME=str(folder / "state"))
        hand = ["bash", "-c", BY_HAND, "bash", str(place), str(folder / "clone")]
        again = samples.grind("check", "--again")
        found = medians(
            {
                "grind": program(again, cwd=place, env=env, says="1 step executed"),
                "hand": program(hand, env=env, says="done"),
            },
            ROUNDS,
        )
    beside = "git clone, bash -e, by hand"
    yield Row("check", "one trivial step, --again", found["grind"], beside, found["hand"])

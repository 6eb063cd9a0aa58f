"""Client and supervisor killed at moments that nobody chose: the host ends on what was acknowledged, or on
what was recorded before, and the record has an end for everything that it has a beginning for."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from grind.core.activation import Record, read_record
from tests.activation.commands_host import CommandsWorld


@pytest.fixture
def site(tmp_path: Path) -> Iterator[CommandsWorld]:
    made = CommandsWorld(tmp_path / "w")
    made.start()
    yield made
    made.shut_down()


def records(site: CommandsWorld) -> list[Record]:
    lines = (site.state / "record").read_text().splitlines()
    return [record for line in lines if (record := read_record(line)) is not None]


def kill_supervisor(site: CommandsWorld, chosen: random.Random) -> None:
    """One of its two processes, or both."""
    found = sorted(site.state.glob("a/*/pids"), key=lambda path: path.stat().st_mtime)
    pids = [int(pid) for pid in found[-1].read_text().split()] if found else []
    for pid in chosen.sample(pids, chosen.choice((1, 2))) if len(pids) == 2 else pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


@pytest.mark.campaign
@pytest.mark.parametrize("seed", range(6))
def test_killed_anywhere(site: CommandsWorld, seed: int) -> None:
    chosen = random.Random(seed)
    assert site.world.grind("activate").code == 0
    for version in range(2, 6):
        site.world.write({"VERSION": f"{version}\n", "MODE": chosen.choice(("ok\n", "sick\n"))})
        begun = len(records(site))
        process = site.world.begin("activate")
        site.world.until(lambda begun=begun: len(records(site)) > begun, "nothing was begun")
        time.sleep(chosen.uniform(0, 1.5))
        if chosen.random() < 0.7:
            os.killpg(process.pid, signal.SIGKILL)
        kill_supervisor(site, chosen)
        site.world.end(process)
        # Whoever comes next brings it to its end, and may then go on.
        site.world.grind("activate")
        ends = {record.id: record for record in records(site) if record.phase.final}
        starts = [record for record in records(site) if record.phase == "begun"]
        assert {record.id for record in starts} == ends.keys()
        last = starts[-1]
        end = ends[last.id].phase
        assert end in ("acknowledged", "rolled-back", "refused"), end
        assert site.runs == last.get("new" if end == "acknowledged" else "old")
    done = site.change("99")
    assert done.code == 0, done.said
    assert site.runs.startswith("99-")

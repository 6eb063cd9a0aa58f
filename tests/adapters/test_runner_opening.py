"""How a runner begins beside its folder, and which processes it need not look at when it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grind.adapters.runner import program as programs
from grind.adapters.runner.wire import Graces, spec_fields
from grind.ports import LaneSpec

APART = ("unshare", "--pid", "--fork", "--mount-proc")
"""Processes have numbers of their own there, and the next one can be chosen (ns_last_pid)."""
LOW = """
import sys
from pathlib import Path
from tests.contracts.conftest import local_host
from tests.contracts.rig import Rig, alive, step

Path("/proc/sys/kernel/ns_last_pid").write_text("20000")
rig = Rig(local_host(Path(sys.argv[1])), Path(sys.argv[1]))
script = "echo 299 >/proc/sys/kernel/ns_last_pid; setsid sleep 1000 >/dev/null 2>&1 & echo $! $PPID"
left, runner = map(int, rig.play(step(0, script)).text(0).split())
print(left < 1000 < runner, alive(left))
"""


def test_what_is_left_with_a_lower_number_than_the_runner_ends_too(tmp_path: Path) -> None:
    if subprocess.run([*APART, "true"], capture_output=True).returncode:
        pytest.skip("no namespace of processes can be made here")
    argv = [*APART, sys.executable, "-c", LOW, os.fspath(tmp_path)]
    told = subprocess.run(argv, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert told.stdout == "True False\n", told.stderr


TRUST = """
shopt -s nullglob extglob
source "$1"
g_note_processes
[[ ${g_before["/proc/1"]-} ]] && echo noted
for g_p in "${!g_before[@]}"; do ((${g_p#/proc/} < $$)) || echo "wrong: $g_p"; done
# What is seen at the end of the lane: forks since, hundredths of a second since, the largest number.
g_seen=$((g_before_forks + $2)) g_later=$3 g_before_most=${4:-$g_before_most}
g_count_forks() { g_forks=${g_seen#0}; }
g_uptime() { g_up=$((g_before_at + g_later)); }
[[ $2 != none ]] || g_count_forks() { g_forks=; }
if g_trusts_numbers; then echo trusted; fi
"""


def trusts(tmp_path: Path, *seen: str) -> bool:
    functions = tmp_path / "functions.sh"
    functions.write_bytes(programs.program(("base.sh", "processes.sh")))
    argv = ["bash", "-c", TRUST, "bash", os.fspath(functions), *seen]
    done = subprocess.run(argv, capture_output=True, text=True)
    assert done.stderr == ""
    said = done.stdout.split()
    assert said[0] == "noted"
    return said[1:] == ["trusted"]


def test_numbers_are_trusted_unless_they_could_have_come_round(tmp_path: Path) -> None:
    assert trusts(tmp_path, "20", "10", "4194304")
    # As many forks as there are numbers, or no fork counted at all, or no count, or a long lane.
    assert not trusts(tmp_path, "4194304", "10")
    assert not trusts(tmp_path, "0", "10")
    assert not trusts(tmp_path, "none", "10")
    assert not trusts(tmp_path, "20", "500")
    # The largest number is less than the runner's own.
    assert not trusts(tmp_path, "20", "10", "3")


def waiting(tmp_path: Path) -> tuple[subprocess.Popen[bytes], Path]:
    """A runner that is told at its input whether there is a lane."""
    text = tmp_path / "runner.sh"
    text.write_bytes(programs.program())
    lane = tmp_path / "runs" / "r1" / "job"
    argv = ["bash", "--noprofile", "--norc", os.fspath(text), "run", os.fspath(lane), "told"]
    return subprocess.Popen(argv, stdin=subprocess.PIPE), lane


@pytest.mark.parametrize("told", [b"leave\n", b""])
def test_a_runner_whose_folder_does_not_come_leaves(tmp_path: Path, told: bytes) -> None:
    runner, lane = waiting(tmp_path)
    lane.mkdir(parents=True)
    spec = LaneSpec(run="r1", key="job", repository="", name="repo")
    data = spec_fields(spec, "grind-r1-x", os.fspath(tmp_path), Graces(), "")
    (lane / "spec").write_bytes(data)
    runner.communicate(told)
    assert runner.returncode == 0
    assert [path.name for path in lane.iterdir()] == ["spec"]

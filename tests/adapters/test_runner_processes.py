"""Who holds a lock of the runner's programs."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

from grind.adapters.runner.program import program

TAKE = """
LC_ALL=C
g_wake=
exec {g_wake}<>"$2"
case $3 in
  told) g_lock "$1"; read -r g_reply; rm -f -- "$1" ;;
  *) g_lock "$1"; echo taken; rm -f -- "$1" ;;
esac
"""


def test_a_lock_is_held_as_long_as_its_holder_lives(tmp_path: Path) -> None:
    text = program(("base.sh", "processes.sh")).decode() + TAKE
    lock, fifo = tmp_path / "lock", tmp_path / "idle"
    os.mkfifo(fifo)

    def bash(how: str) -> subprocess.Popen[str]:
        argv = ["bash", "--noprofile", "--norc", "-c", text, "bash", lock, fifo, how]
        return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    with bash("told") as holder:
        while not lock.exists() or not lock.read_text().endswith(";\n"):
            assert holder.poll() is None
        assert lock.read_text().split()[0] == str(holder.pid)
        with bash("at once") as other:
            # It looks every 0.05 seconds, and would take a lock whose holder it finds dead.
            with contextlib.suppress(subprocess.TimeoutExpired):
                other.wait(0.5)
            assert lock.read_text().split()[0] == str(holder.pid)
            holder.communicate("go\n")
            assert other.communicate()[0] == "taken\n"
    assert not lock.exists()

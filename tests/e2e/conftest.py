"""One world per test, which must be empty of processes at its end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A private world; whoever leaves a process in it fails."""
    made = World(tmp_path)
    yield made
    end = time.monotonic() + 10
    while made.processes() and time.monotonic() < end:
        time.sleep(0.05)
    left = made.processes()
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    assert not left, "processes were left behind"

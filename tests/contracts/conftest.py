"""Hosts that the contract is tested on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grind.adapters.localhost import LocalHost
from grind.adapters.runner.wire import Graces
from tests.contracts.rig import PATH, RealClock, Rig

SHORT = Graces(interrupt=0.5, terminate=0.5, rest=2.0)


def local_host(folder: Path, graces: Graces = SHORT) -> LocalHost:
    """A host as a client of its own would make it."""
    return LocalHost(folder / "state", {"PATH": PATH}, RealClock(), graces=graces)


@pytest.fixture(params=["local"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A host with an empty state folder; whatever a test leaves running is ended."""
    rig = Rig({"local": local_host}[request.param](tmp_path), tmp_path)
    yield rig
    runs = tmp_path / "state" / "runs"
    for run in runs.iterdir() if runs.is_dir() else ():
        rig.go(rig.host.abandon(run.name))

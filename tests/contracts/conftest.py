"""Hosts that the contract is tested on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grind.adapters.localhost import LocalHost
from grind.adapters.runner.wire import Graces
from grind.adapters.ssh.door import door
from grind.adapters.ssh.host import SshHost
from tests.contracts.rig import PATH, RealClock, Rig
from tests.sshd import Sshd

SHORT = Graces(interrupt=0.5, terminate=0.5, rest=2.0)


def local_host(folder: Path, graces: Graces = SHORT) -> LocalHost:
    """A host as a client of its own would make it."""
    return LocalHost(folder / "state", {"PATH": PATH}, RealClock(), graces=graces)


def ssh_host(
    sshd: Sshd, graces: Graces = SHORT, *, slug: str = "", patience: float = 60.0
) -> SshHost:
    """The host behind a test's own sshd."""
    way = door(sshd.alias, {}, config=sshd.config, persist=5)
    return SshHost(way, RealClock(), name="grind", slug=slug, graces=graces, patience=patience)


@pytest.fixture(params=["local", "ssh"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A host with an empty state folder; whatever a test leaves running is ended."""
    if request.param == "local":
        yield from played(Rig(local_host(tmp_path), tmp_path))
        return
    with Sshd(tmp_path, state=tmp_path / "state") as sshd:
        yield from played(Rig(ssh_host(sshd), tmp_path))


def played(rig: Rig) -> Iterator[Rig]:
    yield rig
    runs = rig.folder / "state" / "runs"
    for run in runs.iterdir() if runs.is_dir() else ():
        rig.go(rig.host.abandon(run.name))
    rig.close()

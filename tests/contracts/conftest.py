"""Hosts that the contract is tested on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from grind.adapters.localhost import LocalHost
from grind.adapters.runner.wire import Graces
from grind.adapters.ssh.channel import Pulse
from grind.adapters.ssh.door import door
from grind.adapters.ssh.host import Limits, SshHost
from tests.contracts.rig import PATH, RealClock, Rig
from tests.sshd import Sshd

SHORT = Graces(interrupt=0.5, terminate=0.5, rest=2.0)


def local_host(folder: Path, graces: Graces = SHORT) -> LocalHost:
    """A host as a client of its own would make it."""
    return LocalHost(folder / "state", {"PATH": PATH}, RealClock(), graces=graces)


def ssh_host(
    sshd: Sshd,
    graces: Graces = SHORT,
    *,
    slug: str = "",
    patience: float = 60.0,
    workspace: str = "",
    limits: Limits = Limits(),  # noqa: B008 - a constant
    pulse: Pulse = Pulse(),  # noqa: B008 - a constant
) -> SshHost:
    """The host behind a test's own sshd."""
    way = door(sshd.alias, {}, config=sshd.config, persist=5)
    return SshHost(
        way,
        RealClock(),
        name="grind",
        slug=slug,
        environ=os.environ,
        graces=graces,
        patience=patience,
        workspace=workspace,
        limits=limits,
        pulse=pulse,
    )


def host_at(folder: Path, graces: Graces = SHORT) -> LocalHost | SshHost:
    """The host of the rig in this folder, as a client of its own would make it."""
    if not (folder / "way").exists():
        return local_host(folder, graces)
    config, alias, slug = (folder / "way").read_text().split("\n")
    way = door(alias, {}, config=config, persist=5)
    return SshHost(
        way, RealClock(), name="grind", slug=slug, environ=os.environ, graces=graces, patience=60.0
    )


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """One sshd for all tests of the contract; each has a state folder of its own."""
    with Sshd(tmp_path_factory.mktemp("host")) as host:
        yield host


@pytest.fixture(params=["local", "ssh"])
def rig_folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder that `host_at` makes a host of, which has an empty state folder."""
    if request.param == "ssh":
        host: Sshd = request.getfixturevalue("sshd")
        slug = f"{tmp_path.name}/repository"
        (host.state / slug).mkdir(parents=True, mode=0o700)
        (tmp_path / "state").symlink_to(host.state / slug)
        (tmp_path / "way").write_text("\n".join((host.config, host.alias, slug)))
    return tmp_path


@pytest.fixture
def rig(rig_folder: Path) -> Iterator[Rig]:
    """A host with an empty state folder; whatever a test leaves running is ended."""
    yield from played(Rig(host_at(rig_folder), rig_folder, host_at))


def played(rig: Rig) -> Iterator[Rig]:
    """Give a rig to a test, and end what it leaves."""
    yield rig
    runs = rig.folder / "state" / "runs"
    for run in runs.iterdir() if runs.is_dir() else ():
        rig.go(rig.host.abandon(run.name))
    rig.close()

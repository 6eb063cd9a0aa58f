"""A host to misuse: each test has an sshd of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grind.adapters.ssh.host import SshHost
from tests.contracts.conftest import ssh_host
from tests.contracts.rig import Rig
from tests.sshd import Sshd


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path, state=tmp_path / "state") as host:
        yield host


@pytest.fixture
def make(sshd: Sshd) -> Callable[[Path], SshHost]:
    return lambda _: ssh_host(sshd)


@pytest.fixture
def rig(sshd: Sshd, tmp_path: Path, make: Callable[[Path], SshHost]) -> Iterator[Rig]:
    """A rig on it. Whatever a test leaves running is ended with the host."""
    rig = Rig(ssh_host(sshd), tmp_path, make)
    yield rig
    sshd.network.resume()
    rig.close()

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.activation.far import ON_HOST, FarWorld
from tests.activation.world import HostWorld
from tests.sshd import Sshd


def need_nix() -> None:
    if shutil.which("nix") is None:
        assert not os.environ.get("CI"), "nix is missing"
        pytest.skip("nix is missing")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[HostWorld]:
    need_nix()
    made = HostWorld(tmp_path / "w")
    yield made
    made.lab.shut_down()


@pytest.fixture
def far(tmp_path: Path) -> Iterator[FarWorld]:
    need_nix()
    with Sshd(tmp_path / "s", also=ON_HOST) as sshd:
        made = FarWorld(tmp_path / "far", sshd)
        yield made
        made.lab.shut_down()

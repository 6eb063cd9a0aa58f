from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.activation.world import HostWorld


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

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.activation.lab import Lab


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return tmp_path / "repo"


@pytest.fixture
def lab(tmp_path: Path, repo: Path) -> Iterator[Lab]:
    if shutil.which("nix") is None:
        assert not os.environ.get("CI"), "nix is missing"
        pytest.skip("nix is missing")
    made = Lab(tmp_path / "lab", repo)
    yield made
    made.shut_down()

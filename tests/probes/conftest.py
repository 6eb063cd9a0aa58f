"""Fixtures of the probes' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.probes.asking import Asker


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    return Asker(tmp_path)

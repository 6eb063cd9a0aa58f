"""The stand-in of GitHub, a clock, and a watch on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github.clock import DrivenClock
from tests.github.openapi import Contract, description_or_skip
from tests.github.standin import GitHub, Server
from tests.github.watching import Watcher


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract(description_or_skip())


@pytest.fixture
def clock() -> DrivenClock:
    return DrivenClock()


@pytest.fixture
def github(contract: Contract, clock: DrivenClock) -> GitHub:
    return GitHub(contract, clock)


@pytest.fixture
def server(github: GitHub) -> Iterator[Server]:
    made = Server(github)
    yield made
    made.close()
    assert github.violations == []


@pytest.fixture
def watcher(server: Server, tmp_path: Path) -> Watcher:
    return Watcher(server, tmp_path)

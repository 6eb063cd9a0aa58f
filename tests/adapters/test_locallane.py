"""A lane's folder on this machine, at moments that a whole run seldom meets."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from grind.adapters.clock import SystemClock
from grind.adapters.locallane import LaneFiles, LocalGround


async def nobody(folders: Sequence[Path]) -> None:
    raise AssertionError("nothing is to be ended")


def test_a_runner_may_end_while_it_is_woken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "wake")
    runner = os.open(tmp_path / "wake", os.O_RDONLY | os.O_NONBLOCK)
    really = os.open

    def opened(path: Any, *more: Any, **options: Any) -> int:
        fd = really(path, *more, **options)
        if Path(path).name == "wake":
            os.close(runner)
        return fd

    monkeypatch.setattr(os, "open", opened)
    ground = LocalGround(LaneFiles(tmp_path, SystemClock()), SystemClock(), nobody)
    asyncio.run(ground.put(os.fspath(tmp_path / "said"), b"text"))
    assert (tmp_path / "said").read_bytes() == b"text"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(runner)

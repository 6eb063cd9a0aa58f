"""What a signal does to a command that waits for its task. Its own module, because the commands that
need it need nothing else of those that run steps, whose imports take longer than a small command does."""

from __future__ import annotations

import asyncio
import signal
from typing import Any


class _Stop:
    """Cancels a task once: whoever presses Ctrl-C twice must not stop the cleaning up."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task: asyncio.Task[Any] | None = task

    def __call__(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None


def stop_on_signals() -> None:
    """Let a signal cancel the running task: a terminated grind ends what it started, as an
    interrupted one does."""
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    if task is not None:
        stop = _Stop(task)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)

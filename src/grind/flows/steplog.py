"""One step's output on its way: masked, shown, counted, hashed and kept. Memory stays flat."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from grind.core import events as e
from grind.core.plan import StepPlan
from grind.core.testcount import TestCounter
from grind.ports import LogStore, LogWriter
from grind.workflows.logcommands import Command, CommandReader, Text
from grind.workflows.testfilter import is_filtered_test

_LEVELS = ("error", "warning", "notice")


class Said(NamedTuple):
    """What a step's output said in all."""

    path: str
    sha256: str
    size: int
    outputs: dict[str, str]
    tests: int | None
    filtered: bool


class StepLog:
    """Takes the raw bytes of a step's output; nothing unmasked leaves it."""

    def __init__(
        self,
        job: str,
        step: StepPlan,
        store: LogStore,
        emit: Callable[[e.Event], None],
        masks: set[str],
    ) -> None:
        self._job = job
        self._step = step
        self._emit = emit
        self._reader = CommandReader(masks)
        self._writer: LogWriter = store.writer(job, step.index)
        self._digest = hashlib.sha256()
        self._size = 0
        self._outputs: dict[str, str] = {}
        self._counter: TestCounter | None = None

    def feed(self, data: bytes) -> None:
        """Take output as it comes."""
        self._take(data, final=False)

    def finish(self) -> Said:
        """The step ended: return what its output said."""
        self._take(b"", final=True)
        self.close()
        count = self._counter.result() if self._counter is not None else None
        tests = count.run if count is not None else None
        return Said(
            self._writer.path,
            self._digest.hexdigest(),
            self._size,
            self._outputs,
            tests,
            # To read the step's text costs more than a small step; only none at all is a question.
            tests == 0 and is_filtered_test(_text(self._step)),
        )

    def close(self) -> None:
        """Close the log's file; twice does no harm."""
        self._writer.close()

    def _take(self, data: bytes, *, final: bool) -> None:
        for item in self._reader.feed(data, final=final):
            if isinstance(item, Text):
                self._text(item.text)
            else:
                self._command(item)

    def _text(self, text: str) -> None:
        encoded = text.encode("utf-8", "replace")
        self._digest.update(encoded)
        self._size += len(encoded)
        self._writer.write(encoded)
        if self._counter is None:
            self._counter = TestCounter()
        self._counter.feed(text)
        self._emit(e.StepOutput(self._job, self._step.index, text))

    def _command(self, command: Command) -> None:
        if command.name in _LEVELS:
            where = command.properties
            self._emit(
                e.Annotation(
                    job=self._job,
                    step=self._step.index,
                    level=command.name,
                    message=self._reader.mask(command.value),
                    file=self._reader.mask(where.get("file", "")),
                    line=_number(where.get("line", "")),
                    column=_number(where.get("col", "")),
                    title=self._reader.mask(where.get("title", "")),
                )
            )
        elif command.name == "set-output" and "name" in command.properties:
            self._outputs[command.properties["name"]] = command.value


def _text(step: StepPlan) -> str:
    """What runs: the step's own text, or what stands in for it."""
    if step.recipe is not None and step.recipe.kind == "run":
        return step.recipe.script
    return step.run or ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

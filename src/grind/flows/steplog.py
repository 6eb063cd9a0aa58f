"""One step's output on its way: masked, shown, counted, hashed and kept. Memory stays flat."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from posixpath import isabs, normpath
from typing import NamedTuple

from grind.core import events as e
from grind.core.plan import StepPlan
from grind.core.testcount import TestCounter
from grind.ports import Lane, LogStore, LogWriter
from grind.workflows.commandsyntax import Command
from grind.workflows.lines import Lines
from grind.workflows.logcommands import CommandReader, Fault, Text, fault, is_command
from grind.workflows.matchers import (
    Dropped,
    MatcherConfig,
    MatcherSet,
    Matching,
    read_matchers,
    within,
)
from grind.workflows.testfilter import is_filtered_test

_MATCHERS_MOST = 1024 * 1024
"""Bytes of a file of problem matchers."""


class Said(NamedTuple):
    """What a step's output said in all."""

    path: str
    """Of the log, in the folder of the release; empty when the step said nothing."""
    sha256: str
    size: int
    outputs: dict[str, str]
    tests: int | None
    filtered: bool
    fault: str = ""
    """Why a command of it could not be carried out, which fails the step."""


class StepLog:
    """Takes the raw bytes of a step's output; nothing unmasked leaves it."""

    def __init__(
        self,
        job: str,
        step: StepPlan,
        *,
        store: LogStore,
        emit: Callable[[e.Event], None],
        masks: set[str],
        matchers: MatcherSet,
        lane: Lane,
        debug: bool = False,
    ) -> None:
        self._job = job
        self._step = step
        self._emit = emit
        self._reader = CommandReader(masks, debug=debug)
        self._lane = lane
        self._matchers = matchers
        self._matching = Matching(matchers, lane.paths.workspace)
        self._lines = Lines()
        self._writer: LogWriter = store.writer(job, step.index)
        self._digest = hashlib.sha256()
        self._size = 0
        self._outputs: dict[str, str] = {}
        self._fault = ""
        self._counter: TestCounter | None = None

    async def feed(self, data: bytes) -> None:
        """Take output as it comes."""
        await self._take(data, final=False)

    async def finish(self) -> Said:
        """The step ended: return what its output said."""
        await self._take(b"", final=True)
        self._look(self._lines.rest())
        self.close()
        count = self._counter.result() if self._counter is not None else None
        tests = count.run if count is not None else None
        return Said(
            self._writer.path if self._size else "",
            self._digest.hexdigest(),
            self._size,
            self._outputs,
            tests,
            # To read the step's text costs more than a small step; only none at all is a question.
            tests == 0 and is_filtered_test(_text(self._step)),
            self._fault,
        )

    def close(self) -> None:
        """Close the log's file; twice does no harm."""
        self._writer.close()

    async def _take(self, data: bytes, *, final: bool) -> None:
        for item in self._reader.feed(data, final=final):
            match item:
                case Text():
                    self._text(item.text)
                case Fault():
                    self._failed(item)
                case _:
                    await self._command(item)

    def _text(self, text: str) -> None:
        encoded = text.encode("utf-8", "replace")
        self._digest.update(encoded)
        self._size += len(encoded)
        self._writer.write(encoded)
        if self._counter is None:
            self._counter = TestCounter()
        self._counter.feed(text)
        self._emit(e.StepOutput(self._job, self._step.index, text))
        self._look(self._lines.feed(text, keep=bool(self._matchers.configs)))

    def _look(self, lines: Iterable[str]) -> None:
        for line in lines:
            if is_command(line):
                continue
            for found in self._matching.look(line):
                if isinstance(found, Dropped):
                    text = f"the problem matcher {found.owner} takes too long: it is dropped"
                    self._annotate("warning", text)
                    continue
                text = f"{found.message} ({found.code})" if found.code else found.message
                self._annotate(found.level, text, found.file, found.line, found.column)

    def _failed(self, fault: Fault) -> None:
        reason = self._reader.mask(fault.reason)
        self._fault = self._fault or reason
        self._annotate("error", reason)

    def _annotate(
        self,
        level: str,
        message: str,
        file: str = "",
        line: int = 0,
        column: int = 0,
        title: str = "",
    ) -> None:
        self._emit(
            e.Annotation(
                job=self._job,
                step=self._step.index,
                level=level,
                message=self._reader.mask(message),
                file=self._reader.mask(file),
                line=line,
                column=column,
                title=self._reader.mask(title),
            )
        )

    async def _command(self, command: Command) -> None:
        match command.name:
            case "error" | "warning" | "notice":
                where = command.properties
                self._annotate(
                    command.name,
                    command.value,
                    self._inside(where.get("file", "")),
                    _number(where.get("line", "")),
                    _number(where.get("col", "")),
                    where.get("title", ""),
                )
            case "set-output":
                self._outputs[command.properties["name"]] = command.value
            case "add-matcher":
                self._matchers.add(await self._configs(command))
            case "remove-matcher" if command.properties.get("owner"):
                if not command.value:  # the runner warns, and removes none, when both are given
                    self._matchers.remove((command.properties["owner"],))
            case "remove-matcher":
                self._matchers.remove([config.owner for config in await self._configs(command)])
            case _:  # groups, debug and state, which nothing here reads
                pass

    def _inside(self, file: str) -> str:
        """Return a path relative to the workspace where it lies in it, else as it is."""
        if not isabs(file):
            return file
        return within(normpath(file), self._lane.paths.workspace) or file

    async def _configs(self, command: Command) -> tuple[MatcherConfig, ...]:
        if not command.value:
            self._annotate("warning", f"{command.name}: a file path must be specified")
            return ()
        data = await self._lane.file(command.value, _MATCHERS_MOST + 1)
        try:
            if data is None:
                raise ValueError("there is no such file")
            if len(data) > _MATCHERS_MOST:
                raise ValueError("the file is too large")
            return read_matchers(data)
        except ValueError as error:
            self._failed(fault(f"::{command.name}::{command.value}", str(error)))
            return ()


def _text(step: StepPlan) -> str:
    """What runs: the step's own text, or what stands in for it."""
    if step.recipe is not None and step.recipe.kind == "run":
        return step.recipe.script
    return step.run or ""


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0

"""A host that plays a part: it implements the port, and fails where a test says so.

It decides what runs as the runner does (conditions, continue-on-error, cancelling); what a step
does is looked up by a word of its script.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import NamedTuple

from grind.core import events as e
from grind.core.plan import Plan
from grind.flows.engine import Engine, EngineInputs, Expand, Results
from grind.ports import (
    Completed,
    Ended,
    HostIdentity,
    LaneDone,
    LaneEvent,
    LaneLost,
    LanePaths,
    LaneSpec,
    Output,
    Passed,
    Started,
    StepTask,
)
from grind.workflows.conditions import holds
from grind.workflows.tasks import SETUP_INDEX, TaskInputs
from tests.workflows.plans import SITUATION

SETUP = "the setup of the job"


class Act(NamedTuple):
    """What happens at a step whose script has a certain word."""

    exit_code: int = 0
    says: bytes = b""
    output: bytes = b""
    env: bytes = b""
    lost: str = ""
    """The lane is lost after the output, for this reason."""
    stops: bool = False
    """The host stops the job before this step, as when its time is over."""
    waits: bool = False
    """Runs until it is cancelled."""
    detail: str = ""


class StageLane:
    """One job on the stage."""

    def __init__(self, host: StageHost, spec: LaneSpec) -> None:
        self.host, self.spec = host, spec
        self.tasks: list[StepTask] = []
        self.final = False
        self.status = "success"
        self.files: dict[tuple[int, str], bytes] = {}
        self.env: dict[str, str] = {}
        self.changed = asyncio.Event()
        self.cancelling = asyncio.Event()

    @property
    def paths(self) -> LanePaths:
        return LanePaths("/w", "/h", "/t", "/c", "/e", "/cache", "/artifacts")

    @property
    def resumed(self) -> bool:
        return False

    async def begin(self, env: Sequence[tuple[str, str]], files: Mapping[str, bytes]) -> None:
        self.env = dict(env)

    async def submit(self, tasks: Sequence[StepTask], *, final: bool = False) -> None:
        assert not self.final, "queued after final"
        last = self.tasks[-1].index if self.tasks else -1
        assert all(
            b.index > a for a, b in zip([last, *(t.index for t in tasks)], tasks, strict=False)
        )
        self.tasks += tasks
        self.final = final
        self.changed.set()

    async def events(self) -> AsyncIterator[LaneEvent]:
        place = 0
        self.host.enter()
        try:
            while True:
                while place < len(self.tasks):
                    task = self.tasks[place]
                    place += 1
                    async for event in self._step(task):
                        yield event
                        if isinstance(event, LaneLost):
                            return
                if self.final:
                    break
                self.changed.clear()
                await self.changed.wait()
        finally:
            self.host.leave()
        yield LaneDone(self.status)

    async def _step(self, task: StepTask) -> AsyncIterator[LaneEvent]:
        await asyncio.sleep(0)
        act = self.host.act(task)
        if act.stops or self.cancelling.is_set():
            self.status = "cancelled"
        if not holds(task.condition, self.status):
            yield Passed(task.index)
            return
        self.host.ran.append(task.script)
        yield Started(task.index, 0.0)
        yield Output(task.index, 0, act.says)
        if act.lost:
            yield LaneLost(act.lost)
            return
        code, reason = act.exit_code, "exit"
        if act.waits:
            await self.cancelling.wait()
            self.status, code, reason = "cancelled", 130, "cancelled"
        if code and not task.continue_on_error and self.status == "success":
            self.status = "failure"
        self.files[task.index, "output"], self.files[task.index, "env"] = act.output, act.env
        yield Ended(task.index, code, reason, 0.0, 0.0, act.detail)

    async def read(self, index: int, name: str) -> bytes:
        return self.files.get((index, name), b"")

    async def cancel(self) -> None:
        self.cancelling.set()
        self.changed.set()

    async def kill(self) -> None:
        await self.cancel()


class StageHost:
    """Implements `grind.ports.Host`."""

    def __init__(self, acts: Mapping[str, Act] | None = None) -> None:
        self.acts = dict(acts or {})
        self.ran: list[str] = []
        self.lanes: list[StageLane] = []
        self.abandoned: list[str] = []
        self.inside = self.most = 0

    name = "stage"
    environment: Mapping[str, str] = {"PATH": "/bin"}

    def act(self, task: StepTask) -> Act:
        if task.index == SETUP_INDEX:
            return self.acts.get(SETUP, Act())
        return next((act for word, act in self.acts.items() if word in task.script), Act())

    def enter(self) -> None:
        self.inside += 1
        self.most = max(self.most, self.inside)

    def leave(self) -> None:
        self.inside -= 1

    async def identity(self) -> HostIdentity:
        return HostIdentity(id="stage", os="Linux", architecture="x86_64")

    async def ask(self, queries: Mapping[str, Sequence[str]]) -> Mapping[str, Completed]:
        return {name: Completed(127, b"", b"") for name in queries}

    async def place(self, repository: str) -> str:
        return repository

    async def receive(self, repository: str, modules: Callable[[], Mapping[str, str]]) -> str:
        return repository

    def listen(self, tell: Callable[[str], None]) -> None:
        self.told = tell

    async def lane(self, spec: LaneSpec) -> StageLane:
        self.lanes.append(StageLane(self, spec))
        return self.lanes[-1]

    async def abandon(self, run: str) -> None:
        self.abandoned.append(run)

    async def close(self) -> None:
        pass


class StillClock:
    """Time does not pass."""

    def now(self) -> float:
        return 1000.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


class Shelf:
    """Keeps logs in memory; implements `LogStore`, and `LogWriter` by its books."""

    def __init__(self) -> None:
        self.books: dict[tuple[str, int], Book] = {}

    def writer(self, job: str, step: int) -> Book:
        self.books[job, step] = Book(f"{job}/{step}.log")
        return self.books[job, step]


class Book:
    def __init__(self, path: str) -> None:
        self.path = path
        self.text = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.text += data

    def close(self) -> None:
        self.closed = True


class Run(NamedTuple):
    """What became of a plan on the stage."""

    results: Results
    events: list[e.Event]
    host: StageHost
    logs: Shelf

    def conclusions(self) -> dict[str, str]:
        return {key.partition("/")[2]: one.conclusion for key, one in self.results.jobs.items()}


def play(
    plan: Plan,
    acts: Mapping[str, Act] | None = None,
    *,
    parallel: int = 2,
    only: Sequence[str] | None = None,
    min_tests: Mapping[str, int] | None = None,
    expand: Expand | None = None,
) -> Run:
    """Carry a plan out on a stage; a run that does not end by itself is a failure."""
    host, events, logs = StageHost(acts), list[e.Event](), Shelf()
    inputs = EngineInputs(
        host=host,
        clock=StillClock(),
        logs=logs,
        emit=events.append,
        run="r1",
        situation=SITUATION,
        tasks=TaskInputs(oid="o", ref=SITUATION.ref, origin=""),
        repository="/private",
        parallel=parallel,
        min_tests=min_tests or {},
        expand=expand,
    )

    async def bounded() -> Results:
        return await asyncio.wait_for(Engine(plan, inputs, only).run(), 30)

    return Run(asyncio.run(bounded()), events, host, logs)

"""Jobs carried out by the real engine on this machine, from workflow text to results."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from grind.adapters.localhost import LocalHost
from grind.adapters.store import ReleaseFolder
from grind.core import events as e
from grind.core.outcome import JobOutcome, Outcome, judge
from grind.core.plan import Plan
from grind.flows.engine import Engine, EngineInputs, Results
from grind.workflows.facts import Answer
from grind.workflows.tasks import TaskInputs
from tests.contracts.conftest import SHORT
from tests.contracts.rig import PATH, RealClock
from tests.workflows.plans import HOST, SITUATION, plan_of

Kind = TypeVar("Kind")


class Carried:
    """What came of a plan."""

    def __init__(self, plan: Plan, results: Results, events: list[e.Event], kept: Path) -> None:
        self.plan = plan
        self.results = results
        self.events = events
        self.kept = kept

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def jobs(self) -> dict[str, str]:
        return {key.partition("/")[2]: job.conclusion for key, job in self.results.jobs.items()}

    def job(self, name: str = "j") -> JobOutcome:
        return self.results.jobs[f"ci.yml/{name}"]

    def steps(self, job: str = "j") -> list[str]:
        records = [r for r in self.results.steps if r.job == f"ci.yml/{job}"]
        records.sort(key=lambda record: record.step)
        return [r.conclusion for r in records]

    def log(self, step: int, job: str = "j") -> str:
        (ended,) = [s for s in self.of(e.StepEnded) if (s.job, s.step) == (f"ci.yml/{job}", step)]
        return (self.kept / ended.log).read_text()

    @property
    def outcome(self) -> Outcome:
        return judge(self.plan, self.results.jobs, self.results.steps)

    @property
    def everything(self) -> str:
        """All that is kept and told."""
        files = [path.read_bytes() for path in self.kept.rglob("*") if path.is_file()]
        return repr(self.events) + repr(self.results) + repr(files)


def carry(
    folder: Path,
    text: str,
    *,
    parallel: int = 4,
    debug: bool = False,
    answers: Mapping[tuple[str, ...], Answer] = HOST,
    watch: Callable[[e.Event], None] | None = None,
) -> Carried:
    """Carry out a workflow."""
    plan = plan_of(text, answers=answers)
    release = ReleaseFolder(str(folder), "release")
    events: list[e.Event] = []

    def emit(event: e.Event) -> None:
        events.append(event)
        if watch is not None:
            watch(event)

    host = LocalHost(folder / "state", {"PATH": PATH}, RealClock(), graces=SHORT)
    inputs = EngineInputs(
        host=host,
        clock=RealClock(),
        logs=release,
        emit=emit,
        run="r1",
        situation=SITUATION,
        tasks=TaskInputs(oid="0" * 40, ref="refs/heads/main", origin=""),
        repository="",
        parallel=parallel,
        min_tests={},
        debug=debug,
    )

    async def story() -> Results:
        try:
            async with asyncio.timeout(120):
                return await Engine(plan, inputs).run()
        finally:
            await host.abandon("r1")

    return Carried(plan, asyncio.run(story()), events, Path(release.path))


def job(steps: str, head: str = "") -> str:
    """A workflow with one job `j`; `steps` are the items of a list, unindented."""
    body = "\n".join(f"      {line}" for line in steps.strip("\n").split("\n"))
    more = "".join(f"    {line}\n" for line in head.strip("\n").split("\n") if line)
    return f"on: push\njobs:\n  j:\n    runs-on: ubuntu-latest\n{more}    steps:\n{body}\n"

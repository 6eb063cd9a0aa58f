"""What is asked of a forge in one round of a watch, so that little is asked and nothing missed.

In a round each run costs at most one answer that counts against the limit: its state is asked for
first, and its jobs only when that said «not modified» or the run is over. While a run is missing,
the list filtered by commit is asked for as well; when that has nothing new, another source that
may know better, in turn: the newest runs of all, and the commit's check suites.
"""

from __future__ import annotations

from msgspec.structs import replace

from grind.core.ci import CiRun, CiVerdict, Target
from grind.core.watching import (
    Judgement,
    Seen,
    open_runs,
    skipped_jobs,
    with_jobs,
    with_runs,
)
from grind.ports import Forge

_MISSED_AT_MOST = 3
"""A new run may be unknown by its id for a moment; after so many times it counts as deleted."""
_SOURCES = ("recent", "suites")


class Looker:
    """Asks, and folds the answers into `seen`."""

    def __init__(self, forge: Forge, target: Target) -> None:
        self.seen = Seen(target=target)
        self._forge = forge
        self._target = target
        self._turn = 0
        self._suites: set[int] = set()
        self._waiting: list[int] = []
        self._missed: dict[int, int] = {}
        self._told: set[int] = set()
        self._asked: set[tuple[str, int]] = set()
        self.looked: set[str] = set()
        """Sources that have answered at least once."""

    @property
    def looked_everywhere(self) -> bool:
        """Whether every source has answered at least once."""
        return {"commit", *_SOURCES} <= self.looked

    async def look(self, judgement: Judgement, *, discover: bool) -> None:
        """Ask for what is not settled."""
        fresh: set[int] = set()
        if discover:
            fresh = await self._discover()
        for run in open_runs(self.seen, judgement):
            if run.id not in fresh:
                await self._follow(run)

    async def look_again(self) -> bool:
        """Take a last look at the commit's runs; whether something is new."""
        before = self.seen.runs
        answer = await self._forge.runs_of_commit(self._target.sha)
        self.seen = with_runs(self.seen, answer.value)
        return self.seen.runs != before

    async def _discover(self) -> set[int]:
        """Return the runs that were told anew."""
        answer = await self._forge.runs_of_commit(self._target.sha)
        self.looked.add("commit")
        told = {run.id for run in answer.value} if self._learn(answer.value) else set()
        if answer.fresh and self.looked_everywhere:
            return told
        return told | await self._elsewhere()

    async def _elsewhere(self) -> set[int]:
        if self._waiting:
            told = (await self._forge.runs_of_suite(self._waiting.pop(0))).value
            return {run.id for run in told} if self._learn(told) else set()
        source = _SOURCES[self._turn % len(_SOURCES)]
        self._turn += 1
        if source == "recent":
            told = (await self._forge.recent_runs("")).value
            self.looked.add("recent")
            return {run.id for run in told} if self._learn(told) else set()
        known = {run.suite for run in self.seen.runs.values()}
        suites = (await self._forge.suites(self._target.sha)).value
        self.looked.add("suites")
        fresh = [one for one in suites if one not in known and one not in self._suites]
        self._suites.update(fresh)
        self._waiting += fresh
        return set()

    def _learn(self, runs: tuple[CiRun, ...]) -> bool:
        before = self.seen.runs
        self.seen = with_runs(self.seen, runs)
        return self.seen.runs != before

    async def _follow(self, run: CiRun) -> None:
        if not run.over:
            answer = await self._forge.run(run.id)
            if answer.value is None:
                self._missing(run.id)
                return
            self._missed.pop(run.id, None)
            self.seen = with_runs(self.seen, (answer.value,))
            if answer.fresh or answer.value.status == "queued":
                return
        await self._jobs(run.id)

    def just_ended(self, judgement: Judgement) -> bool:
        """Whether a run is over whose jobs have not been asked for since."""
        return any(run.over and run.id not in self._told for run in open_runs(self.seen, judgement))

    async def _jobs(self, run: int) -> None:
        if self.seen.runs[run].over:
            self._told.add(run)
        self.seen = with_jobs(self.seen, run, (await self._forge.jobs(run)).value)

    def _missing(self, run: int) -> None:
        self._missed[run] = self._missed.get(run, 0) + 1
        if self._missed[run] >= _MISSED_AT_MOST:
            self.seen = replace(self.seen, gone=self.seen.gone | {run})

    # --- questions that a judgement raises, each asked once --------------------------------------

    def questions(self, judgement: Judgement, *, missing_for: float) -> list[tuple[str, int]]:
        """Return what must still be asked before the judgement can be believed.

        `missing_for` is how many seconds runs have been missing.
        """
        wanted: list[tuple[str, int]] = []
        for row in judgement.rows:
            if row.run is None:
                if not row.settled and missing_for >= 60:
                    wanted += [("commit", 0), ("disabled", 0)]
                continue
            conclusion = self.seen.runs[row.run].conclusion
            if not row.settled:
                continue
            if conclusion == "cancelled":
                wanted.append(("rivals", row.run))
            if row.verdict in (CiVerdict.FAILED, CiVerdict.TIMED_OUT):
                wanted.append(("jobs", row.run))
            if row.attempt > 1 and row.verdict is CiVerdict.FLAKY:
                wanted.append(("earlier", row.run))
        if self._target.branch and skipped_jobs(self.seen):
            wanted.append(("required", 0))
        return [one for one in dict.fromkeys(wanted) if one not in self._asked]

    async def ask(self, question: tuple[str, int]) -> None:
        """Ask one of them."""
        kind, run = question
        seen, forge = self.seen, self._forge
        match kind:
            case "commit":
                seen = replace(seen, absent=not await forge.has_commit(self._target.sha))
            case "disabled":
                seen = replace(seen, disabled=dict(await forge.disabled_workflows()))
            case "rivals":
                seen = with_runs(seen, (await forge.recent_runs(self._target.branch)).value)
            case "required":
                seen = replace(seen, required=await forge.required_jobs(self._target.branch))
            case "jobs":
                if run not in seen.jobs:
                    seen = with_jobs(seen, run, (await forge.jobs(run)).value)
            case _:
                attempt = seen.runs[run].attempt - 1
                jobs = (await forge.jobs_of_attempt(run, attempt)).value
                seen = replace(seen, earlier=seen.earlier | {run: jobs})
        self.seen = seen
        self._asked.add(question)

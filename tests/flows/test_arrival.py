"""Lanes are opened while the repository is on its way; nothing begins in them before it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

from grind.core.errors import GrindError
from grind.flows.arrival import Arrival, sending
from grind.flows.engine import Engine, EngineInputs
from grind.workflows.tasks import TaskInputs
from tests.flows.stage import SITUATION, Shelf, StageHost, StillClock
from tests.workflows.plans import plan_of

PLAN = plan_of(
    "on: push\njobs:\n  a: {runs-on: ubuntu-latest, steps: [{run: make}]}\n"
    "  b: {runs-on: ubuntu-latest, steps: [{run: make}]}\n"
)


class SlowHost(StageHost):
    """To which a repository comes when the test says so, or does not come."""

    def __init__(self) -> None:
        super().__init__()
        self.news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.order: list[str] = []

    async def receive(self, repository: str, modules: Callable[[], Mapping[str, str]]) -> str:
        self.order.append("asked")
        try:
            await self.news
        except asyncio.CancelledError:
            self.order.append("stopped")
            raise
        return repository


def engine(host: StageHost, arrival: Arrival) -> Engine:
    inputs = EngineInputs(
        host=host,
        clock=StillClock(),
        logs=Shelf(),
        emit=lambda _: None,
        run="r1",
        situation=SITUATION,
        tasks=TaskInputs(oid="o", ref=SITUATION.ref, origin=""),
        repository=arrival.place,
        parallel=2,
        min_tests={},
        arrived=arrival.there,
    )
    return Engine(PLAN, inputs)


async def opened(host: StageHost) -> None:
    while len(host.lanes) < 2:
        await asyncio.sleep(0)
    for _ in range(20):
        await asyncio.sleep(0)


def test_lanes_are_open_before_it_is_there_and_nothing_has_begun() -> None:
    async def story() -> None:
        host = SlowHost()
        async with sending(host, "/private", dict) as arrival:
            running = asyncio.create_task(engine(host, arrival).run())
            await opened(host)
            assert [(lane.env, lane.tasks) for lane in host.lanes] == [({}, []), ({}, [])]
            host.news.set_result(None)
            results = await running
            await arrival.there()
        assert {one.conclusion for one in results.jobs.values()} == {"success"}
        assert all(lane.env and lane.final for lane in host.lanes)

    asyncio.run(asyncio.wait_for(story(), 30))


def test_what_keeps_it_ends_the_run_and_every_lane() -> None:
    async def story() -> None:
        host = SlowHost()
        async with sending(host, "/private", dict) as arrival:
            running = asyncio.create_task(engine(host, arrival).run())
            await opened(host)
            host.news.set_exception(GrindError("the disk is full of sand"))
            with pytest.raises(GrindError, match="sand"):
                await running
            with pytest.raises(GrindError, match="sand"):
                await arrival.there()
        assert host.abandoned == ["r1"]
        assert host.ran == []

    asyncio.run(asyncio.wait_for(story(), 30))


def test_one_who_stops_waiting_does_not_stop_it() -> None:
    async def story() -> None:
        host = SlowHost()
        async with sending(host, "/private", dict) as arrival:
            waiting = asyncio.create_task(arrival.there())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            host.news.set_result(None)
            await arrival.there()

    asyncio.run(asyncio.wait_for(story(), 30))


def test_with_the_block_nothing_more_is_sent() -> None:
    async def broken(host: SlowHost) -> None:
        def prepare() -> None:
            host.order.append("prepared")

        async with sending(host, "/private", dict, prepare=prepare):
            while "asked" not in host.order:
                await asyncio.sleep(0.001)
            raise KeyError

    async def story() -> list[str]:
        host = SlowHost()
        with pytest.raises(KeyError):
            await broken(host)
        return host.order

    assert asyncio.run(asyncio.wait_for(story(), 30)) == ["prepared", "asked", "stopped"]

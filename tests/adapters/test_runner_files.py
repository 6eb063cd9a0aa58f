"""What client and runner say to each other, as bytes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.adapters.runner.follow import CHUNK, Follower
from grind.adapters.runner.wire import (
    Record,
    batch_fields,
    batch_name,
    files_of,
    lane_paths,
    split_records,
)
from grind.core.errors import GrindError
from grind.ports import (
    Cancelled,
    Checkout,
    Ended,
    LaneDone,
    LaneEvent,
    LaneLost,
    LanePaths,
    Output,
    Passed,
    Started,
    StepTask,
)

MARK = b"\0grind-x 1\0"


class Written:
    """A lane whose runner has written this much, and no more will come."""

    def __init__(self, records: bytes, log: bytes, lost: str = "gone") -> None:
        self._records, self._log, self._lost = records, log, lost

    async def records(self, offset: int) -> bytes:
        return self._records[offset:]

    async def log(self, offset: int, limit: int, beside: int | None = None) -> bytes:
        assert beside is None, "nothing runs in the background here"
        return self._log[offset : offset + limit]

    def mark(self, index: int) -> bytes:
        return MARK.replace(b"1", b"%d" % index)

    async def detail(self, files: str) -> str:
        return f"detail of {files}"

    async def lost(self) -> str:
        return self._lost

    async def pause(self, seconds: float) -> None:
        await asyncio.sleep(0)


def told(records: bytes, log: bytes = b"") -> list[LaneEvent]:
    async def all_of(events: AsyncIterator[LaneEvent]) -> list[LaneEvent]:
        return [event async for event in events]

    return asyncio.run(all_of(Follower(Written(records, log)).events()))


def joined(events: list[LaneEvent], index: int) -> bytes:
    parts = [event for event in events if isinstance(event, Output) and event.index == index]
    offset = 0
    for part in parts:
        assert part.offset == offset
        offset += len(part.data)
    return b"".join(part.data for part in parts)


def test_events_of_a_lane() -> None:
    records = (
        b"start 1 10.5 ;\nend 1 0 exit 10.5 11.25 - ;\npass 2 ;\nstart 3 12 ;\n"
        b"cancel timeout ;\nend 3 9 file-command 12 13 3 ;\ndone failure 14 ;\n"
    )
    events = told(records, b"one" + MARK + b"three" + MARK.replace(b"1", b"3"))
    assert events == [
        Started(1, 10.5),
        Output(1, 0, b"one"),
        Ended(1, 0, "exit", 10.5, 11.25),
        Passed(2),
        Started(3, 12.0),
        Output(3, 0, b"three"),
        Cancelled("timeout"),
        Ended(3, 9, "file-command", 12.0, 13.0, "detail of 3"),
        LaneDone("failure"),
    ]


def test_an_unfinished_lane_is_lost_with_all_that_was_recorded() -> None:
    events = told(
        b"start 1 10 ;\nend 1 0 exit 10 11 - ;\nstart 2 12 ;\nend 2 0 ex", b"a" + MARK + b"b"
    )
    assert events[-3:] == [Started(2, 12.0), Output(2, 0, b"b"), LaneLost("gone")]
    assert Ended(1, 0, "exit", 10.0, 11.0) in events


def test_a_log_without_its_mark_does_not_hold_the_end_for_ever() -> None:
    events = told(b"start 1 10 ;\nend 1 0 exit 10 11 - ;\n", b"cut off\0grind")
    assert [event for event in events if not isinstance(event, Output)] == [
        Started(1, 10.0),
        Ended(1, 0, "exit", 10.0, 11.0),
        LaneLost("gone"),
    ]
    assert joined(events, 1) == b"cut off\0grind"


pieces = st.lists(st.sampled_from([b"\0", b"grind-x", b" ", b"1", b"2", b"x", MARK[:-1], b"\n"]))


@given(pieces, pieces, st.integers(0, 40))
def test_output_is_told_whole_whatever_it_is(
    first: list[bytes], second: list[bytes], near: int
) -> None:
    one = b"".join(first).replace(MARK, b"")
    one = b"y" * max(0, CHUNK - near) + one
    two = b"".join(second)
    records = (
        b"start 1 1 ;\nend 1 0 exit 1 1 - ;\nstart 2 1 ;\nend 2 0 exit 1 1 - ;\ndone success 1 ;\n"
    )
    other = MARK.replace(b"1", b"2")
    if MARK in one or other in two or (one + MARK).find(MARK) != len(one):
        return
    if (two + other).find(other) != len(two):
        return
    events = told(records, one + MARK + two + other)
    assert (joined(events, 1), joined(events, 2)) == (one, two)
    assert events[-1] == LaneDone("success")


@given(st.binary(max_size=200), st.integers(0, 200))
def test_records_are_whole_lines_with_an_end(noise: bytes, cut: int) -> None:
    whole = b"start 1 1 ;\nend 1 0 exit 1 2 - ;\n"
    for records, taken in (split_records(whole + noise), split_records((whole + noise)[:cut])):
        assert taken <= len(whole + noise)
        assert all(isinstance(record, Record) for record in records)
    first, taken = split_records(whole)
    assert [record.kind for record in first] == ["start", "end"]
    assert taken == len(whole)
    assert split_records(whole[:-2])[0] == first[:1]


def test_files_of_a_step() -> None:
    records = b"end 1 0 exit 1 2 - ;\nend 2 0 exit 1 2 1 ;\nend 3 0 exit 1 2 3 ;\n"
    assert [files_of(records, n) for n in (1, 2, 3, 4)] == [None, "1", "3", None]


def test_paths_of_a_lane_that_is_being_written() -> None:
    whole = b"12\0/w\0/h\0/t\0/c\0/e\0end\0"
    assert lane_paths(whole) == LanePaths("/w", "/h", "/t", "/c", "/e")
    assert all(lane_paths(whole[:cut]) is None for cut in range(len(whole)))


@pytest.mark.parametrize(
    "checkout",
    [
        {"path": "/abs"},
        {"path": "a/../../b"},
        {"oid": "HEAD"},
        {"oid": "-" * 40},
        {"oid": "a" * 39},
        {"submodules": "maybe"},
    ],
)
def test_a_checkout_that_is_none_is_refused(checkout: dict[str, str]) -> None:
    task = StepTask(index=1, checkout=Checkout(**{"oid": "a" * 40, "ref": ""} | checkout))
    with pytest.raises(GrindError):
        batch_fields([task], final=True)


def test_a_batch_is_named_by_its_first_step() -> None:
    assert batch_name([StepTask(index=7), StepTask(index=8)]) == "00000007"
    assert batch_name([]) > "99999999"
